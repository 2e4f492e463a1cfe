"""What learners do in module 2: the worlds of a Job, and of a Deployment with its Service.

A mistake is a manifest of `mistakes/`, a cheat one of `cheats/commands/`.
"""

from __future__ import annotations

from typing import Any

from tests.validator.cases import MISTAKES, Typed
from validator.verdicts import Verdict

NOT_STARTED, DONE, WRONG = Verdict.NOT_STARTED, Verdict.DONE, Verdict.WRONG
APPLY = "kubectl apply -f {manifest}"
SOLUTION_1 = "kubectl apply -f {kubernetes}/solution/exercise-1.yaml"
SOLUTION_2 = "kubectl apply -f {kubernetes}/solution/exercise-2.yaml"
# A Pod is a first one if it is as old as its ReplicaSet: the new ones must be younger.
REPLACE = (
    "kubectl rollout status deployment/module2-ex2",
    "sleep 3; kubectl delete pods -l app=module2-ex2",
)
SCALE = "kubectl scale deployment/module2-ex2 --replicas=3"


def _case(
    exercise: str, name: str, id: str, found: str = "", fix: str = "", *typed: str, **more: Any
) -> Typed:
    if not typed and "manifest" not in more:
        folder = MISTAKES.parent / "cheats/commands" if more.get("cheat") else MISTAKES
        more["manifest"] = folder / f"{exercise}-{name}.yaml"
    more = {"verdict": WRONG, "typed": typed or (APPLY,), **more}
    return Typed(exercise, name, id=id, found=found, fix=fix, **more)


def _one(name: str, *rest: str, **more: Any) -> Typed:
    return _case("2.1", name, *rest, **more)


def _two(name: str, *rest: str, **more: Any) -> Typed:
    return _case("2.2", name, *rest, **more)


def _refused(exercise: str, name: str, id: str, found: str, fix: str) -> Typed:
    """A manifest that the API server does not accept."""
    manifest = MISTAKES / f"{exercise}-{name}.yaml"
    refused = {"manifest": manifest, "verdict": NOT_STARTED}
    return _case(exercise, name, id, found, fix, f"! {APPLY}", **refused)


MODULE2 = [
    _one("starter", "exists.none", "no Job module2-ex1", "Did `kubectl apply` print an error?",
         "! kubectl apply -f {kubernetes}/starter/exercise-1.yaml", verdict=NOT_STARTED),
    _one("solution", "", "", "", SOLUTION_1, verdict=DONE, trains=True),
    _one("pod", "exists.kind.pods", "found a Pod named module2-ex1", "Write a Job"),
    _one("deployment", "exists.kind.deployments", "found a Deployment", "Write a Job"),
    _one("wrong-name", "exists.name.misspelled", "a Job named modul2-ex1", "metadata.name"),
    _one("two-completions", "completions.count", "completions is 2", "Delete `completions`"),
    _one("starters-image", "image.invalid", "image name ???", "Correct `image`"),
    _one("no-prefix", "image.prefix", "fashion-mnist:1.2.0 is not on this cluster",
         "Set `image: localhost/fashion-mnist:1.2.0`", live=True),
    _one("no-tag", "image.no-tag", "has no tag", "Set `image: localhost/fashion-mnist:1.2.0`"),
    _one("misspelled-image", "image.misspelled", "fashion-mnits", "Set `image: localhost/fashion"),
    _one("not-loaded", "image.absent", "localhost/my-training:v1 is not on this cluster",
         "python -m cluster load localhost/my-training:v1"),
    _one("other-image", "image.other", "tf-job-operator", "Set `image: localhost/fashion-mnist"),
    _one("one-word", "option.one-word", '"--max-steps 500" is one entry',
         'Write `["--max-steps", "500"]`', live=True),
    _one("no-arguments", "option.missing", "no --max-steps", 'args: ["--max-steps", "500"]'),
    _one("fifty-steps", "option.value", "--max-steps is 50", 'args: ["--max-steps", "500"]'),
    _one("no-limit", "memory.none", "no limit of memory", "limits: {memory: 2Gi}"),
    _one("request-only", "memory.request-only", "under resources.requests alone", "limits"),
    _one("command", "ends.program.missing", "no program --max-steps", "options go into `args`"),
    _one("little-memory", "ends.memory", "its limit of 200Mi", "Raise resources.limits.memory"),
    _one("suspended", "ends.suspended", "is suspended", "kubectl patch job module2-ex1"),
    _one("short-deadline", "ends.failed.DeadlineExceeded", "DeadlineExceeded",
         "activeDeadlineSeconds"),
    _one("wrong-option-value", "ends.exit.2.value", "argument --batch-size", "Correct `args`",
         trains=True),
    _one("crash-loop", "ends.crash-loop", "keeps crashing", "kubectl logs", trains=True),
    _one("given-up", "ends.failed.BackoffLimitExceeded", "has failed (BackoffLimitExceeded)",
         "an entry of its own", trains=True),
    _one("only-words", "trained.program.command", "replaces the image's training program",
         "Take out of the manifest", trains=True),
    _one("slow-learner", "accuracy.low", "in the log", "Leave --learning-rate", trains=True),
    _refused("2.2", "labels-differ", "exists.none", "no Deployment module2-ex2",
             "Did `kubectl apply` print an error?"),
    _two("starter", "endpoints.selector",
         "app is modul2-ex2 in the selector and module2-ex2 on the Pod",
         "kubectl get pods --show-labels",
         "kubectl apply -f {kubernetes}/starter/exercise-2.yaml", live=True),
    _two("solution", "", "", "", SOLUTION_2, *REPLACE, SCALE, verdict=DONE, live=True),
    _two("load-balancer", "", "", "", APPLY, *REPLACE, SCALE, verdict=DONE,
         manifest=MISTAKES / "2.2-load-balancer.yaml"),
    _two("statefulset", "exists.kind.statefulsets", "found a StatefulSet", "Write a Deployment"),
    _two("wrong-name", "exists.name.separators", "module2-ex-2", "metadata.name"),
    _two("no-service", "service.none", "no Service of that name", "kubectl apply"),
    _two("localhost", "listens.localhost", "listens on 127.0.0.1 alone", "0.0.0.0"),
    _two("probe-port", "listens.probe-port", "asks at port 80", "readinessProbe to 8080"),
    _two("missing-image", "ready.image.misspelled", "fashion-mnits", "fashion-mnist:1.2.0"),
    _two("no-such-module", "ready.crash-loop", "No module named http.servers", "kubectl logs"),
    _two("scaled-to-zero", "ready.scaled-to-zero", "scaled to 0", "kubectl scale", SOLUTION_2,
         "kubectl scale deployment/module2-ex2 --replicas=0"),
    _two("other-selector-key", "endpoints.selector.key",
         "name is module2-ex2 in the selector and missing on the Pod", "Correct `selector`"),
    _two("service-port", "endpoints.service-port", "has port 8080", "Set `port: 80`"),
    _two("other-port", "endpoints.port", "sends to port 80", "Set `targetPort: 8080`", live=True),
    _two("container-port", "endpoints.container-port", "containerPort only describes it",
         "`containerPort: 8080`"),
    _two("shared-label", "endpoints.foreign", "another-server-", "another label", live=True),
    _two("other-folder", "answers.content", "does not have the names of the data", "kubectl get"),
    _two("no-probe", "probe.none", "no readinessProbe", "httpGet: {path: /, port: 8080}"),
    _two("first-pods", "replaced.first", "as old as the ReplicaSet",
         "kubectl delete pod module2-ex2-", SOLUTION_2),
    _two("two-replicas", "replicas.count", "asks for 2 replicas", "--replicas=3", SOLUTION_2,
         *REPLACE),
]  # fmt: skip

# None of them is done. What a program of the learner's own does in an image of the learner's own
# cannot be seen.
CHEATS = [
    _one("recorded-log", "trained.program.unclear", "it cannot be seen from outside",
         "kubectl delete job module2-ex1", verdict=Verdict.COULD_NOT_CHECK, cheat=True),
    _one("other-programs-words", "image.other", "tf-job-operator", "fashion-mnist", cheat=True),
    _two("slice-by-hand", "endpoints.no-selector", "has no selector", "Add `selector:`",
         cheat=True),
    _two("slice-beside", "endpoints.by-hand", "module2-ex2-mine", "if you made it", cheat=True),
    _two("bare-pod", "endpoints.foreign", "that are not the Deployment's: server", "another label",
         cheat=True),
]  # fmt: skip
