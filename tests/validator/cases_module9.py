"""What learners do in module 9: a model server, its autoscaler, and GPUs that are shared.

``servers/`` has what goes with a mistake: the claim, short trainings, questions, loads.
"""

from __future__ import annotations

from typing import Any

from tests.validator.cases import ENDED, MISTAKES, Act, Typed
from validator.verdicts import Verdict

NOT_STARTED, CONVERGING, WRONG = Verdict.NOT_STARTED, Verdict.CONVERGING, Verdict.WRONG
DONE, BLOCKED, COULD_NOT_CHECK = Verdict.DONE, Verdict.BLOCKED, Verdict.COULD_NOT_CHECK
APPLY = "kubectl apply -f {manifest}"
SERVERS = "kubectl apply -f {mistakes}/servers/"
FURTHER = "modules/9-going-further"
CLAIM, SUSPENDED = f"{SERVERS}claim.yaml", f"{SERVERS}suspended.yaml"
MODEL = (f"{SERVERS}model.yaml",
         "kubectl wait tfjob/module9-model --for=condition=Succeeded --timeout=170s")  # fmt: skip
SOLUTION_1 = "kubectl apply -f {further}/solution/exercise-1.yaml"
READY = "kubectl rollout status deployment/module9-ex1 --timeout=120s"
ASK = (f"{SERVERS}ask.yaml", "kubectl wait job/ask --for=condition=Complete --timeout=120s")
SERVED = (*MODEL, SOLUTION_1, READY)
SOLUTION_2 = "kubectl apply -f {further}/solution/exercise-2.yaml"
MEASURED = "kubectl wait hpa/module9-ex2 --for=condition=ScalingActive --timeout=120s"
LOAD = "kubectl apply -f {further}/manifests/load.yaml"
LOADED = "kubectl wait job/module9-ex2-load --for=condition=Complete --timeout=170s"


# As the solution, with fewer steps.
PATIENT = f"{SERVERS}patient.yaml"
SOLUTION_3 = "kubectl apply -f {further}/solution/exercise-3.yaml"
URGENT_WORDS = ("kubectl", "apply", "-f", f"{FURTHER}/solution/exercise-3-urgent.yaml")
STEP_200 = r"step 200/\d+ loss"
AT_200 = Act(STEP_200, URGENT_WORDS)
DELETE_3 = ("kubectl", "delete", "pods", "--selector=tf_job_name=module9-ex3", "--wait=false")
MADE_AGAIN = (
    "sh",
    "-c",
    'kubectl delete tfjob module9-ex3 "$@" && '
    'kubectl apply -f tests/validator/mistakes/servers/patient.yaml "$@"',
    "sh",
)
SOLUTION_4 = "kubectl apply -f {further}/solution/exercise-4.yaml"
HOLDER = "kubectl apply -f {further}/manifests/holder.yaml"
HELD = ("kubectl wait pods --selector=job-name=module9-ex4-holder --for=condition=Ready "
        "--timeout=60s")  # fmt: skip
UNSCHEDULED = ("kubectl wait podgroup/module9-ex4 "
               "--for=condition=PodGroupInitiallyScheduled=False --timeout=60s")  # fmt: skip
FREE = "kubectl delete job module9-ex4-holder"


def _case(
    exercise: str, name: str, id: str, found: str = "", fix: str = "", *typed: str, **more: Any
) -> Typed:
    if any("{manifest}" in line for line in typed) or not typed:
        folder = MISTAKES.parent / "cheats/commands" if more.get("cheat") else MISTAKES
        more.setdefault("manifest", folder / f"{exercise}-{name}.yaml")
    more = {"verdict": WRONG, "typed": typed or (APPLY,), **more}
    return Typed(exercise, name, id=id, found=found, fix=fix, **more)


def _one(name: str, *rest: str, **more: Any) -> Typed:
    return _case("9.1", name, *rest, **more)


def _two(name: str, *rest: str, **more: Any) -> Typed:
    return _case("9.2", name, *rest, **more)


def _three(name: str, *rest: str, **more: Any) -> Typed:
    return _case("9.3", name, *rest, alone=True, trains=True, **more)


def _four(name: str, *rest: str, **more: Any) -> Typed:
    return _case("9.4", name, *rest, alone=True, trains=True, **more)


MODULE9_1 = [
    _one("nothing-made", "exists.none", "no Deployment module9-ex1", "kubectl apply", CLAIM,
         verdict=NOT_STARTED),
    _one("solution", "", "", "", *SERVED, *ASK, verdict=DONE, trains=True, live=True),
    _one("starter", "model.no-number", "looks for folders with a number",
         "mountPath: /models/fashion-mnist/1", CLAIM,
         "kubectl apply -f {further}/starter/exercise-1.yaml", live=True),
    _one("statefulset", "exists.kind.statefulsets", "found a StatefulSet", "Write a Deployment"),
    _one("wrong-name", "exists.name.misspelled", "modul9-ex1", "metadata.name"),
    _one("other-image", "image.other", "tf-job-operator", "fashion-mnist:1.2.0", CLAIM, APPLY),
    _one("no-command", "server.no-command", "the image trains", "fashion_mnist.serve", CLAIM,
         APPLY),
    _one("other-program", "server.other", "tensorflow_model_server", "fashion_mnist.serve", CLAIM,
         APPLY),
    _one("shell", "", "", "", *MODEL, APPLY, READY, *ASK, trains=True, verdict=DONE),
    _one("no-claim", "bound.none", "no claim module9-models", "kubectl apply", SOLUTION_1),
    _one("not-mounted", "model.not-mounted", "mounts nothing", "volumeMount", CLAIM, APPLY),
    _one("other-folder", "model.folder", "subPath is model-1/model",
         "subPath: module9-model/model", SUSPENDED, APPLY),
    _one("version", "model.version", "v1 is no version", "/models/fashion-mnist/1", CLAIM, APPLY),
    _one("other-name", "model.name", "the model's name is mnist", "MODEL_NAME", CLAIM, APPLY),
    _one("beside", "model.path", "at /srv/model", "mountPath: /models/fashion-mnist/1", CLAIM,
         APPLY),
    _one("writable", "model.writable", "could write", "readOnly: true", CLAIM, APPLY),
    _one("no-service", "service.none", "no Service of that name", "kubectl apply", CLAIM, APPLY),
    _one("probe-root", "probe.path", "asks for /,", "/v1/models/fashion-mnist", CLAIM, APPLY),
    _one("no-probe", "probe.none", "no readinessProbe", "/v1/models/fashion-mnist", CLAIM, APPLY),
    _one("training", "origin.training", "has not succeeded", "kubectl get tfjob", SUSPENDED,
         SOLUTION_1, verdict=CONVERGING),
    _one("little-memory", "ready.memory", "its limit of 128Mi", "resources.limits.memory", *MODEL,
         APPLY, trains=True),
    _one("grpc-port", "endpoints.port", "sends to port 8500", "targetPort: 8501", *MODEL, APPLY,
         READY, trains=True),
    _one("not-asked", "asked.none", "nobody has asked", "fashion_mnist.ask", *SERVED,
         verdict=CONVERGING, trains=True),
    _one("refused", "asked.refused", "INVALID_ARGUMENT", "28 × 28 × 1", *SERVED,
         f"{SERVERS}refused.yaml", trains=True),
]  # fmt: skip
MODULE9_2 = [
    _two("nothing-made", "exists.none", "no HorizontalPodAutoscaler module9-ex2", "kubectl apply",
         CLAIM, verdict=NOT_STARTED),
    _two("solution", "", "", "", *SERVED, SOLUTION_2, LOAD, LOADED, verdict=DONE, trains=True),
    _two("starter", "target.name", "it scales Deployment server", "module9-ex1",
         "kubectl apply -f {further}/starter/exercise-2.yaml", live=True),
    _two("wrong-name", "exists.name.separators", "module9-ex-2", "metadata.name"),
    _two("statefulset", "target.kind", "it scales StatefulSet", "module9-ex1"),
    _two("memory", "metric.other", "it looks at memory", "cpu"),
    _two("amount", "metric.kind", "an amount of CPU", "Utilization"),
    _two("no-metrics", "metric.value", "it wants 80 %", "averageUtilization: 50"),
    _two("one-replica", "bounds.most", "maxReplicas is 1", "maxReplicas: 3"),
    _two("two-at-least", "bounds.least", "minReplicas is 2", "minReplicas: 1"),
    _two("no-server", "request.missing", "no Deployment module9-ex1", "--exercise 1", SOLUTION_2,
         verdict=BLOCKED),
    _two("no-request", "request.no-request", "requests no CPU", "requests: {cpu: 200m}", SUSPENDED,
         f"{SERVERS}no-request.yaml", SOLUTION_2),
    _two("unknown", "measured.unknown", "no measurement yet", "kubectl get pods", SUSPENDED,
         SOLUTION_1, SOLUTION_2, verdict=CONVERGING),
    _two("no-load", "load.none", "there is no load", "load.yaml", *SERVED, SOLUTION_2, MEASURED,
         verdict=CONVERGING, trains=True),
    _two("load-address", "load.address", "it asks 10.244.0.9", "kubectl delete job", *SERVED,
         SOLUTION_2, MEASURED, f"{SERVERS}load-address.yaml", trains=True),
    _two("load-short", "load.short", "it asks for 5 seconds", "kubectl delete job", *SERVED,
         SOLUTION_2, MEASURED, f"{SERVERS}load-short.yaml", trains=True),
    _two("load-option", "load.exit.2.option", "unrecognized arguments", "kubectl delete job",
         *SERVED, SOLUTION_2, MEASURED, f"{SERVERS}load-option.yaml", trains=True),
    _two("waiting", "scaled.waiting", "nothing is scaled yet", "Wait", *SERVED, SOLUTION_2,
         MEASURED, LOAD, verdict=CONVERGING, trains=True),
]  # fmt: skip
MODULE9_3 = [
    _three("nothing-made", "exists.none", "no TfJob module9-ex3", "kubectl apply", CLAIM,
           verdict=NOT_STARTED),
    _three("solution", "", "", "", SOLUTION_3, acts=(AT_200,), verdict=DONE),
    _three("starter", "bound.none", "no claim module9-models", "into your manifest",
           "kubectl apply -f {further}/starter/exercise-3.yaml"),
    _three("wrong-name", "exists.name.misspelled", "modul9-ex3", "metadata.name"),
    _three("two-replicas", "ends.refused.chief-count", "refused the TfJob", "MASTER"),
    _three("worker-too", "replicas.extra.worker", "1 WORKER", "one entry"),
    _three("container-name", "ends.refused.container-name", "named training",
          "name: tensorflow"),
    _three("unquoted-number", "ends.refused.unquoted", "without quotes", 'Write "1500"'),
    _three("other-image", "image.other", "tf-job-operator", "fashion-mnist:1.2.0"),
    _three("no-volume", "mount.no-volume", "no volume of the claim", "Under template.spec"),
    _three("two-gpus", "gpus.count", "asks for 2", "nvidia.com/gpu: 3"),
    _three("rare-checkpoints", "option.value", "--checkpoint-every is 500",
           '["--checkpoint-every", "100"]'),
    _three("class-too", "priority.patient", "of equals, none makes way",
           "Delete priorityClassName"),
    _three("no-urgent", "urgent.none", "no TfJob module9-ex3-urgent yet", "Then apply", SOLUTION_3,
           verdict=CONVERGING),
    _three("urgent-without-class", "urgent.class", "it waits like any other",
           "priorityClassName: workshop-urgent", SOLUTION_3,
           "kubectl apply -f {further}/starter/exercise-3-urgent.yaml"),
    _three("urgent-misspelled", "urgent.no-such-class", "workshop-urgnet", "workshop-urgent",
           SOLUTION_3, f"{SERVERS}urgent-misspelled.yaml"),
    _three("urgent-fits", "urgent.gpus", "it fits beside the other", "GPUs of its container to 2",
           SOLUTION_3, f"{SERVERS}urgent-one-gpu.yaml"),
    _three("makes-way", "ends.makes-way", "its next one waits", "Wait", SOLUTION_3, acts=(AT_200,),
           verdict=CONVERGING),
    _three("deleted-by-hand", "preempted.deleted", "did not make way", "after step 200",
           PATIENT, acts=(Act(STEP_200, DELETE_3), Act(ENDED, URGENT_WORDS))),
]  # fmt: skip
MODULE9_4 = [
    _four("nothing-made", "exists.none", "no TfJob module9-ex4", "kubectl apply", CLAIM,
          verdict=NOT_STARTED),
    _four("solution", "", "", "", HOLDER, HELD, SOLUTION_4, UNSCHEDULED, FREE, verdict=DONE),
    _four("starter", "group.none", "no PodGroup module9-ex4", "kind: PodGroup", HOLDER, HELD,
          "kubectl apply -f {further}/starter/exercise-4.yaml"),
    _four("one-worker", "replicas.count", "1 WORKER", "2 entries"),
    _four("container-name", "ends.refused.container-name", "named training",
          "name: tensorflow"),
    _four("other-image", "image.other", "tf-job-operator", "fashion-mnist:1.2.0"),
    _four("two-gpus", "gpus.count", "asks for 2 GPUs", "nvidia.com/gpu: 1"),
    _four("two-of-three", "group.count", "minCount 2", "kubectl delete podgroup",
          HOLDER, HELD, APPLY),
    _four("basic", "group.basic", "start one by one", "kubectl delete podgroup",
          HOLDER, HELD, APPLY),
    _four("no-members", "members.none", "is in no group", "podGroupName: module9-ex4", HOLDER,
          HELD, APPLY),
    _four("master-alone", "members.some", "the WORKER is in no group", "each replica", HOLDER,
          HELD, APPLY),
    _four("other-group", "members.other", "the group module9-gang", "podGroupName: module9-ex4"),
    _four("no-holder", "waited.not", "started at once", "kubectl delete podgroup", APPLY),
    _four("held", "ends.gang-waits", "minCount (3)", "kubectl delete job module9-ex4-holder",
          HOLDER, HELD, SOLUTION_4, verdict=CONVERGING),
]  # fmt: skip
MODULE9 = [*MODULE9_1, *MODULE9_2, *MODULE9_3, *MODULE9_4]
CHEATS = [
    _one("own-server", "server.other", "it runs `python -c", "fashion_mnist.serve", CLAIM, APPLY,
         cheat=True),
    _one("model-of-a-job", "origin.unknown", "no TfJob", "as the page shows", CLAIM, APPLY,
         "kubectl wait job/elsewhere --for=condition=Complete --timeout=170s", SOLUTION_1, READY,
         *ASK, verdict=COULD_NOT_CHECK, cheat=True, trains=True),
    _two("scaled-by-hand", "load.program", "it runs `sleep 60`", "load.yaml", *SERVED, SOLUTION_2,
         MEASURED, f"{SERVERS}load-program.yaml",
         "kubectl scale deployment/module9-ex1 --replicas=3", cheat=True, trains=True),
    _two("load-before", "scaled.after", "before the autoscaler was made", "load.yaml", *SERVED,
         LOAD, LOADED, "kubectl scale deployment/module9-ex1 --replicas=3", SOLUTION_2,
         "kubectl wait hpa/module9-ex2 --for=jsonpath={{.status.lastScaleTime}} --timeout=120s",
         cheat=True, trains=True),
    _three("second-run", "preempted.none", "trained to the end", "after step 200", PATIENT,
           acts=(Act(STEP_200, MADE_AGAIN), Act(ENDED, URGENT_WORDS)), cheat=True),
    _three("deleted-by-hand", "preempted.deleted", "did not make way", "after step 200",
           PATIENT, acts=(Act(STEP_200, DELETE_3), Act(ENDED, URGENT_WORDS)), cheat=True),
    _four("sleeping", "trained.program.command", "replaces the image's training program",
          "Take out of the manifest", HOLDER, HELD, APPLY, UNSCHEDULED, FREE, cheat=True),
    _four("group-later", "waited.late-group", "was made after the Pods", "PodGroup first",
          f"{SERVERS}gang-without-group.yaml", "sleep 6; kubectl apply -f {manifest}",
          cheat=True),
]  # fmt: skip
