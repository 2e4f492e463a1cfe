import json
from ipaddress import IPv4Network

import pytest

from cluster.errors import CannotGoOn
from cluster.node import network


@pytest.mark.parametrize(
    ("seed", "taken", "chosen"),
    [
        pytest.param(0, [], "10.213.0.0/27", id="the first when nothing is taken"),
        pytest.param(5, [], "10.213.0.160/27", id="the seed says where the search starts"),
        pytest.param(0, ["10.213.0.0/30"], "10.213.0.32/27", id="a taken network is left out"),
        pytest.param(0, ["10.213.0.18/32"], "10.213.0.32/27", id="one taken address is enough"),
        pytest.param(0, ["10.213.0.0/17"], "10.213.128.0/27", id="a wider network takes all in it"),
        pytest.param(2047, ["10.213.255.224/27"], "10.213.0.0/27", id="the search starts over"),
        pytest.param(2048, [], "10.213.0.0/27", id="a seed may be larger than the pool"),
        pytest.param(0, ["192.168.0.0/16"], "10.213.0.0/27", id="other networks do not matter"),
    ],
)
def test_choose(seed, taken, chosen):
    assert network.choose(seed, map(IPv4Network, taken)) == IPv4Network(chosen)


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [
        pytest.param(["10.0.0.0/8"], "198.18.0.0/27", id="a VPN's 10/8: another pool"),
        pytest.param(
            ["10.0.0.0/8", "198.18.0.0/15", "100.64.0.0/10", "172.16.0.0/12"],
            "10.213.0.0/27",
            id="all pools are routed: ours is narrower, and wins",
        ),
        pytest.param(["0.0.0.0/1", "128.0.0.0/1"], "10.213.0.0/27", id="a VPN that takes all"),
    ],
)
def test_a_wider_route_is_no_conflict(taken, chosen):
    assert network.choose(0, map(IPv4Network, taken)) == IPv4Network(chosen)


def test_full_pools_are_said_with_the_way_out():
    pool = IPv4Network("10.213.0.0/26")
    used = [IPv4Network("10.213.0.0/27"), IPv4Network("10.213.0.52/30")]
    with pytest.raises(CannotGoOn, match=r"10\.213\.0\.0/26 is in use.*--network CIDR"):
        network.choose(0, used, [pool])


def test_what_ip_said_is_in_the_sentence():
    with pytest.raises(CannotGoOn, match=r"`ip link set no-such-link up` failed: .*no-such-link"):
        network._ip("link", "set", "no-such-link", "up")


def test_the_host_has_the_first_address_and_the_node_the_second():
    assert network.ends(IPv4Network("10.213.0.32/27")) == ("10.213.0.33", "10.213.0.34")


def test_services_have_the_second_half_of_a_network_which_its_node_knows():
    ours = network.around("10.213.0.34")
    assert ours == IPv4Network("10.213.0.32/27")
    assert network.for_services(ours) == IPv4Network("10.213.0.48/28")


def test_routes_are_read_and_default_routes_left_out():
    routes = [{"dst": "default"}, {"dst": "10.213.0.4/30"}, {"dst": "10.1.2.3"}, {}]
    found = network.networks_in(json.dumps(routes))
    assert found == [IPv4Network("10.213.0.4/30"), IPv4Network("10.1.2.3/32")]


def test_a_host_without_routes_has_no_networks():
    assert network.networks_in("") == []


def test_the_node_gets_no_default_route():
    services = IPv4Network("10.213.0.16/28")
    lines = network.commands_inside("10.213.0.2", services)
    assert not [line for line in lines if "default" in line]


@pytest.mark.parametrize(
    ("there", "words"),
    [
        pytest.param(True, ["link set x addrgenmode none"], id="as most kernels are"),
        pytest.param(False, [], id="started with ipv6.disable=1: it refuses the words"),
    ],
)
def test_a_kernel_without_ipv6_is_not_asked_to_leave_it_out(tmp_path, monkeypatch, there, words):
    monkeypatch.setattr(network, "IPV6", tmp_path if there else tmp_path / "ipv6")
    assert network.without_ipv6("x") == words
    inside = network.commands_inside("10.213.0.2", IPv4Network("10.213.0.16/28"))
    assert ("link set eth0 addrgenmode none" in inside) == there
