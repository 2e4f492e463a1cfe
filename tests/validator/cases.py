"""The mistakes that learners make, and what the validator has to say of each.

One list for all: ``record`` plays them on a real cluster and keeps the
snapshots, ``test_mistakes`` replays these offline, and
``tests/cluster/test_validator.py`` plays them on the real cluster again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from validator.verdicts import Verdict

HERE = Path(__file__).resolve().parent
MISTAKES = HERE / "mistakes"
SNAPSHOTS = HERE / "snapshots"
MODULE = Path("modules/5-tfjob")
INSTALL = ("helm", "install", "tf-job", "operator/chart", "--set", "cloud=azure")


@dataclass(frozen=True)
class Case:
    """``found`` and ``hint`` are parts of what the validator says.

    manifest: applied in a namespace of the case's own; None for nothing made.
    commands: of 5.0, run in the operator's namespace, after those of the case before.
    alone: there must be no other TfJob of the exercise in the cluster meanwhile.
    """

    exercise: str
    name: str
    verdict: Verdict
    found: str = ""
    hint: str = ""
    manifest: Path | None = None
    commands: tuple[tuple[str, ...], ...] = ()
    alone: bool = False

    @property
    def snapshot(self) -> Path:
        return SNAPSHOTS / f"{self.exercise}-{self.name}.json"


def _mistake(name: str, found: str, hint: str, alone: bool = False, exercise: str = "5.1") -> Case:
    manifest = MISTAKES / f"{exercise}-{name}.yaml"
    return Case(exercise, name, Verdict.WRONG, found, hint, manifest, alone=alone)


# In this order: each starts from what the one before left.
OPERATOR = [
    Case("5.0", "nothing-installed", Verdict.NOT_STARTED, "no operator", "helm install"),
    Case(
        "5.0",
        "missing-image",
        Verdict.WRONG,
        "tf-job-operatr:1.0.0 is not on this cluster",
        "python -m cluster load",
        commands=((*INSTALL, "--set", "image.repository=tfjob-workshop/tf-job-operatr"),),
    ),
    Case(
        "5.0",
        "without-cloud",
        Verdict.WRONG,
        "no driver folders",
        "--set cloud=azure",
        commands=(
            ("helm", "uninstall", "tf-job", "--wait"),
            ("helm", "install", "tf-job", "operator/chart", "--wait"),
        ),
    ),
    Case(
        "5.0",
        "other-cloud",
        Verdict.WRONG,
        "/home/kubernetes/bin/nvidia",
        "--set cloud=azure",
        commands=(("helm", "upgrade", "tf-job", "operator/chart", "--set", "cloud=gke", "--wait"),),
    ),
    Case(
        "5.0",
        "solution",
        Verdict.DONE,
        commands=(
            ("helm", "upgrade", "tf-job", "operator/chart", "--set", "cloud=azure", "--wait"),
        ),
    ),
    Case(
        "5.0",
        "scaled-to-zero",
        Verdict.WRONG,
        "scaled to 0",
        "kubectl scale",
        commands=(("kubectl", "scale", "deployment/tf-job-operator", "--replicas=0"),),
    ),
    Case(
        "5.0",
        "no-configmap",
        Verdict.WRONG,
        "without a ConfigMap",
        "helm upgrade --install",
        commands=(
            ("kubectl", "scale", "deployment/tf-job-operator", "--replicas=1"),
            ("kubectl", "rollout", "status", "deployment/tf-job-operator"),
            ("kubectl", "delete", "configmap", "tf-job-operator-config"),
        ),
    ),
]

BLOCKED = Case("5.1", "operator-missing", Verdict.BLOCKED, "exercise 5.0", "helm install")

TRAINING = [
    Case(
        "5.1",
        "nothing-made",
        Verdict.NOT_STARTED,
        "no TfJob module5-ex1",
        "kubectl apply",
        alone=True,
    ),
    _mistake("wrong-namespace", "in namespace", "--namespace", alone=True),
    Case("5.1", "solution", Verdict.DONE, manifest=MODULE / "solution/exercise-1.yaml"),
    Case(
        "5.1",
        "starter",
        Verdict.WRONG,
        "containers of the MASTER: training",
        "name: tensorflow",
        MODULE / "starter/exercise-1.yaml",
    ),
    _mistake("vanilla-job", "Job module5-ex1; this exercise wants a TfJob", "delete job"),
    _mistake("wrong-name", "TfJob module5-ex-1", "metadata.name to module5-ex1"),
    _mistake("missing-image", "fashion-mnits:1.0.0", "python -m cluster load"),
    _mistake("too-many-gpus", "asks for 99", "nvidia-gpu: 1"),
    _mistake("other-container", "containers of the MASTER: training", "name: tensorflow"),
    _mistake("drivers-by-hand", "/usr/lib/nvidia-384", "delete the hostPath volumes"),
    _mistake("fifty-steps", "--max-steps 50", '["--max-steps", "500"]'),
    _mistake("unquoted-number", "args[1] is 500 without quotes", '"500" with its quotes'),
    _mistake("only-words", "printed words, and did not train", "take `command` out"),
    _mistake("no-gpu", "no GPU asked for", "nvidia.com/gpu: 1"),
    _mistake("wrong-option", "exit code 2", "kubectl logs"),
]
DISTRIBUTED = [
    _mistake("one-worker", "1 MASTER, 1 WORKER, 1 PS", "three entries", exercise="6.1"),
    _mistake("wrong-name", "TfJob module6-exl", "metadata.name to module6-ex1", exercise="6.1"),
    _mistake("ps-with-template", "a template in the replica", "delete `template`", exercise="6.1"),
    _mistake("tf-config-by-hand", "TF_CONFIG in the", "delete TF_CONFIG", exercise="6.1"),
    _mistake("unquoted-number", "InvalidTemplate", "mend that field", exercise="6.1"),
]
ALL = [*OPERATOR, BLOCKED, *TRAINING, *DISTRIBUTED]
