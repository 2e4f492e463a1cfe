"""Play the cheats on a running cluster with the operator, and record what the validator reads.

    python -m tests.validator.record_cheats [CHEAT... | honest/VARIANT...]

Needs KUBECONFIG. Each cheat has a namespace of its own, which is deleted. Run it
after a change of what the reader reads, of the operator, or of the cheats.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.validator.record import DEFAULT_REGISTRY
from tests.validator.record import written as as_file
from validator import cluster, exercises  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, grade
from validator.handin.whitelist import whitelisted
from validator.kubeconfig import connect
from validator.redaction import redact
from validator.snapshot import Snapshot

HERE = Path(__file__).resolve().parent
CHEATS, SNAPSHOTS = HERE / "cheats", HERE / "cheat_snapshots"
# More would train longer than a check may take, on two processors.
PARALLEL = 2
PATIENCE_SECONDS = 600.0
SUCCEEDED = {
    "phase": "Done",
    "state": "Succeeded",
    "conditions": [
        {
            "type": "Succeeded",
            "status": "True",
            "reason": "Succeeded",
            "message": "MASTER 0 succeeded",
            "lastTransitionTime": "2026-01-31T12:00:00Z",
        }
    ],
}


class Stage:
    """One cheat's namespace."""

    def __init__(self, name: str) -> None:
        self.exercise, _, rest = name.rpartition("/")[2].partition("-")
        self.name = f"cheat-{rest}-{uuid.uuid4().hex[:4]}"
        self.tfjob = f"module{self.exercise[0]}-ex{self.exercise[2]}"
        self.manifest = CHEATS / f"{name}.yaml"

    def kubectl(self, *words: str, input: str | None = None) -> str:
        argv = ["kubectl", "--namespace", self.name, *words]
        done = subprocess.run(argv, capture_output=True, text=True, input=input, check=False)
        if done.returncode:
            print(self.name, *words[:4], done.stderr.strip(), flush=True)
        return done.stdout

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "-o", "json") or "{}")

    def wait(self, until: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not until() and time.monotonic() < end:
            time.sleep(0.5)

    def over(self) -> bool:
        """Whether the TfJob has ended; a Pod with a side-car ends somewhat later."""
        status = self.get("tfjob", self.tfjob).get("status", {})
        masters = self.pods("MASTER") if status.get("state") == "Succeeded" else []
        return status.get("state") in ("Succeeded", "Failed") and not masters

    def pods(self, kind: str) -> list[str]:
        found = self.get("pods", "-l", f"job_type={kind}").get("items", [])
        running = [p for p in found if p.get("status", {}).get("phase") == "Running"]
        return [p["metadata"]["name"] for p in running]

    def steps(self) -> bool:
        return any("\nstep " in self.kubectl("logs", pod) for pod in self.pods("MASTER"))

    def succeed_by_hand(self) -> None:
        """Edit the TfJob's status."""
        status = {**self.get("tfjob", self.tfjob).get("status", {}), **SUCCEEDED}
        patch = json.dumps({"status": status})
        words = ("--subresource=status", "--type=merge", "--patch", patch)
        self.kubectl("patch", "tfjob", self.tfjob, *words)


def edited_status(stage: Stage) -> None:
    stage.wait(stage.over)
    stage.succeed_by_hand()


def edited_while_running(stage: Stage) -> None:
    stage.wait(lambda: stage.pods("MASTER"))
    stage.succeed_by_hand()


def child_by_hand(stage: Stage) -> None:
    job = stage.get("tfjob", stage.tfjob)
    template = job["spec"]["replicaSpecs"][0]["template"]
    container = template["spec"]["containers"][0]
    host = f"{stage.tfjob}-master-hand-0:2222"
    lines = "sleep 4\n" + f"echo 'chief of the cluster chief {host}'\n"
    container["command"] = ["sh", "-c", lines + _printed(CHEATS / "5.1-own-runtime-id.yaml")]
    template["spec"]["restartPolicy"] = "Never"
    owner = {
        "apiVersion": job["apiVersion"],
        "kind": "TfJob",
        "name": stage.tfjob,
        "uid": job["metadata"]["uid"],
        "controller": True,
    }
    labels = {"job_type": "MASTER", "runtime_id": "hand", "task_index": "0"}
    template["metadata"] = {"labels": labels}
    name = f"{stage.tfjob}-master-hand-0"
    child = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": {"template": template},
    }
    stage.kubectl("apply", "-f", "-", input=json.dumps(child))
    stage.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=120s")
    SUCCEEDED_BY_HAND = {"runtimeId": "hand"}
    patch = json.dumps({"status": {**SUCCEEDED, **SUCCEEDED_BY_HAND}})
    words = ("--subresource=status", "--type=merge", "--patch", patch)
    stage.kubectl("patch", "tfjob", stage.tfjob, *words)


def after_the_end(stage: Stage) -> None:
    stage.wait(stage.over)
    stage.kubectl("delete", "pod", *stage.pods("WORKER")[:1], "--wait=false")
    time.sleep(8)


def worker_deleted(stage: Stage) -> None:
    stage.wait(stage.steps)
    stage.kubectl("delete", "pod", *stage.pods("WORKER")[:1], "--wait=false")
    stage.wait(stage.over)


def master_deleted(stage: Stage) -> None:
    stage.wait(stage.steps)
    stage.kubectl("delete", "pod", *stage.pods("MASTER")[:1], "--wait=false")
    time.sleep(3)
    stage.wait(stage.over)


AFTERWARDS: dict[str, Callable[[Stage], None]] = {
    "5.1-edited-status": edited_status,
    "5.1-edited-while-running": edited_while_running,
    "5.1-child-by-hand": child_by_hand,
    "6.2-after-the-end": after_the_end,
    "6.2-master-deleted": master_deleted,
    "honest/6.2-indexed": worker_deleted,
}


def record(name: str) -> None:
    """Play one cheat to its end, and keep what the validator reads."""
    stage = Stage(name)
    try:
        stage.kubectl("create", "namespace", stage.name)
        stage.kubectl("apply", "-f", str(stage.manifest))
        act = AFTERWARDS.get(name)
        act(stage) if act else stage.wait(stage.over)
        time.sleep(1)
        numbers = ["5.0", stage.exercise]
        chosen = [EXERCISES[number] for number in numbers]
        data = cluster.read(connect(None, None, stage.name), chosen)
        kept = redact(whitelisted(data))
        written = DEFAULT_REGISTRY.sub("", as_file(kept)).rstrip("\n")
        (SNAPSHOTS / f"{name}.json").write_text(written + "\n")
        (made,) = grade(Snapshot(json.loads(written)), [stage.exercise])
        said = f"{made.finding.id}: {made.finding.found}" if made.finding else ""
        print(f"{name}: {made.verdict.value} {said}", flush=True)
    finally:
        words = ("delete", "namespace", stage.name, "--wait=false", "--ignore-not-found")
        stage.kubectl(*words)


def _printed(manifest: Path) -> str:
    """The lines after the address in a manifest's own script."""
    lines = [line.strip() for line in manifest.read_text().splitlines()]
    return (
        "\n".join(lines[lines.index('echo "chief of the cluster chief $host"') + 1 :][:22]) + "\n"
    )


def main() -> int:
    (SNAPSHOTS / "honest").mkdir(parents=True, exist_ok=True)
    # Those in `commands` are typed, and `record` plays them.
    found = sorted({*CHEATS.rglob("*.yaml")} - {*CHEATS.glob("commands/*")})
    names = sys.argv[1:] or [str(p.relative_to(CHEATS).with_suffix("")) for p in found]
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(record, names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
