"""The workshop's operator as a subject."""

import os
import subprocess
import sys
from pathlib import Path

from bench.operator import workload
from bench.operator.control_plane import ControlPlane
from bench.operator.subject import Command, Object, Subject

CHECKOUT = Path(__file__).resolve().parents[2]
CRD = CHECKOUT / "operator" / "chart" / "crds" / "tfjobs.yaml"


def subject(bytecode: Path) -> Subject:
    """The operator of this checkout, whose compiled files go to ``bytecode``."""
    return Subject(
        name="ours",
        tf_jobs="/apis/tensorflow.org/v1alpha1/tfjobs",
        job_label="tf_job_name",
        type_label="job_type",
        chief="MASTER",
        child_kinds=("Service", "Job"),
        ready_line="caches are filled",
        make=tf_job,
        state=lambda status: status.get("state", ""),
        install=lambda plane: plane.apply(CRD),
        command=lambda plane, tuned: command(plane, bytecode),
    )


def tf_job(name: str, hold: bool) -> Object:
    replicas = [
        {"replicas": number, "tfReplicaType": kind, "template": workload.template(kind, hold)}
        for kind, number in workload.REPLICAS
    ]
    return {
        "apiVersion": "tensorflow.org/v1alpha1",
        "kind": "TfJob",
        "metadata": {"name": name},
        "spec": {"replicaSpecs": replicas},
    }


def command(plane: ControlPlane, bytecode: Path) -> Command:
    """The same for every load: it is not tuned."""
    flags = ["--kubeconfig", str(plane.kubeconfig("operator")), "--port", "0"]
    return Command([sys.executable, "-m", "tfjob_operator", *flags], environment(bytecode))


def compile_sources(bytecode: Path) -> None:
    """Compile what the operator imports: its image holds compiled files, so it must not pay here.

    Raises: CalledProcessError if the operator cannot be imported.
    """
    start = [sys.executable, "-m", "tfjob_operator", "--version"]
    subprocess.run(start, check=True, env=environment(bytecode), stdout=subprocess.DEVNULL)


def environment(bytecode: Path) -> dict[str, str]:
    kept = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    paths = {"PYTHONPATH": str(CHECKOUT / "operator"), "PYTHONPYCACHEPREFIX": str(bytecode)}
    return kept | paths
