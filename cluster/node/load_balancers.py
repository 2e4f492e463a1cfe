"""Gives each Service of type LoadBalancer an address that answers from the host.

A cloud has a controller for this. Here it is a thread of the node's first process. It
watches the Services and writes `status.loadBalancer`; kube-proxy does the rest. The
addresses in use stand in the Services themselves, so a restart of the node changes none.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from cluster.node.server import Server

Service = dict[str, Any]
LOG = Path("/var/log/components/load-balancers.log")
# What Kubernetes' own service controller calls it.
REASON = "SyncLoadBalancerFailed"
RETRY_SECONDS = 0.5


@dataclass
class Plan:
    """By the Service's uid: the address to write into its status, or why it gets none."""

    given: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def plan(services: Iterable[Service], pool: IPv4Network) -> Plan:
    """Keep what the Services have, oldest first, then give what is free to the others."""
    used: set[str] = set()
    waiting = []
    for service in sorted(filter(is_ours, services), key=_age):
        has = address_of(service)
        if has and has not in used and IPv4Address(has) in pool:
            used.add(has)
        elif "deletionTimestamp" not in service["metadata"]:
            waiting.append(service)
    found = Plan()
    for service in waiting:
        uid = service["metadata"]["uid"]
        wanted = service["spec"].get("loadBalancerIP", "")
        free = [str(address) for address in pool if str(address) not in used]
        if chosen := next((a for a in free if wanted in ("", a)), None):
            found.given[uid] = chosen
            used.add(chosen)
        else:
            found.refused[uid] = why_not(wanted, pool)
    return found


def is_ours(service: Service) -> bool:
    """A class names another controller, which then has to be installed."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")


def address_of(service: Service) -> str:
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(ingress[0].get("ip", ""))


def why_not(wanted: str, pool: IPv4Network) -> str:
    count = pool.num_addresses
    if wanted:
        return f"loadBalancerIP {wanted} is in use, or is none of the {count} addresses of {pool}"
    return (
        f"all {count} addresses of {pool} are in use."
        " Delete a Service of type LoadBalancer, or give it another type"
    )


def _age(service: Service) -> tuple[str, str]:
    return service["metadata"]["creationTimestamp"], service["metadata"]["uid"]


class Controller:
    """Carries out the plan on one API server."""

    def __init__(self, server: Server, pool: IPv4Network) -> None:
        self.server, self.pool = server, pool
        self.services: dict[str, Service] = {}
        self.said: dict[str, str] = {}

    def follow(self) -> None:
        """Look at all Services, then again after each change, until the watch ends.

        Raises: OSError, http.client.HTTPException, ValueError.
        """
        found = self.server.ask("GET", "/api/v1/services")
        self.services = {item["metadata"]["uid"]: item for item in found["items"]}
        self.reconcile()
        for kind, service in self.server.watch("/api/v1/services", found["metadata"]):
            uid = service["metadata"]["uid"]
            if kind == "DELETED":
                self.services.pop(uid, None)
            else:
                self.services[uid] = service
            self.reconcile()

    def reconcile(self) -> None:
        wanted = plan(self.services.values(), self.pool)
        for uid, address in wanted.given.items():
            self.give(self.services[uid], address)
        for uid, reason in wanted.refused.items():
            if self.said.get(uid) != reason:
                self.say(self.services[uid], reason)
        self.said = wanted.refused

    def give(self, service: Service, address: str) -> None:
        """Write an address into a Service's status; one that is gone by now needs none."""
        metadata = service["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
        # With its uid: a new Service of the same name decides for itself.
        body = {
            "metadata": {"uid": metadata["uid"]},
            "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
        }
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            self.services[metadata["uid"]] = self.server.ask("PATCH", path, body)

    def say(self, service: Service, reason: str) -> None:
        """An Event of the Service, which `kubectl describe` shows."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        names = {key: service["metadata"][key] for key in ("namespace", "name", "uid")}
        body = {
            "metadata": {"generateName": f"{names['name']}-", "namespace": names["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "Service", **names},
            "type": "Warning",
            "reason": REASON,
            "message": reason,
            "source": {"component": "load-balancers"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        with contextlib.suppress(FileNotFoundError):  # the namespace is gone
            self.server.ask("POST", f"/api/v1/namespaces/{names['namespace']}/events", body)


def serve(pool: IPv4Network, connect: Callable[[], Server]) -> None:
    """Never ends: where the API server does not answer, it is asked again."""
    before = ""
    while True:
        try:
            Controller(connect(), pool).follow()
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            if str(error) != before:  # while the cluster starts it is the same for seconds
                before = str(error)
                note(f"{type(error).__name__}: {error}")
            time.sleep(RETRY_SECONDS)


def note(text: str) -> None:
    with LOG.open("a") as log:
        log.write(f"{datetime.datetime.now():%FT%T} {text}\n")
