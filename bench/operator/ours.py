"""The workshop's operator as a subject."""

import os
import subprocess
import sys
from pathlib import Path

from bench.operator import clock, workload
from bench.operator.control_plane import ControlPlane
from bench.operator.subject import Command, Object, Subject

CHECKOUT = Path(__file__).resolve().parents[2]
CRD = CHECKOUT / "operator" / "chart" / "crds" / "tfjobs.yaml"


def subject(bytecode: Path, with_clock: bool = False) -> Subject:
    """The operator of this checkout, whose compiled files go to ``bytecode``.

    ``with_clock``: it notes long turns of its event loop, see ``clock``; all else is slower then.
    """
    return Subject(
        name="ours, with a clock" if with_clock else "ours",
        tf_jobs="/apis/tensorflow.org/v1alpha1/tfjobs",
        job_label="tf_job_name",
        type_label="job_type",
        chief="MASTER",
        child_kinds=("Service", "Job"),
        ready_line="caches are filled",
        make=tf_job,
        state=lambda status: status.get("state", ""),
        install=lambda plane: plane.apply(CRD),
        command=lambda plane, tuned: command(plane, bytecode, with_clock),
    )


def tf_job(name: str, hold: bool, replicas: workload.Replicas = workload.REPLICAS) -> Object:
    specs = [
        {"replicas": number, "tfReplicaType": kind, "template": workload.template(kind, hold)}
        for kind, number in replicas
    ]
    return {
        "apiVersion": "tensorflow.org/v1alpha1",
        "kind": "TfJob",
        "metadata": {"name": name},
        "spec": {"replicaSpecs": specs},
    }


def command(plane: ControlPlane, bytecode: Path, with_clock: bool) -> Command:
    """The same for every load: it is not tuned."""
    program = ["bench.operator.clock", str(plane.folder / clock.FILE)]
    flags = ["--kubeconfig", str(plane.kubeconfig("operator")), "--port", "0"]
    start = [sys.executable, "-m", *(program if with_clock else ["tfjob_operator"])]
    return Command([*start, *flags], environment(bytecode))


def compile_sources(bytecode: Path) -> None:
    """Compile what the operator imports: its image holds compiled files, so it must not pay here.

    Raises: CalledProcessError if the operator cannot be imported.
    """
    start = [sys.executable, "-m", "tfjob_operator", "--version"]
    subprocess.run(start, check=True, env=environment(bytecode), stdout=subprocess.DEVNULL)


def environment(bytecode: Path) -> dict[str, str]:
    kept = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    folders = os.pathsep.join([str(CHECKOUT / "operator"), str(CHECKOUT)])
    return kept | {"PYTHONPATH": folders, "PYTHONPYCACHEPREFIX": str(bytecode)}
