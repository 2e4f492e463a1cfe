"""A throw-away control plane on loopback: real etcd, API server, controllers, scheduler, and kwok.

No node and no container: kwok plays the kubelets. The benchmark makes one for each measurement;
tests/cluster has the workshop's real cluster instead.
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import yaml

from bench.operator.client import trusting

HERE = Path(__file__).resolve().parent
OPERATOR_USER = "system:serviceaccount:tf-job-system:tf-job-operator"
TUNED = ("--concurrent-job-syncs=20", "--kube-api-qps=200", "--kube-api-burst=400")
# Components without rights of their own in the bootstrap policy, and we, are administrators.
TOKENS = {
    "admin": ("admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kwok": ("kwok", "system:masters"),
    # As a service account, so that API Priority and Fairness treats it as in a real install.
    "operator": (OPERATOR_USER, "system:serviceaccounts,system:serviceaccounts:tf-job-system"),
}
# One line per request of the operator's, nothing else.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "Metadata", "users": [OPERATOR_USER], "omitManagedFields": True},
        {"level": "None"},
    ],
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class ControlPlane:
    """The processes and files of one control plane; a context manager that leaves nothing.

    ``binaries`` holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok;
    ``folder`` is wiped. ``controller_flags`` go to kube-controller-manager. There are so many
    ``namespaces``, each with its service account, and so many ``nodes``.
    """

    def __init__(
        self,
        binaries: Path,
        folder: Path,
        controller_flags: tuple[str, ...] = (),
        nodes: int = 50,
        namespaces: int = 1,
    ):
        self.binaries, self.folder, self.nodes = binaries, folder, nodes
        self.controller_flags = controller_flags
        self.namespaces = [f"team-{number:02d}" for number in range(namespaces)]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = ""

    def __enter__(self) -> "ControlPlane":
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "log").mkdir(parents=True)
        try:
            self._start_api_server()
            self._start_controllers()
            if self.nodes:
                self._start_nodes()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process, the last started first."""
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def kubeconfig(self, user: str) -> Path:
        return self.folder / f"{user}.kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}

    # ------------------------------------------------------------------ processes

    def _run(self, name: str, program: str, *flags: str) -> None:
        with (self.folder / "log" / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [self.binaries / program, *flags], stdout=log, stderr=log, start_new_session=True
            )

    def _start_api_server(self) -> None:
        etcd, peer, port = (free_port() for _ in range(3))
        self.url = f"https://127.0.0.1:{port}"
        self._write_credentials()
        self._run(
            "etcd",
            "etcd",
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls=http://127.0.0.1:{etcd}",
            f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
            "--quota-backend-bytes=8589934592",
        )
        self._run(
            "apiserver",
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={port}",
            f"--cert-dir={self.folder}/certs",
            f"--token-auth-file={self.folder}/tokens.csv",
            f"--service-account-key-file={self.folder}/sa.key",
            f"--service-account-signing-key-file={self.folder}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--authorization-mode=Node,RBAC",
            f"--audit-log-path={self.audit_log}",
            f"--audit-policy-file={self.folder}/audit.yaml",
            "--audit-log-mode=batch",
            "--audit-log-batch-max-wait=1s",
            "--audit-log-maxsize=2000",
        )
        self._wait(lambda: self.request("GET", "/readyz") is not None, "the API server")
        self._write_kubeconfigs()

    def _start_controllers(self) -> None:
        self._run(
            "controllers",
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig('controllers')}",
            f"--service-account-private-key-file={self.folder}/sa.key",
            "--use-service-account-credentials=true",
            f"--root-ca-file={self.folder}/certs/apiserver.crt",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder}/certs-controllers",
            "--terminated-pod-gc-threshold=100000",
            # kwok shares the processors: its nodes are late with their heartbeats, not lost.
            "--node-monitor-grace-period=1h",
            *self.controller_flags,
        )
        for name in self.namespaces:
            self.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self._wait(self._are_namespaces_ready, "the controllers")

    def _are_namespaces_ready(self) -> bool:
        listed = self.request("GET", "/api/v1/serviceaccounts") or {"items": []}
        made = {account["metadata"]["namespace"] for account in listed["items"]}
        return made >= {"default", *self.namespaces}

    def _start_nodes(self) -> None:
        self._run(
            "scheduler",
            "kube-scheduler",
            f"--kubeconfig={self.kubeconfig('scheduler')}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder}/certs-scheduler",
            "--kube-api-qps=2000",
            "--kube-api-burst=4000",
        )
        self._run(
            "kwok",
            "kwok",
            f"--kubeconfig={self.kubeconfig('kwok')}",
            "--manage-all-nodes=true",
            f"--config={HERE / 'kwok.yaml'}",
            "-v=WARN",
        )
        for number in range(self.nodes):
            self.request("POST", "/api/v1/nodes", node(f"fake-{number:02d}"))
        self._wait(self._are_nodes_ready, "the nodes")

    def _are_nodes_ready(self) -> bool:
        listed = self.request("GET", "/api/v1/nodes") or {"items": []}
        ready = [n for n in listed["items"] if not n["spec"].get("taints") and is_ready(n)]
        return len(ready) == self.nodes

    # ------------------------------------------------------------------ files and requests

    def _write_credentials(self) -> None:
        key = self.folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        lines = [
            f'{name}-token,{user},{name},"{groups}"' for name, (user, groups) in TOKENS.items()
        ]
        (self.folder / "tokens.csv").write_text("\n".join(lines) + "\n")
        (self.folder / "audit.yaml").write_text(yaml.safe_dump(AUDIT_POLICY))

    def _write_kubeconfigs(self) -> None:
        authority = base64.b64encode((self.folder / "certs" / "apiserver.crt").read_bytes())
        cluster = {"server": self.url, "certificate-authority-data": authority.decode()}
        for name in TOKENS:
            config = {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "bench", "cluster": cluster}],
                "users": [{"name": name, "user": {"token": f"{name}-token"}}],
                "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": name}}],
                "current-context": "bench",
            }
            self.kubeconfig(name).write_text(yaml.safe_dump(config))

    def request(self, method: str, path: str, body: object = None) -> dict | None:
        """One call as administrator; None when it was refused or nobody answered."""
        certificate = self.folder / "certs" / "apiserver.crt"
        if not certificate.exists():
            return None
        headers = {"Authorization": "Bearer admin-token", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        call = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(call, context=trusting(certificate), timeout=10) as answer:
                text = answer.read()
                return json.loads(text) if text.startswith(b"{") else {}
        except OSError:
            return None

    def apply(self, path: Path) -> None:
        """Create every object of a manifest that has a fixed place here: CRDs and RBAC."""
        for obj in filter(None, yaml.safe_load_all(path.read_text())):
            plural = obj["kind"].lower() + "s"
            self.request("POST", f"/apis/{obj['apiVersion']}/{plural}", obj)

    def _wait(self, ready, what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not ready():
            gone = [name for name, p in self.processes.items() if p.poll() is not None]
            if gone or time.monotonic() > end:
                logs = self.folder / "log"
                raise SystemExit(f"{what} did not start ({', '.join(gone) or 'time'}): see {logs}")
            time.sleep(0.1)


def node(name: str) -> dict:
    room = {"cpu": "1k", "memory": "1Ti", "pods": "1000"}
    meta = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    return {"metadata": meta, "status": {"allocatable": room, "capacity": room}}


def is_ready(obj: dict) -> bool:
    conditions = obj.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def exit_on_sigterm() -> None:
    """Exit so that what we started ends too; a second signal, as timeout(1) sends, is ignored."""

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(143)

    signal.signal(signal.SIGTERM, end)


def binaries(given: str | None, *more: str) -> Path:
    """The folder of programs: a given one, or the workshop's own, built if need be.

    ``more`` names recipes of cluster/programs/binaries.py beside those of the control plane.
    """
    if given:
        return Path(given)
    from cluster.programs import binaries as built

    return built.ensure(("kubernetes", "etcd", "kwok", *more))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
