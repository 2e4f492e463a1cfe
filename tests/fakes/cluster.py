"""The whole fake cluster: API server, Job controller, garbage collector and kubelet in one loop.

Tests make one inside a virtual-time loop (virtual_time.run), talk to it through ``client()`` as
the operator does, and look into ``store`` for the truth.
"""

import asyncio
from typing import Any

from tests.fakes import virtual_time
from tests.fakes.api_server import ApiServer
from tests.fakes.garbage_collector import GarbageCollector
from tests.fakes.job_controller import JobController
from tests.fakes.kubelet import Kubelet, Script
from tests.fakes.objects import DEPLOYMENTS, NAMESPACES, Object, key
from tests.fakes.store import Change, Store
from tests.fakes.transport import FakeTransport


class FakeCluster:
    """A cluster with the namespaces ``default`` and ``tf-job-system``."""

    def __init__(self, script: Script | None = None, crd_schema: dict[str, Any] | None = None):
        loop = asyncio.get_running_loop()
        self.store = Store(virtual_time.now, loop.time)
        self.api = ApiServer(self.store, crd_schema)
        self.garbage = GarbageCollector(self.store)
        self.jobs = JobController(self.store)
        self.kubelet = Kubelet(self.store, script)
        self.store.listeners.append(self._run_deployment)
        for name in ("default", "tf-job-system"):
            self.add_namespace(name)

    def add_namespace(self, name: str) -> None:
        obj = {"metadata": {"name": name}, "status": {"phase": "Active"}}
        self.store.create(NAMESPACES, obj)

    def client(self, **options: Any) -> FakeTransport:
        """A new connection; the options are those of FakeTransport."""
        return FakeTransport(self.api, **options)

    def _run_deployment(self, change: Change) -> None:
        """A Deployment is available at once; its Pods do not matter here."""
        if change.resource is DEPLOYMENTS and change.kind == "ADDED":
            asyncio.get_running_loop().call_later(0.05, self._make_available, change.obj)

    def _make_available(self, deployment: Object) -> None:
        current = self.store.find(DEPLOYMENTS, *key(deployment))
        if current:
            count = current["spec"].get("replicas", 1)
            status = {"replicas": count, "readyReplicas": count, "availableReplicas": count}
            self.store.update(DEPLOYMENTS, {**current, "status": status}, subresource="status")
