"""What learners do in module 8: a notebook server, its token and home, its account, and a hub.

``notebooks/edited.sh`` runs the solution's notebook with an edit.
"""

from __future__ import annotations

from typing import Any

from tests.validator.cases import MISTAKES, Typed
from validator.verdicts import Verdict

NOT_STARTED, CONVERGING, WRONG = Verdict.NOT_STARTED, Verdict.CONVERGING, Verdict.WRONG
DONE, BLOCKED, COULD_NOT_CHECK = Verdict.DONE, Verdict.BLOCKED, Verdict.COULD_NOT_CHECK
APPLY = "kubectl apply -f {manifest}"
TOKEN = "kubectl create secret generic module8-ex1 --from-literal=token=not-a-real-one"
SOLUTION_1 = "kubectl apply -f {jupyter}/solution/exercise-1.yaml"
READY = "kubectl rollout status deployment/module8-ex1 --timeout=120s"
SERVED = (TOKEN, SOLUTION_1)
SOLUTION_2 = "kubectl apply -f {jupyter}/solution/exercise-2.yaml"
ACCOUNT = "kubectl set serviceaccount deployment module8-ex1 module8-ex2"
ALLOWED = (*SERVED, SOLUTION_2, ACCOUNT, READY)
EXECUTE = "sh {jupyter}/execute.sh {jupyter}/solution/train.ipynb"
EDITED = "sh {mistakes}/notebooks/edited.sh {mistakes}/notebooks/"
HUB = "helm upgrade --install module8-ex3 {jupyter}/charts/hub"
HUB_3 = HUB + " --values {jupyter}/solution/exercise-3.yaml"
HUB_READY = "kubectl rollout status deployment/module8-ex3 --timeout=120s"
START, STOP = "sh {jupyter}/hub.sh start learner1 ", "sh {jupyter}/hub.sh stop learner1"


def _case(
    exercise: str, name: str, id: str, found: str = "", fix: str = "", *typed: str, **more: Any
) -> Typed:
    if any("{manifest}" in line for line in typed):
        folder = MISTAKES.parent / "cheats/commands" if more.get("cheat") else MISTAKES
        more.setdefault("manifest", folder / f"{exercise}-{name}.yaml")
    more = {"verdict": WRONG, "typed": typed, **more}
    return Typed(exercise, name, id=id, found=found, fix=fix, **more)


def _one(name: str, id: str, found: str = "", fix: str = "", *typed: str, **more: Any) -> Typed:
    return _case("8.1", name, id, found, fix, *(typed or (TOKEN, APPLY)), **more)


def _two(name: str, id: str, found: str = "", fix: str = "", *typed: str, **more: Any) -> Typed:
    return _case("8.2", name, id, found, fix, *(typed or (*SERVED, APPLY)), **more)


def _three(name: str, id: str, found: str = "", fix: str = "", *typed: str, **more: Any) -> Typed:
    return _case("8.3", name, id, found, fix, *(typed or (HUB_3,)), **more)


MODULE8_1 = [
    _one("nothing-made", "exists.none", "no Deployment module8-ex1", "kubectl apply", TOKEN,
         verdict=NOT_STARTED),
    _one("solution", "", "", "", *SERVED, READY, verdict=DONE),
    _one("starter", "exists.refused", "the API server has refused it", "apiVersion: apps/v1",
         "! kubectl apply -f {jupyter}/starter/exercise-1.yaml", live=True),
    _one("wrong-name", "exists.name.misspelled", "modul8-ex1", "metadata.name"),
    _one("other-image", "image.other", "fashion-mnist", "notebook:1.0.0"),
    _one("other-program", "server.other", "http.server", "jupyter, lab"),
    _one("shell", "server.unclear", "beside the server", "jupyter, lab", TOKEN, APPLY, READY,
         verdict=COULD_NOT_CHECK),
    _one("localhost", "server.localhost", "localhost alone", "--ip=0.0.0.0"),
    _one("as-root", "server.root", "runs as root", "runAsUser: 0"),
    _one("empty-token", "token.none-asked", "an empty token", "secretKeyRef"),
    _one("token-in-command", "token.command", "in the command", "secretKeyRef"),
    _one("no-token", "token.missing", "into its log", "secretKeyRef"),
    _one("token-text", "token.text", "in the manifest", "secretKeyRef"),
    _one("two-replicas", "one.replicas", "2 replicas", "replicas: 1"),
    _one("rolling", "one.rolling", "on the same home", "Recreate"),
    _one("no-claim", "bound.none", "no claim module8-home", "kubectl apply"),
    _one("not-mounted", "home.not-mounted", "mounts nothing", "/home/learner"),
    _one("other-path", "home.path", "at /notebooks", "mountPath: /home/learner"),
    _one("no-service", "service.none", "no Service of that name", "kubectl apply"),
    _one("load-balancer", "inside.outside", "of type LoadBalancer", "Delete `type"),
    _one("no-probe", "probe.none", "no readinessProbe", "/api"),
    _one("closed-probe", "probe.path", "asks for /api/status", "path: /api,"),
    _one("no-secret", "ready.config.missing", "secret module8-ex1", "kubectl get",
         SOLUTION_1),
    _one("other-key", "ready.config.key", "the key password", "Correct the key"),
    _one("other-port", "endpoints.port", "sends to port 8080", "targetPort: 8888", TOKEN, APPLY,
         READY),
    _one("configured-open", "locked.open", "with status 200", ".jupyter", TOKEN, APPLY, READY),
]  # fmt: skip
MODULE8_2 = [
    _two("nothing-made", "account.nothing", "no ServiceAccount module8-ex2", "kubectl apply",
         *SERVED, verdict=NOT_STARTED),
    _two("solution", "", "", "", *ALLOWED, EXECUTE, verdict=DONE, trains=True),
    _two("starter", "role.empty", "no rules", "kubectl apply",
         "kubectl apply -f {jupyter}/starter/exercise-2.yaml", live=True),
    _two("no-account", "account.none", "no ServiceAccount", "kubectl apply"),
    _two("other-group", "role.group", "kubeflow.org", "kubectl apply"),
    _two("no-log", "role.subresource", "pods/log", "kubectl apply"),
    _two("only-looks", "role.missing", "create", "kubectl apply"),
    _two("star", "minimal.star", "* tfjobs", "kubectl apply"),
    _two("secrets", "minimal.more", "secrets", "kubectl apply"),
    _two("no-binding", "binding.none", "given to nobody", "kubectl apply"),
    _two("other-namespace", "binding.namespace", "of namespace default", "kubectl apply"),
    _two("default-account", "binding.subject", "ServiceAccount default", "kubectl apply"),
    _two("cluster-admin", "binding.cluster-role", "cluster-admin", "kubectl delete rolebinding"),
    _two("no-server", "runs-as.missing", "no Deployment module8-ex1", "--exercise 1", SOLUTION_2,
         verdict=BLOCKED),
    _two("server-as-default", "runs-as.other", "as ServiceAccount default",
         "kubectl set serviceaccount", *SERVED, SOLUTION_2),
    _two("not-run", "exists.none", "no TfJob module8-ex2", "execute.sh", *ALLOWED,
         verdict=NOT_STARTED),
    _two("by-kubectl", "made.kubectl", "kubectl-client-side-apply", "kubectl delete tfjob",
         *ALLOWED, APPLY, trains=True),
    _two("fewer-steps", "trained.steps", "in the log is 100", "300", *ALLOWED,
         EDITED + "fewer-steps.sed", trains=True),
    _two("container-name", "ends.refused.container-name", "named training", "name: tensorflow",
         *ALLOWED, "! " + EDITED + "container-name.sed", trains=True),
    _two("misspelled-image", "image.misspelled", "fashion-mnits", "fashion-mnist:1.2.0",
         *ALLOWED, "! timeout 20 " + EDITED + "misspelled-image.sed", trains=True),
    _two("no-gpu", "gpus.none", "no GPU asked for", "nvidia.com/gpu: 1", *ALLOWED,
         EDITED + "no-gpu.sed", trains=True),
    _two("not-kept", "mount.not-mounted", "no container mounts it", "volumeMounts", *ALLOWED,
         "! " + EDITED + "not-kept.sed", trains=True),
]  # fmt: skip
MODULE8_3 = [
    _three("nothing-made", "exists.none", "no Helm release module8-ex3", "starter/exercise-3.yaml",
           "kubectl get pods", verdict=NOT_STARTED),
    _three("solution", "", "", "", HUB_3, HUB_READY, START + "gpu", verdict=DONE),
    _three("starter", "users.nobody", "nobody", "learner1",
           HUB + " --values {jupyter}/starter/exercise-3.yaml"),
    _three("wrong-name", "exists.name.misspelled", "modul8-ex3", "install module8-ex3",
           HUB_3.replace("module8", "modul8")),
    _three("without-helm", "exists.no-release.deployments", "no Helm release", "--take-ownership",
           HUB_3.replace("upgrade --install", "template") + " | kubectl apply -f -"),
    _three("install-failed", "release.failed", "revision 1", "helm history module8-ex3",
           "! " + HUB_3 + " --set hubIp=127.0.0.1 --wait --timeout=5s"),
    _three("localhost", "hub.localhost", "listens on 127.0.0.1 alone", "Take `hubIp` out",
           HUB_3 + " --set hubIp=127.0.0.1"),
    _three("other-image", "hub.image", "fashion-mnist:1.2.0", "Take `image` out",
           HUB_3 + " --set image=localhost/fashion-mnist:1.2.0"),
    _three("no-keys", "hub.config.missing", "secret module8-ex3-keys", "kubectl get",
           HUB_3, HUB_READY, "kubectl delete secret module8-ex3-keys",
           "kubectl delete pod --selector=app.kubernetes.io/component=hub"),
    _three("scaled-to-zero", "hub.scaled-to-zero", "scaled to 0", "kubectl scale",
           HUB_3, "kubectl scale deployment/module8-ex3 --replicas=0"),
    _three("other-user", "users.other", "learner2, and not learner1", "[learner1, learner2]",
           HUB_3 + " --set 'users={{learner2}}'"),
    _three("no-storage", "storage.none", "`storage` is empty", "storage: 1Gi",
           HUB_3 + " --set storage="),
    _three("no-profile", "profile.none", "`gpuProfile` is false", "gpuProfile: true",
           HUB_3 + " --set gpuProfile=false"),
    _three("service-leads-nowhere", "answers.no-endpoints", "does not answer yet",
           "kubectl get pods", HUB_3, HUB_READY,
           "kubectl set selector service/module8-ex3 app=hub", verdict=CONVERGING),
    _three("not-started", "server.none", "no server of user learner1", "hub.sh start learner1 gpu",
           HUB_3, HUB_READY, verdict=NOT_STARTED),
    _three("old-home", "server.home", "before `storage` was set", "hub.sh stop learner1",
           HUB_3 + " --set storage=", HUB_READY, START + "plain", HUB_3, HUB_READY),
    _three("no-gpu-free", "server.unscheduled.gpu", "my-training", "Wait until another Pod ends",
           APPLY, HUB_3, HUB_READY, "! timeout 15 " + START + "gpu", alone=True,
           verdict=CONVERGING),
    _three("plain-profile", "gpu.none", "another profile", "hub.sh stop learner1",
           HUB_3, HUB_READY, START + "plain"),
]  # fmt: skip
MODULE8 = [*MODULE8_1, *MODULE8_2, *MODULE8_3]
CHEATS = [
    _one("config-map", "token.config-map", "from a ConfigMap", "secretKeyRef",
         "kubectl create configmap module8-ex1 --from-literal=token=not-a-real-one", APPLY,
         cheat=True),
    _one("own-server", "server.other", "python -c", "jupyter, lab", TOKEN, APPLY, cheat=True),
    _two("by-kubectl-create", "made.kubectl", "kubectl-create", "kubectl delete tfjob", *ALLOWED,
         "kubectl create -f {mistakes}/8.2-by-kubectl.yaml", trains=True, cheat=True),
    _two("printed", "trained.program.command", "replaces the image's training program",
         "Take out of the manifest", *ALLOWED,
         "! " + EDITED + "printed.sed", trains=True, cheat=True),
    _three("own-chart", "hub.other", "http.server", "charts/hub",
           "helm install module8-ex3 {cheats}/8.3-own-chart", cheat=True),
    _three("pod-by-hand", "server.by-hand", "no variable JUPYTERHUB_API_TOKEN",
           "kubectl delete pod", HUB_3, HUB_READY, APPLY, cheat=True),
    _three("pod-with-token", "route.unknown", "does not lead to Pod jupyter-learner1",
           "kubectl delete pod", HUB_3, HUB_READY, APPLY, cheat=True, verdict=CONVERGING),
]  # fmt: skip
