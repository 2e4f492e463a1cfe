"""What learners do, and what the validator has to say of each: the worlds of the corpus.

One list for all. ``record`` plays them on a real cluster and keeps what the
validator reads there; ``test_mistakes`` and ``test_corpus`` replay that offline;
``tests/cluster/test_validator.py`` plays some of them on the real cluster again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from validator.verdicts import Verdict

HERE = Path(__file__).resolve().parent
MISTAKES = HERE / "mistakes"
# Beside those of manifests, which `record_cheats` keeps.
CHEAT_SNAPSHOTS = HERE / "cheat_snapshots/commands"
SNAPSHOTS = HERE / "snapshots"
MODULE_5 = Path("modules/5-tfjob")
MODULE_6 = Path("modules/6-distributed-tensorflow")
ENDED = "(the TfJob has ended)"
STEPS = r"step \d+/\d+ loss"
BEFORE_STEPS = "training starts at step 0"
CHART = "operator/chart"


@dataclass(frozen=True)
class Act:
    """What the learner does on the way: a command, in the case's namespace.

    after: a pattern of a line of the MASTER's log, or ENDED.
    """

    after: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One world, and the verdict on the exercise that its learner is at.

    id: of the finding; found and fix: a part of what it says, and of its steps.
    manifest: applied in a namespace of the case's own; None for nothing made.
    named: the name that the learner gave to a copy of another exercise's manifest.
    label: of the namespace. elsewhere: the manifest goes into another namespace of
    the learner's. commands: of the operator's, run in its namespace before.
    at_once: recorded in the moment after ``kubectl apply``, before the operator has
    looked. trains: takes a core for some time. live: a test plays it each time.
    alone: it needs GPUs that no other case holds meanwhile.
    """

    exercise: str
    name: str
    verdict: Verdict
    id: str = ""
    found: str = ""
    fix: str = ""
    manifest: Path | None = None
    named: str = ""
    label: str = ""
    elsewhere: bool = False
    commands: tuple[tuple[str, ...], ...] = ()
    acts: tuple[Act, ...] = ()
    at_once: bool = False
    trains: bool = False
    live: bool = False
    alone: bool = False

    @property
    def title(self) -> str:
        return f"{self.exercise}-{self.name}"

    @property
    def snapshot(self) -> Path:
        return SNAPSHOTS / f"{self.title}.json"


@dataclass(frozen=True)
class Typed(Case):
    """A case that is played by commands, in its namespace; `!` before one that has to fail.

    cheat: nobody's mistake, kept with the cheats.
    """

    typed: tuple[str, ...] = ()
    cheat: bool = False

    @property
    def snapshot(self) -> Path:
        return (CHEAT_SNAPSHOTS if self.cheat else SNAPSHOTS) / f"{self.title}.json"


def _case(
    exercise: str, name: str, id: str, found: str = "", fix: str = "", **more: object
) -> Case:
    """A mistake; its manifest is that of its name, unless another is given."""
    more = {"verdict": Verdict.WRONG, "manifest": MISTAKES / f"{exercise}-{name}.yaml", **more}
    return Case(exercise, name, id=id, found=found, fix=fix, **more)  # type: ignore[arg-type]


def _five(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    return _case("5.1", name, id, found, fix, **more)


def _six(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    return _case("6.1", name, id, found, fix, **more)


def _copied(name: str, id: str, found: str = "", fix: str = "", **more: object) -> Case:
    """A mistake of 6.2 in a copy of a manifest of 6.1, as the page has the learner make it."""
    more = {"manifest": MISTAKES / f"6.1-{name}.yaml", "named": "module6-ex2", **more}
    return _case("6.2", name, id, found, fix, **more)


def _delete(kind: str, after: str, index: int = 0, *how: str) -> tuple[Act, ...]:
    """A replica's Pod is deleted, once the MASTER's log has a line with ``after``."""
    which = f"job_type={kind},task_index={index}"
    delete = ("kubectl", "delete", "pod", "--wait=false", *how, "--selector", which)
    return (Act(after, delete),)


def _keep_away(after: str) -> tuple[Act, ...]:
    """Worker 1 is lost, and a quota keeps its replacement away."""
    script = (
        'kubectl create quota class --hard=pods=3 "$@" && kubectl delete pod --wait=false '
        '--selector job_type=WORKER,task_index=1 "$@"'
    )
    return (Act(after, ("sh", "-c", script, "sh")),)


def _helm(verb: str, *more: str) -> tuple[str, ...]:
    return ("helm", *verb.split(), "tf-job", *((CHART,) if verb != "uninstall" else ()), *more)


AZURE = ("--set", "cloud=azure")
GONE = _helm("uninstall", "--wait", "--ignore-not-found")
INSTALL = _helm("upgrade --install", *AZURE, "--wait")
SOLUTION_5 = MODULE_5 / "solution/exercise-1.yaml"
SOLUTION_6 = MODULE_6 / "solution/exercise-1.yaml"
SOLUTION_62 = MODULE_6 / "solution/exercise-2.yaml"
NOT_STARTED, CONVERGING = Verdict.NOT_STARTED, Verdict.CONVERGING
DONE, BLOCKED, COULD_NOT_CHECK = Verdict.DONE, Verdict.BLOCKED, Verdict.COULD_NOT_CHECK


def _operator(
    name: str, id: str, found: str, fix: str, *commands: tuple[str, ...], **more: object
) -> Case:
    more = {"verdict": Verdict.WRONG, "live": True, **more}
    return Case("5.0", name, id=id, found=found, fix=fix, commands=commands, **more)  # type: ignore[arg-type]


# In this order: each starts from what the one before left. The operator has a namespace of its own.
OPERATOR = [
    Case(
        *("5.1", "operator-missing", BLOCKED, "exists.needs.operator.none", "no operator"),
        "helm upgrade --install",
        live=True,
    ),
    Case(
        *("6.1", "operator-missing", BLOCKED, "exists.needs.operator.none", "no operator"),
        "helm upgrade --install",
    ),
    Case(
        *("6.2", "operator-missing", BLOCKED, "exists.needs.operator.none", "no operator"),
        "helm upgrade --install",
    ),
    _operator(
        "nothing-installed", "exists.none", "no operator", "helm upgrade --install",
        verdict=NOT_STARTED,
    ),
    _operator(
        "missing-image", "runs.image.misspelled", "tf-job-operatr:1.1.0 is not on this cluster",
        "tf-job-operator:1.1.0",
        _helm("install", *AZURE, "--set", "image.repository=localhost/tf-job-operatr"),
    ),
    _operator(
        "crash-loop", "runs.crash-loop", "keeps crashing", "helm upgrade --install",
        GONE, _helm("install", *AZURE, "--set", "extraArgs={--verbose}"),
        live=False,
    ),
    _operator(
        "install-interrupted", "helm.pending", "pending-install", "Ask who installed it",
        GONE,
        ("timeout", "--signal=KILL", "5",
         *_helm("install", *AZURE, "--set", "extraArgs={--verbose}", "--wait")),
        verdict=CONVERGING, live=False,
    ),
    _operator(
        "install-failed", "helm.failed", "is failed", "Ask who installed it",
        GONE, _helm("install", *AZURE, "--set", "extraArgs={--verbose}", "--wait",
                    "--timeout", "3s"),
        live=False,
    ),
    _operator(
        "without-helm", "helm.no-release", "no Helm release tf-job", "Ask who installed it",
        GONE, ("sh", "-c", f"helm template tf-job {CHART} --set cloud=azure --no-hooks "
               "--namespace $0 | kubectl apply --namespace $0 -f - && "
               "kubectl rollout status deployment/tf-job-operator --namespace $0"),
        verdict=COULD_NOT_CHECK,
    ),
    _operator(
        "without-cloud", "drivers.no-cloud", "no driver folders", "--set cloud=azure",
        # What the validator tells a learner in whose own namespace the operator is.
        ("kubectl", "delete", "deployment", "tf-job-operator"),
        (*INSTALL, "--take-ownership"),
        GONE, _helm("install", "--wait"),
    ),
    Case(
        *("5.1", "drivers-unknown", BLOCKED, "exists.needs.drivers.none", "no driver folders"),
        "--set cloud=azure",
    ),
    _operator(
        "other-cloud", "drivers.other-cloud", "/home/kubernetes/bin/nvidia", "--set cloud=azure",
        _helm("upgrade", "--set", "cloud=gke", "--wait"),
    ),
    _operator("solution", "", "", "", INSTALL, verdict=DONE),
    _operator(
        "scaled-to-zero", "runs.scaled-to-zero", "scaled to 0", "kubectl scale",
        ("kubectl", "scale", "deployment/tf-job-operator", "--replicas=0"),
    ),
    _operator(
        "no-configmap", "drivers.no-configmap", "no ConfigMap", "helm upgrade --install",
        INSTALL,
        ("kubectl", "delete", "configmap", "tf-job-operator-config"),
    ),
    _operator(
        "definition-deleted", "crd.no-crd", "no CustomResourceDefinition", "Ask who installed",
        INSTALL,
        ("kubectl", "delete", "crd", "tfjobs.tensorflow.org"),
        live=False,
    ),
    _five(
        "trained-without-drivers", "drivers.other", "mounts nothing", "kubectl delete tfjob",
        manifest=SOLUTION_5, trains=True,
        commands=(GONE, _helm("install", "--wait")),
        acts=(Act(ENDED, (*INSTALL, "--namespace", "tf-job-system")),),
    ),
]  # fmt: skip

MODULE5 = [
    Case("5.1", "nothing-made", NOT_STARTED, "exists.none", "no TfJob module5-ex1", "kubectl apply",
         live=True),
    _five("other-namespace", "exists.elsewhere", "there is one in namespace", "--namespace=",
          verdict=NOT_STARTED, manifest=SOLUTION_5, elsewhere=True),
    Case("5.1", "solution", DONE, manifest=SOLUTION_5, trains=True, live=True),
    _five("starter", "ends.refused.container-name", "are named training", "`name: tensorflow`",
          manifest=MODULE_5 / "starter/exercise-1.yaml", live=True),
    _five("starter-at-once", "container.name", "containers of the MASTER: training",
          "`name: tensorflow`", manifest=MODULE_5 / "starter/exercise-1.yaml", at_once=True),
    _five("vanilla-job", "exists.kind.jobs", "a Job named module5-ex1", "kubectl delete job",
          live=True),
    _five("cronjob", "exists.kind.cronjobs", "a CronJob named", "kubectl delete cronjob"),
    _five("wrong-name", "exists.name.separators", "named module5-ex-1",
          "Change metadata.name to module5-ex1"),
    _five("letter-for-digit", "exists.name.misspelled", "named module5-exl",
          "Change metadata.name to module5-ex1"),
    _five("generated-name", "exists.name.generated", "named module5-ex1-", "generateName"),
    _five("missing-image", "image.misspelled", "fashion-mnits:1.2.0", "fashion-mnist:1.2.0",
          live=True),
    _five("no-tag", "image.no-tag", "has no tag", "fashion-mnist:1.2.0"),
    _five("no-prefix", "image.prefix", "image fashion-mnist:1.2.0 is not on",
          "localhost/fashion-mnist:1.2.0"),
    _five("absent-image", "image.absent", "tensorflow:2.20.0 is not on", "python -m cluster load"),
    _five("invalid-image", "image.invalid", "fashion mnist:1.2.0", "no spaces"),
    _five("pull-policy", "image.pull-policy", "imagePullPolicy: Always", "Drop `imagePullPolicy`",
          live=True),
    _five("other-image", "image.other", "tf-job-operator:1.1.0", "fashion-mnist:1.2.0"),
    _five("too-many-gpus", "gpus.too-many", "asks for 99", "nvidia-gpu: 1"),
    _five("two-gpus", "gpus.count", "asks for 2", "nvidia-gpu: 1"),
    _five("no-gpu", "gpus.none", "no GPU asked for", "nvidia-gpu: 1", live=True),
    _five("gpu-of-another-vendor", "gpus.resource", "amd.com/gpu", "nvidia-gpu: 1"),
    _five("gpu-outside-limits", "ends.refused.gpu-outside-limits", "not under resources.limits",
          "resources: {limits:"),
    _five("gpu-name", "ends.refused.unknown-resource", "nvidia-gpu",
          "`alpha.kubernetes.io/nvidia-gpu`"),
    _five("half-a-gpu", "gpus.amount", "no whole number of GPUs", "nvidia-gpu: 1"),
    _five("two-replicas", "replicas.extra.worker", "1 MASTER, 1 WORKER", "one entry"),
    _five("drivers-by-hand", "host-mounts.by-hand", "/usr/lib/nvidia-384",
          "Delete the hostPath volumes", live=True),
    _five("fifty-steps", "option.value", "--max-steps is 50", '["--max-steps", "500"]', live=True),
    _five("fifty-steps-at-the-end", "trained.steps", "the last step in the log is 50",
          '["--max-steps", "500"]', manifest=MISTAKES / "5.1-fifty-steps.yaml", trains=True),
    _five("no-arguments", "option.missing", "no --max-steps in args", '["--max-steps", "500"]'),
    _five("unquoted-number", "ends.refused.unquoted", "args[1] is 500 without quotes",
          'Write "500" with its quotes', live=True),
    _five("number-at-once", "args.unquoted", "args[1] is 500 without quotes",
          'Write "500" with its quotes', manifest=MISTAKES / "5.1-unquoted-number.yaml",
          at_once=True),
    _five("args-as-text", "ends.refused.one-text", "args is one text",
          'args: ["--max-steps", "500"]'),
    _five("args-as-number", "ends.refused.not-a-list", "args is a number", "Write `args: ["),
    _five("arg-for-args", "ends.refused.unknown-field", "does not know: arg",
          "Correct or delete `arg`"),
    _five("underscore-in-option", "ends.exit.2.option", "unrecognized arguments: --max_steps",
          "--max-steps", trains=True, live=True),
    _five("wrong-option-value", "ends.exit.2.value", "argument --batch-size", "--batch-size",
          trains=True),
    _five("no-such-module", "ends.exit.1.module", "No module named", "the sample image"),
    _five("no-such-command", "ends.program.missing", "train.py", "Leave `command` out", live=True),
    _five("only-words", "trained.program.command", "replaces the image's training program",
          "Take out of the manifest", live=True),
    _five("missing-configmap", "ends.config.missing", "configmap training-settings",
          "kubectl get configmaps"),
    _five("missing-secret", "ends.volume", '"login" not found', "Correct the volume"),
    _five("missing-claim", "ends.claim.missing", "the claim models", "Create the claim models"),
    _five("volume-typo", "ends.refused.volume-missing", "modles", "correct the name"),
    _five("node-selector", "ends.unscheduled.label", "gpu=true", "Drop `nodeSelector`"),
    _five("huge-request", "ends.unscheduled.memory", "more memory than any node",
          "resources.requests.memory"),
    _five("busy-node", "ends.unscheduled.capacity", "other Pods use the cpu", "delete what you no",
          verdict=CONVERGING),
    _five("service-account", "ends.service-account", "ServiceAccount trainer",
          "kubectl create serviceaccount trainer", live=True),
    _five("priority-class", "ends.priority-class", "PriorityClass urgent",
          "Drop `priorityClassName"),
    _five("quota-must-specify", "ends.quota.must-specify", "limits.cpu", "`resources: {limits",
          live=True),
    _five("quota-used-up", "ends.quota.used-up", "quota class is used up", "delete what you no",
          verdict=CONVERGING),
    _five("quota-too-big", "ends.quota.too-big", "more than the quota allows", "Ask for less"),
    _five("limit-range", "ends.limit-range.maximum", "is 500m", "resources.limits.cpu"),
    _five("pod-security-host-path", "ends.pod-security.host-path", "baseline", "another namespace",
          manifest=SOLUTION_5, label="pod-security.kubernetes.io/enforce=baseline"),
    _five("pod-security-settings", "ends.pod-security.settings", "restricted", "securityContext",
          label="pod-security.kubernetes.io/enforce=restricted"),
    _five("not-root", "ends.security.non-root", "must not run as root", "runAsUser"),
    _five("read-only", "ends.security.no-folder", "No usable temporary directory", "emptyDir",
          trains=True),
    _five("little-memory", "ends.memory", "limit of 64Mi", "resources.limits.memory", live=True),
    _five("failing-init-container", "ends.init.exit.1", "no data at /data", "kubectl logs"),
    _five("endless-init-container", "ends.init.running", "init container wait-for-data", "Wait",
          verdict=CONVERGING),
    _five("side-car", "ends.pods-gone.side-car", "log-shipper", "native side-car",
          verdict=COULD_NOT_CHECK, trains=True),
    _five("suspended", "ends.suspended", "suspend is true", "kubectl patch tfjob"),
    _five("managed-by-another", "ends.managed-by", "kueue", "Take managedBy out"),
    _five("short-deadline", "ends.failed.DeadlineExceeded", "DeadlineExceeded",
          "activeDeadlineSeconds"),
    _five("pods-removed", "ends.pods-gone.policy", "cleanPodPolicy: All", "cleanPodPolicy",
          verdict=COULD_NOT_CHECK, trains=True),
    _five("time-to-live", "exists.deleted", "there was one", "ttlSecondsAfterFinished",
          verdict=NOT_STARTED, trains=True),
    _five("slow-learner", "accuracy.low", "test accuracy", "--learning-rate", trains=True),
    _five("training", "ends.training", "step ", "Wait", verdict=CONVERGING, manifest=SOLUTION_5,
          trains=True),
]  # fmt: skip

MODULE6 = [
    Case("6.1", "nothing-made", NOT_STARTED, "exists.none", "no TfJob module6-ex1",
         "kubectl apply"),
    Case("6.1", "solution", DONE, manifest=SOLUTION_6, trains=True, live=True),
    _six("starter", "replicas.missing.worker", "1 MASTER", "3 entries",
         manifest=MODULE_6 / "starter/exercise-1.yaml", live=True),
    _six("one-worker", "replicas.count", "1 MASTER, 1 WORKER, 1 PS", "3 entries"),
    _six("no-ps", "replicas.missing.ps", "1 MASTER, 2 WORKER", "3 entries"),
    _six("evaluator-too", "replicas.extra.evaluator", "1 EVALUATOR", "3 entries"),
    _six("two-masters", "ends.refused.chief-count", "replicas of the MASTER is 2",
         "Set `replicas: 1`", live=True),
    _six("wrong-name", "exists.name.misspelled", "named module6-exl", "to module6-ex1"),
    _six("ps-with-template", "ps.template", "PS has a template", "Delete `template`"),
    _six("other-container", "ends.refused.container-name", "none is named tensorflow",
         "`name: tensorflow`"),
    _six("worker-container-at-once", "container.name", "containers of the WORKER: worker",
         "`name: tensorflow`", manifest=MISTAKES / "6.1-worker-container.yaml", at_once=True),
    _six("worker-without-template", "ends.refused.template-missing", "WORKER has no template",
         "Add `template:`"),
    _six("unquoted-number", "ends.refused.unquoted", "args[1] is 1000 without quotes",
         'Write "1000" with its quotes'),
    _six("number-at-once", "args.unquoted", "args[1] is 1000 without quotes",
         'Write "1000" with its quotes', manifest=MISTAKES / "6.1-unquoted-number.yaml",
         at_once=True),
    _six("missing-image", "image.misspelled", "fashon-mnist", "fashion-mnist:1.2.0"),
    _six("other-image", "image.other", "the WORKER runs image", "fashion-mnist:1.2.0"),
    _six("tf-config-by-hand", "addresses.tf-config", "TF_CONFIG in the manifest",
         "Delete TF_CONFIG"),
    _six("cluster-spec-at-once", "addresses.cluster-spec", "--cluster_spec in the manifest",
         "Delete --cluster_spec", manifest=MISTAKES / "6.1-cluster-spec-by-hand.yaml",
         at_once=True),
    _six("cluster-spec-by-hand", "ends.exit.2.addresses", "--cluster_spec",
         "TF_CONFIG", trains=True),
    _six("few-steps-at-once", "option.value", "--max-steps is 300", '["--max-steps", "1000"]',
         manifest=MISTAKES / "6.1-few-steps.yaml", at_once=True),
    _six("few-steps", "trained.steps", "the last step in the log is 300",
         '["--max-steps", "1000"]', trains=True),
    _six("sleeping-worker", "ends.running", "waiting for worker 0", "Wait", verdict=CONVERGING,
         trains=True),
    _six("only-words", "trained.program.command", "(MASTER)", "Take out of the manifest"),
    _six("dynamic-worker", "ends.exit.1.dynamic", "Cannot use TF_CONFIG",
         "Delete enableDynamicWorker"),
    _six("lost-worker", "workers.too-late", "worker 1 took 0 steps", "kubectl delete tfjob",
         verdict=COULD_NOT_CHECK, manifest=SOLUTION_6, trains=True, acts=_keep_away(BEFORE_STEPS)),
    Case("6.2", "nothing-made", NOT_STARTED, "exists.none", "no TfJob module6-ex2",
         "kubectl apply"),
    # Three times as long as 6.1. Page 6 has it graded on a real cluster each time.
    Case("6.2", "solution", DONE, manifest=SOLUTION_62, trains=True,
         acts=_delete("WORKER", STEPS)),
    Case("6.2", "undisturbed", CONVERGING, "ends.delete-a-worker", "step ", "kubectl delete pod",
         manifest=SOLUTION_62, trains=True),
    Case("6.2", "nobody-deleted", Verdict.WRONG, "replaced.none", "no worker was lost",
         "Delete the Pod of one worker", manifest=SOLUTION_62, trains=True),
    Case("6.2", "deleted-too-early", Verdict.WRONG, "replaced.too-early", "not while",
         "Delete the Pod of one worker", manifest=SOLUTION_62, trains=True,
         acts=_delete("WORKER", "of the cluster", 0, "--grace-period=0", "--force")),
    Case("6.2", "master-deleted", Verdict.WRONG, "replaced.chief", "MASTER",
         "Delete the Pod of one worker", manifest=SOLUTION_62, trains=True,
         acts=_delete("MASTER", STEPS)),
    _copied("never-back", "replaced.not-back", "did not run in time", "more steps", trains=True,
            manifest=SOLUTION_6, acts=_keep_away(STEPS)),
    _copied("one-worker", "replicas.count", "1 MASTER, 1 WORKER, 1 PS", "3 entries"),
    _copied("ps-with-template", "ps.template", "PS has a template", "Delete `template`"),
    _copied("worker-container-at-once", "container.name", "containers of the WORKER: worker",
            "`name: tensorflow`", manifest=MISTAKES / "6.1-worker-container.yaml", at_once=True),
    _copied("number-at-once", "args.unquoted", "args[1] is 1000 without quotes",
            'Write "1000" with its quotes', manifest=MISTAKES / "6.1-unquoted-number.yaml",
            at_once=True),
    _copied("other-image", "image.other", "the WORKER runs image", "fashion-mnist:1.2.0"),
    _copied("tf-config-by-hand", "addresses.tf-config", "TF_CONFIG in the manifest",
            "Delete TF_CONFIG"),
    _copied("only-words", "trained.program.command", "(MASTER)", "Take out of the manifest"),
]  # fmt: skip
ALL = [*OPERATOR, *MODULE5, *MODULE6]
