"""Services of type LoadBalancer: the host opens connections to them. On a cluster of its own."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest

from cluster.library import Cluster
from cluster.lifecycle import record
from cluster.node import load_balancers, network
from tests.cluster.waits import wait_until

NAME = "balanced"
SYSTEM = "--namespace=kube-system"  # where CoreDNS is: a server that every cluster has
HEALTH_PORT = 8080


@pytest.fixture(scope="module")
def balanced() -> Iterator[Cluster]:
    with Cluster(NAME) as started:
        yield started


@pytest.fixture
def make(balanced) -> Iterator:
    """Makes Services of CoreDNS' health; all that it made are deleted at the end."""

    def services(*names: str, **spec) -> None:
        items = [service(name, **spec) for name in names]
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        balanced.kubectl("create", SYSTEM, "--filename=-", input=manifest)

    yield services
    balanced.kubectl("delete", SYSTEM, "services", "--selector=test=here")


def service(name: str, **spec) -> dict:
    ports = [{"port": 80, "targetPort": HEALTH_PORT}]
    spec = {"type": "LoadBalancer", "selector": {"k8s-app": "kube-dns"}, "ports": ports, **spec}
    metadata = {"name": name, "labels": {"test": "here"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def addresses(cluster: Cluster) -> dict[str, str]:
    """The address of each Service that has one."""
    get = ("get", SYSTEM, "services", "--selector=test=here", "--output=json")
    found = json.loads(cluster.kubectl(*get).stdout)["items"]
    every = {item["metadata"]["name"]: load_balancers.address_of(item) for item in found}
    return {name: address for name, address in every.items() if address}


def await_addresses(cluster: Cluster, *names: str) -> list[str]:
    """The Services' addresses, when all have one."""
    wait_until(lambda: addresses(cluster).keys() >= set(names))
    return [addresses(cluster)[name] for name in names]


def answers(host: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}/health", timeout=5) as answer:
            return answer.read() == b"OK"
    except OSError:
        return False


def pool(cluster: Cluster) -> IPv4Network:
    known = record.read(cluster.paths)
    assert known is not None
    return network.for_services(IPv4Network(known.network))


def refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_two_services_with_the_same_port_answer_from_the_host(balanced, make):
    make("one", "two")
    first, second = await_addresses(balanced, "one", "two")
    assert first != second
    assert {IPv4Address(first) in pool(balanced), IPv4Address(second) in pool(balanced)} == {True}
    wait_until(lambda: answers(first) and answers(second))


def test_the_node_has_no_other_port_at_such_an_address(balanced, make):
    make("one")
    [host] = await_addresses(balanced, "one")
    wait_until(lambda: answers(host))
    assert refuses(host, 6443)
    assert refuses(str(pool(balanced)[-1]), 80), "an address that no Service has"


def test_another_type_frees_the_address(balanced, make):
    make("one")
    [host] = await_addresses(balanced, "one")
    wait_until(lambda: answers(host))
    patch = ("patch", SYSTEM, "service", "one", "--patch", '{"spec": {"type": "ClusterIP"}}')
    balanced.kubectl(*patch)
    assert addresses(balanced) == {}
    wait_until(lambda: refuses(host, 80))
    make("two", loadBalancerIP=host)
    assert await_addresses(balanced, "two") == [host]


def test_the_service_that_finds_no_address_says_so_and_gets_the_next_that_is_free(balanced, make):
    names = [f"s{number}" for number in range(pool(balanced).num_addresses)]
    make(*names)
    given = await_addresses(balanced, *names)
    assert len(set(given)) == len(names)
    make("late")
    wait_until(lambda: f"all {len(names)} addresses" in events(balanced, "late"))
    assert "late" not in addresses(balanced)
    balanced.kubectl("delete", SYSTEM, "service", names[5])
    assert await_addresses(balanced, "late") == [given[5]]


def events(cluster: Cluster, name: str) -> str:
    selector = f"--field-selector=involvedObject.name={name},reason={load_balancers.REASON}"
    return cluster.kubectl("get", SYSTEM, "events", selector, "--output=json").stdout


def test_an_address_outlives_a_stop_of_the_cluster(balanced, make):
    make("one", "two")
    freed, host = await_addresses(balanced, "one", "two")
    balanced.kubectl("delete", SYSTEM, "service", "one")
    balanced.verb("stop")
    balanced.verb("start", "--bare")
    assert addresses(balanced) == {"two": host}
    wait_until(lambda: answers(host))
    make("three")
    assert await_addresses(balanced, "three") == [freed]
