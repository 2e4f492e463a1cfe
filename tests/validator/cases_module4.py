"""What learners do in module 4, as commands: the worlds of Helm's exercises.

A mistake in a chart is a folder of `mistakes/` with the files that differ from the solution's.
"""

from __future__ import annotations

from typing import Any

from tests.validator.cases import MISTAKES, Typed
from validator.verdicts import Verdict

NOT_STARTED, CONVERGING, WRONG = Verdict.NOT_STARTED, Verdict.CONVERGING, Verdict.WRONG
DONE = Verdict.DONE


ONE = "helm upgrade --install module4-ex1 {tensorboard}"
TITLE, PORT = " --set windowTitle='Hello MLADS'", " --set service.port=8080"
INSTALL_1 = ONE + TITLE + PORT
INSTALL_2 = "helm install module4-ex2 {chart}"
UPGRADE_2 = "helm upgrade module4-ex2 {chart} --set maxSteps=100"


def _one(name: str, id: str, found: str, fix: str, *typed: str, **more: Any) -> Typed:
    return Typed("4.1", name, **{"verdict": WRONG, **more}, id=id, found=found, fix=fix,
                 typed=typed)  # fmt: skip


def _two(name: str, id: str, found: str, fix: str, *typed: str, **more: Any) -> Typed:
    """A mistake in a copy of the solution, where a folder of its name is among the mistakes."""
    folder = MISTAKES / f"4.2-{name}"
    more = {"verdict": WRONG, "manifest": folder if folder.is_dir() else None, **more}
    commands = typed or (INSTALL_2, UPGRADE_2)
    return Typed("4.2", name, **more, id=id, found=found, fix=fix, typed=commands)


MODULE4 = [
    _one("nothing-made", "exists.none", "no Helm release module4-ex1", "--set service.port=8080",
         verdict=NOT_STARTED),
    _one("solution", "", "", "", INSTALL_1, verdict=DONE),
    _one("wrong-name", "exists.name.separators", "named module4ex1", "install module4-ex1",
         "helm install module4ex1 {tensorboard}" + TITLE + PORT),
    _one("without-helm", "exists.no-release.deployments", "no Helm release", "--take-ownership",
         "helm template module4-ex1 {tensorboard} --no-hooks" + TITLE + PORT
         + " | kubectl apply -f -", live=True),
    _one("uninstalled", "exists.uninstalled", "has been uninstalled", "helm upgrade --install",
         INSTALL_1, "helm uninstall module4-ex1 --keep-history", verdict=NOT_STARTED),
    _one("install-interrupted", "release.pending-install", "pending-install",
         "helm uninstall --wait module4-ex1",
         "! timeout -s KILL 2 " + INSTALL_1 + " --set existingClaim=models --wait",
         verdict=CONVERGING),
    _one("install-failed", "release.failed", "revision 1 of Helm release module4-ex1 has failed",
         "helm history module4-ex1",
         "! " + INSTALL_1 + " --set existingClaim=models --wait --timeout=3s"),
    _one("changed-by-hand", "release.upgrade-failed", "revision 2", "--force-conflicts",
         INSTALL_1, "kubectl set image deployment/module4-ex1 tensorboard=tensorboard:2",
         "! " + INSTALL_1),
    _one("no-title", "value.windowTitle.default", "windowTitle is TensorBoard", "Hello MLADS",
         ONE + PORT),
    _one("lost-title", "value.windowTitle.lost", "again in revision 2", "--reuse-values",
         ONE + TITLE, ONE + PORT, live=True),
    _one("quotes-in-title", "value.windowTitle.other", '"Hello MLADS"', "Hello MLADS",
         ONE + " --set windowTitle='\"Hello MLADS\"'" + PORT),
    _one("no-port", "value.service.port.default", "service.port is 80", "service.port=8080",
         ONE + TITLE),
    _one("lost-port", "value.service.port.lost", "again in revision 2", "--reuse-values",
         ONE + PORT, ONE + TITLE),
    _one("other-port", "value.service.port.other", "service.port is 8088", "service.port=8080",
         ONE + TITLE + " --set service.port=8088"),
    _one("service-deleted", "value.service.port.none", "no services any more", "helm upgrade",
         INSTALL_1, "kubectl delete service module4-ex1"),
    _one("missing-claim", "deployment.ready.claim.missing", "the claim models", "Create the claim",
         INSTALL_1 + " --set existingClaim=models"),
    _one("missing-image", "deployment.ready.image.misspelled", "fashion-mnits", "fashion-mnist",
         INSTALL_1 + " --set image=localhost/fashion-mnits:1.2.0"),
    _one("scaled-to-zero", "deployment.ready.scaled-to-zero", "scaled to 0", "kubectl scale",
         INSTALL_1, "kubectl scale deployment/module4-ex1 --replicas=0"),
    _one("service-leads-nowhere", "answers.no-endpoints", "does not answer yet", "kubectl get pods",
         INSTALL_1, "kubectl set selector service/module4-ex1 app=module4", verdict=CONVERGING),
    _two("nothing-made", "exists.none", "no Helm release module4-ex2", "starter/module4-ex2",
         "kubectl get pods", verdict=NOT_STARTED),
    _two("solution", "", "", "", INSTALL_2, UPGRADE_2, verdict=DONE, trains=True),
    _two("without-helm", "exists.no-release.jobs", "a Job named module4-ex2", "--take-ownership",
         "helm template module4-ex2 {starter} | kubectl apply -f -"),
    _two("number-at-once", "release.failed", "revision 1", "`quote`",
         "! helm install module4-ex2 {chart}", manifest=MISTAKES / "4.2-unquoted-number"),
    _two("unquoted-number", "release.upgrade-failed", "revision 2", "`quote`",
         "helm install module4-ex2 {solution}", "! " + UPGRADE_2),
    _two("fixed-name", "release.fixed-name", "Job module4-ex2 is still that of",
         "{{ .Release.Name }}-{{ .Release.Revision }}", INSTALL_2, "! " + UPGRADE_2, live=True),
    _two("hook", "jobs.none", "has no Job", "helm.sh/hook", trains=True),
    _two("scaffold", "jobs.deployment", "a Deployment (module4-ex2-nginx)", "Delete from templ"),
    _two("no-labels", "labels.missing", "has no label app.kubernetes.io/instance",
         "app.kubernetes.io/instance: {{ .Release.Name }}"),
    _two("other-labels", "labels.other", "app.kubernetes.io/instance: training",
         "app.kubernetes.io/instance: {{ .Release.Name }}"),
    _two("missing-image", "job.image.misspelled", "fashion-mnits", "fashion-mnist",
         "helm install module4-ex2 {chart} --set image=localhost/fashion-mnits:1.2.0"),
    _two("other-image", "job.image.other", "tf-job-operator:1.1.0", "fashion-mnist:1.2.0"),
    _two("exponent", "job.ends.exit.2.value", "1e2", "helm upgrade --install module4-ex2",
         INSTALL_2, "helm upgrade module4-ex2 {chart} --set maxSteps=1e2", trains=True),
    _two("one-word", "job.ends.exit.2.one-word", "unrecognized arguments", "helm upgrade",
         trains=True),
    _two("only-installed", "revision.first", "at revision 1", "maxSteps=100", INSTALL_2,
         trains=True),
    _two("nothing-new", "revision.unchanged", "Job module4-ex2 is that of revision 1",
         "{{ .Release.Name }}-{{ .Release.Revision }}",
         INSTALL_2 + " --set maxSteps=100", UPGRADE_2, trains=True,
         manifest=MISTAKES / "4.2-fixed-name"),
    _two("fixed-steps", "steps.value", "--max-steps 50", "{{ .Values.maxSteps | quote }}",
         trains=True),
    _two("no-arguments", "steps.missing", "no number of steps", "{{ .Values.maxSteps | quote }}",
         trains=True),
    _two("few-lines", "job.trained.log.few-lines", "2 step lines", "--log-every",
         verdict=Verdict.COULD_NOT_CHECK, trains=True),
    _two("only-words", "job.trained.program.command", "replaces the image's training program",
         "helm upgrade", trains=True),
]  # fmt: skip

FORGED = (
    "kubectl create secret generic sh.helm.release.v1.{name}.v2 --type=helm.sh/release.v1",
    "kubectl label secret sh.helm.release.v1.{name}.v2 "
    "owner=helm name={name} status=deployed version=2",
)


def _forged(name: str) -> tuple[str, ...]:
    """What makes a Secret that looks like Helm's."""
    return tuple(line.replace("{name}", name) for line in FORGED)


# None of them is done. A Secret and marks that are forged without a fault cannot be seen.
CHEATS = [
    _one("forged-secret", "value.windowTitle.none", "no deployments", "helm upgrade",
         *_forged("module4-ex1"),
         "helm template module4-ex1 {tensorboard} --no-hooks" + TITLE + PORT
         + " | kubectl apply -f -", cheat=True),
    _two("forged-secret", "jobs.none", "has no Job", "helm upgrade", *_forged("module4-ex2"),
         "helm template module4-ex2 {chart} --set maxSteps=100 | kubectl apply -f -", cheat=True),
    _two("rendered", "exists.none", "no Helm release module4-ex2", "helm install",
         "helm template module4-ex2 {chart} --set maxSteps=100 | kubectl apply -f -",
         verdict=NOT_STARTED, cheat=True),
    _two("two-releases", "exists.none", "no Helm release module4-ex2", "helm install",
         "helm install module4-ex2-50 {chart}",
         "helm install module4-ex2-100 {chart} --set maxSteps=100",
         verdict=NOT_STARTED, cheat=True),
]  # fmt: skip
PLAYED = [*MODULE4, *CHEATS]
