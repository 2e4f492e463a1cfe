from ipaddress import IPv4Network

import pytest

from cluster.node import load_balancers

POOL = IPv4Network("10.213.0.16/30")
FIRST, SECOND, THIRD, FOURTH = map(str, POOL)


def service(name, age=0, address="", status="", kind="LoadBalancer", load_balancer_class=""):
    """A Service; `address` is what it asks for, `status` what it has."""
    spec = {"type": kind, "loadBalancerIP": address, "loadBalancerClass": load_balancer_class}
    ingress = {"ingress": [{"ip": status}]} if status else {}
    metadata = {"uid": name, "name": name, "namespace": "ns", "creationTimestamp": f"2026-0{age}"}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": ingress}}


def leaving(found):
    found["metadata"]["deletionTimestamp"] = "2026-09"
    return found


@pytest.mark.parametrize(
    ("services", "given"),
    [
        pytest.param([], {}, id="nothing to do"),
        pytest.param([service("a"), service("b")], {"a": FIRST, "b": SECOND}, id="one each"),
        pytest.param([service("a", status=THIRD)], {}, id="what a Service has it keeps"),
        pytest.param(
            [service("a"), service("b", status=FIRST)], {"a": SECOND}, id="and no other gets it"
        ),
        pytest.param(
            [service("a", address=SECOND), service("b", age=1)],
            {"a": SECOND, "b": FIRST},
            id="a free address that is asked for",
        ),
        pytest.param(
            [service("a", status=FIRST, age=2), service("b", status=FIRST, age=1)],
            {"a": SECOND},
            id="of two that say they have the same one the older keeps it",
        ),
        pytest.param(
            [service("a", status="10.9.9.9")],
            {"a": FIRST},
            id="the cluster has another network now",
        ),
        pytest.param(
            [leaving(service("a", status=FIRST)), service("b")],
            {"b": SECOND},
            id="a Service that is being deleted still has its address",
        ),
        pytest.param([leaving(service("a"))], {}, id="and gets none"),
        pytest.param([service("a", kind="ClusterIP")], {}, id="other types get none"),
        pytest.param(
            [service("a", load_balancer_class="example.com/lb")], {}, id="nor other classes"
        ),
    ],
)
def test_who_gets_which_address(services, given):
    found = load_balancers.plan(services, POOL)
    assert (found.given, found.refused) == (given, {})


def test_who_comes_when_all_are_in_use_gets_a_reason():
    services = [service(f"s{age}", age=age) for age in range(5)]
    found = load_balancers.plan(services, POOL)
    assert found.given == {"s0": FIRST, "s1": SECOND, "s2": THIRD, "s3": FOURTH}
    assert list(found.refused) == ["s4"]
    assert "all 4 addresses of 10.213.0.16/30 are in use. Delete a Service" in found.refused["s4"]


def test_an_address_that_is_asked_for_and_not_free_is_named():
    found = load_balancers.plan([service("a", status=FIRST), service("b", address=FIRST)], POOL)
    assert f"loadBalancerIP {FIRST} is in use" in found.refused["b"]


class FakeServer:
    """Lists `services`, then gives `changes`; keeps what it is asked to write."""

    def __init__(self, services, changes=(), answers=None):
        self.services, self.changes, self.answers = services, changes, answers or {}
        self.written = []

    def ask(self, method, path, body=None):
        if method == "GET":
            return {"metadata": {"resourceVersion": "1"}, "items": self.services}
        self.written.append((method, path, body))
        if method in self.answers:
            raise self.answers[method]
        uid = body["metadata"].get("uid", "")
        found = next((s for s in self.known() if s["metadata"]["uid"] == uid), {})
        return {**found, "status": body.get("status", {})}

    def known(self):
        return [*self.services, *(service for _, service in self.changes)]

    def watch(self, path, since):
        yield from self.changes

    def addresses(self):
        """(uid, address) of each write of a status."""
        bodies = [body for method, _, body in self.written if method == "PATCH"]
        return [(b["metadata"]["uid"], load_balancers.address_of(b)) for b in bodies]

    def events(self):
        return [body["message"] for method, _, body in self.written if method == "POST"]


def follow(server):
    load_balancers.Controller(server, POOL).follow()
    return server


def test_an_address_is_written_once():
    renamed = ("MODIFIED", service("other", kind="ClusterIP"))
    server = follow(FakeServer([service("a")], [renamed, renamed]))
    assert server.addresses() == [("a", FIRST)]
    assert server.written[0][1] == "/api/v1/namespaces/ns/services/a/status"


def test_a_freed_address_goes_to_who_waits_and_the_reason_is_said_once():
    full = [service(f"s{age}", age=age) for age in range(4)]
    late = service("late", age=5)
    changes = [("ADDED", late), ("MODIFIED", late), ("DELETED", full[2])]
    server = follow(FakeServer(full, changes))
    assert server.addresses()[-1] == ("late", THIRD)
    assert len(server.events()) == 1


def test_a_service_that_is_gone_by_now_stops_nothing():
    server = FakeServer([service("a"), service("b")], answers={"PATCH": FileNotFoundError()})
    assert [uid for uid, _ in follow(server).addresses()] == ["a", "b"]
