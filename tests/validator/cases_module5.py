"""What learners do in exercises 5.2 and 5.3: a claim, a reader of the model, a TensorBoard.

Readers are Jobs of their own, applied when the training has ended.
"""

from __future__ import annotations

from pathlib import Path

from tests.validator.cases import BEFORE_STEPS, ENDED, MISTAKES, MODULE_5, Act, Case, Typed
from validator.verdicts import Verdict

NOT_STARTED, CONVERGING, WRONG = Verdict.NOT_STARTED, Verdict.CONVERGING, Verdict.WRONG
DONE = Verdict.DONE
SOLUTION_52 = MODULE_5 / "solution/exercise-2.yaml"
SOLUTION_53 = MODULE_5 / "solution/exercise-3.yaml"
READER = MODULE_5 / "solution/exercise-2-reader.yaml"
READERS = MISTAKES / "readers"
READ = "kubectl wait --for=condition=Complete job/module5-ex2-reader --timeout=120s"
DONE_2 = "kubectl wait tfjob/module5-ex2 --for=jsonpath={{.status.phase}}=Done --timeout=170s"
DONE_3 = "kubectl wait tfjob/module5-ex3 --for=jsonpath={{.status.phase}}=Done --timeout=170s"


def _two(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    more = {"verdict": WRONG, "manifest": MISTAKES / f"5.2-{name}.yaml", **more}
    return Case("5.2", name, id=id, found=found, fix=fix, **more)  # type: ignore[arg-type]


def _three(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    more = {"verdict": WRONG, "manifest": MISTAKES / f"5.3-{name}.yaml", **more}
    return Case("5.3", name, id=id, found=found, fix=fix, **more)  # type: ignore[arg-type]


def _copied(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    """A mistake of 5.3 in a copy of a manifest of 5.2, as a learner makes it."""
    return _three(name, id, found, fix, manifest=MISTAKES / f"5.2-{name}.yaml",
                  named="module5-ex3", **more)  # fmt: skip


def _read(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    """The right training, and then a reader that is not."""
    return _two(f"reader-{name}", id, found, fix, manifest=SOLUTION_52, trains=True,
                acts=_apply(ENDED, READERS / f"{name}.yaml"), **more)  # fmt: skip


def _apply(after: str, manifest: Path) -> tuple[Act, ...]:
    return (Act(after, ("kubectl", "apply", "-f", str(manifest))),)


def _shell(after: str, *commands: str) -> tuple[Act, ...]:
    """Several commands one after the other, each in the case's namespace."""
    script = " && ".join(f'{command} "$@"' for command in commands)
    return (Act(after, ("sh", "-c", script, "sh")),)


MODULE5_2 = [
    Case("5.2", "nothing-made", NOT_STARTED, "exists.none", "no TfJob module5-ex2",
         "kubectl apply"),
    Case("5.2", "solution", DONE, manifest=SOLUTION_52, trains=True, live=True,
         acts=_apply(ENDED, READER)),
    Case("5.2", "pods-deleted", DONE, manifest=SOLUTION_52, trains=True,
         acts=_shell(ENDED, f"kubectl apply -f {READER}", READ,
                     "kubectl delete pods --selector=tf_job_name=module5-ex2")),
    _two("starter", "bound.class", "no StorageClass azurefile", "kubectl get storageclass",
         manifest=MODULE_5 / "starter/exercise-2.yaml", live=True),
    _two("no-claim", "bound.none", "no claim module5-models", "into your manifest"),
    _two("no-volume", "mount.no-volume", "no volume of the claim", "Under template.spec"),
    _two("other-claim", "mount.other-claim", "of the claim models", "Under template.spec"),
    _two("beside", "mount.beside", "the claim is mounted at /models",
         "mountPath: /tmp/fashion-mnist", live=True),
    _two("not-mounted", "mount.not-mounted", "no container mounts it", "Under the container"),
    _two("other-container", "mount.other-container", "container keeper mounts it",
         "Under the container"),
    _two("hides-data-at-once", "mount.hides-data", "hides what the image has there",
         "mountPath: /tmp/fashion-mnist", manifest=MISTAKES / "5.2-hides-data.yaml",
         at_once=True),
    _two("hides-data", "ends.exit.1.data", "Cannot use the data file", "a mount there hides them",
         trains=True),
    _two("no-permission", "ends.exit.1.permission", "Permission denied", "fsGroup: 10001",
         trains=True),
    _two("no-sub-path", "mount.no-sub-path", "without a subPath", "subPath: module5-ex2"),
    _two("sub-path-slash", "ends.refused.sub-path", "begins with a slash",
         "without its first slash"),
    _two("volume-typo", "ends.refused.volume-missing", "the volume model,", "correct the name"),
    _two("volumes-under-template", "ends.refused.outside-spec.volumes",
         "stands beside template.spec", "Move `volumes`"),
    _two("two-replicas", "replicas.extra.worker", "1 WORKER", "one entry"),
    _two("container-name-at-once", "container.name", "containers of the MASTER: training",
         "`name: tensorflow`", manifest=MISTAKES / "5.2-container-name.yaml", at_once=True),
    _two("number-at-once", "args.unquoted", "args[1] is 500 without quotes",
         'Write "500" with its quotes', manifest=MISTAKES / "5.2-unquoted-number.yaml",
         at_once=True),
    _two("other-image", "image.other", "tf-job-operator:1.1.0", "fashion-mnist:1.2.0"),
    _two("fifty-steps", "option.value", "--max-steps is 50", '["--max-steps", "500"]',
         at_once=True),
    _two("fifty-steps-at-the-end", "trained.steps", "the last step in the log is 50",
         '["--max-steps", "500"]', manifest=MISTAKES / "5.2-fifty-steps.yaml", trains=True),
    _two("only-words", "trained.program.command", "replaces the image's training program",
         "Take out of the manifest"),
    _two("no-reader", "reader.none", "there is no Job module5-ex2-reader yet",
         "exercise-2-reader.yaml", verdict=CONVERGING, manifest=SOLUTION_52, trains=True),
    _two("reader-too-early", "reader.too-early", "before the training's end", "phase Done",
         manifest=SOLUTION_52, trains=True, acts=_apply(BEFORE_STEPS, READER), live=True),
    _two("reader-no-claim", "reader.no-claim", "does not mount the claim", "a volumeMount",
         manifest=SOLUTION_52, trains=True,
         acts=_apply(ENDED, MODULE_5 / "starter/exercise-2-reader.yaml")),
    _read("other-sub-path", "reader.sub-path", "of the reader: module5-ex3",
          "subPath: module5-ex2"),
    _read("other-path", "reader.path", "the reader loads /models", "/models/model"),
    _read("no-test", "reader.no-test", "no --test", "Add --test"),
    _read("trains", "reader.program", "the reader runs --max-steps", "fashion_mnist.predict"),
    _read("other-image", "reader.image", "tf-job-operator", "fashion-mnist:1.2.0"),
    _read("wrong-option", "reader.exit.2.option", "unrecognized arguments: --tests", "--container"),
]  # fmt: skip
MODULE5_3 = [
    Case("5.3", "nothing-made", NOT_STARTED, "exists.none", "no TfJob module5-ex3",
         "kubectl apply"),
    Case("5.3", "solution", DONE, manifest=SOLUTION_53, trains=True, live=True),
    Case("5.3", "load-balancer", DONE, manifest=MISTAKES / "5.3-load-balancer.yaml",
         trains=True),
    Case("5.3", "again", DONE, manifest=SOLUTION_53, trains=True,
         acts=_shell(ENDED, "kubectl delete tfjob module5-ex3",
                     f"kubectl apply -f {SOLUTION_53}")),
    _three("starter", "board.none", "spec.tensorboard is missing", "logDir: /tmp/fashion-mnist",
           manifest=MODULE_5 / "starter/exercise-3.yaml", live=True),
    _three("by-hand", "board.by-hand", "a Deployment by hand", "Write `tensorboard:`"),
    _three("no-volumes", "board.no-volumes", "no volumes and no volumeMounts", "a Pod of its own"),
    _three("not-mounted", "board.not-mounted", "does not mount the claim", "a Pod of its own"),
    _three("other-sub-path", "board.sub-path", "subPath of tensorboard: module5-ex2",
           "subPath: module5-ex3", live=True),
    _three("other-log-dir", "board.log-dir", "TensorBoard reads /tmp/fashion-mnist/log ",
           "logDir: /tmp/fashion-mnist/logs"),
    _three("no-log-dir", "ends.refused.log-dir", "has no logDir", "Add `logDir:`"),
    _three("missing-image", "board-stands.image.absent", "localhost/tensorboard:2.20.0",
           "spec.tfImage", trains=True),
    _three("deleted", "exists.deleted", "there was one", "kubectl apply", verdict=NOT_STARTED,
           manifest=SOLUTION_53, trains=True,
           acts=_shell(ENDED, "kubectl delete tfjob module5-ex3")),
    _three("training", "ends.training", "step ", "Wait", verdict=CONVERGING, manifest=SOLUTION_53,
           trains=True),
    _copied("no-claim", "bound.none", "no claim module5-models", "into your manifest"),
    _copied("beside", "mount.beside", "the claim is mounted at /models",
            "mountPath: /tmp/fashion-mnist"),
    _copied("two-replicas", "replicas.extra.worker", "1 WORKER", "one entry"),
    _three("container-name-at-once", "container.name", "containers of the MASTER: training",
           "`name: tensorflow`", manifest=MISTAKES / "5.2-container-name.yaml",
           named="module5-ex3", at_once=True),
    _three("number-at-once", "args.unquoted", "args[1] is 500 without quotes",
           'Write "500" with its quotes', manifest=MISTAKES / "5.2-unquoted-number.yaml",
           named="module5-ex3", at_once=True),
    _copied("other-image", "image.other", "tf-job-operator:1.1.0", "fashion-mnist:1.2.0"),
    _copied("fifty-steps", "option.value", "--max-steps is 50", '["--max-steps", "500"]',
            at_once=True),
    _three("fewer-steps", "trained.steps", "the last step in the log is 50",
           '["--max-steps", "500"]', trains=True),
]  # fmt: skip
MODULE5_REST = [*MODULE5_2, *MODULE5_3]


def _cheat(number: str, name: str, id: str, *typed: str) -> Typed:
    return Typed(number, name, WRONG, id, typed=typed, cheat=True, trains=True)


CHEATS = [
    _cheat("5.2", "reader-echoes", "reader.program", f"kubectl apply -f {SOLUTION_52}", DONE_2,
           "kubectl apply -f {cheats}/5.2-reader-echoes.yaml", READ),
    _cheat("5.2", "model-beside-the-claim", "reader.path", f"kubectl apply -f {SOLUTION_52}",
           DONE_2, "kubectl apply -f {cheats}/5.2-model-beside-the-claim.yaml", READ),
    _cheat("5.2", "own-program", "reader.code.mounted-code", f"kubectl apply -f {SOLUTION_52}",
           DONE_2, "kubectl apply -f {cheats}/5.2-own-program.yaml", READ),
    _cheat("5.3", "another-run", "board-shows.other-run", f"kubectl apply -f {SOLUTION_53}",
           DONE_3, "kubectl apply -f {cheats}/5.3-another-run.yaml",
           "kubectl wait --for=condition=Complete job/another-run --timeout=170s",
           "kubectl delete pods --selector=app=tensorboard",
           "kubectl wait --for=condition=Available deployment --all --timeout=60s"),
    _cheat("5.3", "written-by-hand", "board-shows.other-run", f"kubectl apply -f {SOLUTION_53}",
           DONE_3, "kubectl apply -f {cheats}/5.3-written-by-hand.yaml",
           "kubectl wait --for=condition=Complete job/written-by-hand --timeout=170s",
           "kubectl delete pods --selector=app=tensorboard",
           "kubectl wait --for=condition=Available deployment --all --timeout=60s"),
]  # fmt: skip
