"""Kubeflow's Training Operator as a subject: what ours is compared with.

It runs here without its webhook, and its CRD has no schema: the module's own is 576 kB, in a cache
that is removed after the build. Its API server therefore does less than in an install.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.operator import workload
from bench.operator.control_plane import ControlPlane, free_port
from bench.operator.subject import Command, Object, Subject

VERSION = "1.9.3"
RECIPE, PROGRAM = "training-operator", "training-operator.v1"
TUNED = ("--controller-threads=10", "--kube-api-qps=2000", "--kube-api-burst=4000")
REPLICA_TYPES = {"MASTER": "Chief", "WORKER": "Worker", "PS": "PS"}
# Its source fixes where a Secret would be mounted, and waits until this file exists. What the
# webhook's server reads is below TMPDIR instead, so here it is empty.
MOUNTED = Path("/tmp/k8s-webhook-server/serving-certs/tls.crt")
SECRET = {"metadata": {"name": "training-operator-webhook-cert"}}  # which it fills
WEBHOOKS = {"metadata": {"name": "validator.training-operator.kubeflow.org"}}  # none
SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
CRD = {
    "metadata": {"name": "tfjobs.kubeflow.org"},
    "spec": {
        "group": "kubeflow.org",
        "names": {"kind": "TFJob", "listKind": "TFJobList", "plural": "tfjobs"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": SCHEMA,
                "subresources": {"status": {}},
            }
        ],
    },
}


@contextlib.contextmanager
def subject(programs: Path) -> Iterator[Subject]:
    """The Training Operator of a folder of programs, while it may be started."""
    with mounted_certificate():
        yield Subject(
            name=f"training-operator {VERSION}",
            tf_jobs="/apis/kubeflow.org/v1/tfjobs",
            job_label="training.kubeflow.org/job-name",
            type_label="training.kubeflow.org/replica-type",
            chief="chief",
            child_kinds=("Service", "Pod"),
            ready_line='Starting workers\t{"controller": "tfjob-controller"',
            make=tf_job,
            state=state,
            install=install,
            command=lambda plane, tuned: command(plane, programs / PROGRAM, tuned),
        )


@contextlib.contextmanager
def mounted_certificate() -> Iterator[None]:
    """Have the file that it waits for; one that was there before is left alone."""
    if MOUNTED.exists():
        yield
        return
    MOUNTED.parent.mkdir(parents=True, exist_ok=True)
    MOUNTED.touch()
    try:
        yield
    finally:
        MOUNTED.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another's file is beside it
            MOUNTED.parent.rmdir()
            MOUNTED.parent.parent.rmdir()


def tf_job(name: str, hold: bool, replicas: workload.Replicas = workload.REPLICAS) -> Object:
    """With cleanPodPolicy Running it ends the PS after the chief's success, as ours does."""
    specs = {
        REPLICA_TYPES[kind]: {
            "replicas": number,
            "restartPolicy": "Never",
            "template": workload.template(kind, hold),
        }
        for kind, number in replicas
    }
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TFJob",
        "metadata": {"name": name},
        "spec": {"runPolicy": {"cleanPodPolicy": "Running"}, "tfReplicaSpecs": specs},
    }


def state(status: Object) -> str:
    """Its last true condition: Created, Running, Succeeded or Failed."""
    true = [c["type"] for c in status.get("conditions") or () if c["status"] == "True"]
    return true[-1] if true else ""


def install(plane: ControlPlane) -> None:
    """Its CRD, what its certificates' rotator writes to, and a certificate for its webhook."""
    admission = "/apis/admissionregistration.k8s.io/v1"
    plane.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
    plane.request("POST", "/api/v1/namespaces/default/secrets", SECRET)
    plane.request("POST", f"{admission}/validatingwebhookconfigurations", WEBHOOKS)
    folder = plane.folder / MOUNTED.parent.relative_to("/tmp")
    folder.mkdir(parents=True)
    files = ["-keyout", folder / "tls.key", "-out", folder / "tls.crt"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench"]
    subprocess.run([*make, *files], check=True, capture_output=True)


def command(plane: ControlPlane, program: Path, tuned: bool) -> Command:
    """TFJobs alone, without ports that another could hold."""
    flags = [
        f"--kubeconfig={plane.kubeconfig('operator')}",
        "--enable-scheme=TFJob",
        "--metrics-bind-address=0",
        "--health-probe-bind-address=0",
        f"--webhook-server-port={free_port()}",
        *(TUNED if tuned else ()),
    ]
    places = {"TMPDIR": str(plane.folder), "MY_POD_NAMESPACE": "default"}
    return Command([str(program), *flags], os.environ | places)
