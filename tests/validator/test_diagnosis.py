"""The first broken link between a TfJob and its end, each with its own hint."""

import pytest

from tests.validator import world
from tests.validator.world import pod_status, spoiled, terminated, unschedulable, waiting
from validator.diagnosis import diagnose
from validator.hints import CONTAINER_HINTS
from validator.verdicts import Verdict


def diagnosis(*changes):
    seen = spoiled(*changes)
    return diagnose(seen, seen.items("tfjobs")[0])


def spec(**fields):
    def change(data):
        world.running(data)
        data["objects"]["tfjobs"][0]["spec"].update(fields)

    return change


def status(**fields):
    return lambda data: data["objects"]["tfjobs"][0].update(status=fields)


def failed(reason, message=""):
    said = {"type": "Failed", "status": "True", "reason": reason, "message": message}
    return status(phase="Failed", state="Failed", conditions=[said])


def without(*kinds):
    return lambda data: data["objects"].update({kind: [] for kind in kinds})


def event(about, reason, message):
    happened = {"involvedObject": {"uid": f"uid-{about}"}, "reason": reason, "message": message}
    return lambda data: data["objects"]["events"].append(happened)


def claim(phase):
    made = {"metadata": world.metadata("models"), "status": {"phase": phase}}
    return lambda data: data["objects"].update(persistentvolumeclaims=[made])


def mounts_claim(data):
    volume = {"name": "m", "persistentVolumeClaim": {"claimName": "models"}}
    data["objects"]["pods"][0]["spec"]["volumes"].append(volume)


def busy_gpus(data):
    unschedulable("0/1 nodes are available: 1 Insufficient alpha.kubernetes.io/nvidia-gpu.")(data)


def ninety_gpus(data):
    busy_gpus(data)
    data["objects"]["pods"][0]["spec"]["containers"][0]["resources"] = {"limits": {world.GPU: 90}}


NO_CLAIM = 'persistentvolumeclaim "models" not found'
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
RUNNING = {"name": "tensorflow", "state": {"running": {}}}


def test_a_job_that_succeeded_has_no_broken_link():
    assert diagnosis() is None


@pytest.mark.parametrize(
    ("changes", "verdict", "found", "hint"),
    [
        pytest.param(
            [spec(runPolicy={"suspend": True})], Verdict.WRONG, "suspend", "false", id="suspended"
        ),
        pytest.param(
            [spec(runPolicy={"managedBy": "x"})], Verdict.WRONG, "managedBy", "take", id="managed"
        ),
        pytest.param([status()], Verdict.WRONG, "without a status", "logs", id="never looked at"),
        pytest.param(
            [status(), lambda data: data.update(taken="2026-01-31T11:59:51Z")],
            Verdict.CONVERGING,
            "is new",
            "wait",
            id="just created",
        ),
        pytest.param(
            [failed("InvalidSpec", "no replicaSpecs")],
            Verdict.WRONG,
            "no replicaSpecs",
            "apply again",
            id="refused by the operator, in its words",
        ),
        pytest.param(
            [failed("InvalidTemplate", "unknown field imagee")],
            Verdict.WRONG,
            "imagee",
            "mend that field",
            id="a template that the API refuses",
        ),
        pytest.param(
            [failed("DeadlineExceeded", "too slow")],
            Verdict.WRONG,
            "DeadlineExceeded",
            "kubectl describe",
            id="failed for a reason of its own",
        ),
        pytest.param(
            [
                world.running,
                without("jobs", "pods"),
                event("module5-ex1", "FailedCreate", "pods is forbidden: exceeded quota: q"),
            ],
            Verdict.WRONG,
            "exceeded quota",
            "kubectl get tfjobs",
            id="a quota stops the Job",
        ),
        pytest.param(
            [
                world.running,
                without("pods"),
                event(world.CHILD, "FailedCreate", "pods x is forbidden: violates PodSecurity"),
            ],
            Verdict.WRONG,
            "PodSecurity",
            "privileged",
            id="Pod Security stops the Pod",
        ),
        pytest.param(
            [world.running, without("pods")], Verdict.CONVERGING, "Running", "wait", id="no Pod yet"
        ),
        pytest.param(
            [busy_gpus], Verdict.CONVERGING, "waits for a GPU", "free one", id="GPUs busy"
        ),
        pytest.param(
            [ninety_gpus], Verdict.WRONG, "asks for 90", "nvidia-gpu: 1", id="too many GPUs"
        ),
        pytest.param(
            [unschedulable(NO_CLAIM), mounts_claim],
            Verdict.WRONG,
            "claim models, which does not exist",
            "create the PersistentVolumeClaim",
            id="no such claim",
        ),
        pytest.param(
            [
                unschedulable(UNBOUND),
                mounts_claim,
                claim("Pending"),
                event("models", "ProvisioningFailed", "storageclass x not found"),
            ],
            Verdict.WRONG,
            "storageclass x not found",
            "storageClassName",
            id="a claim that does not bind",
        ),
        pytest.param(
            [unschedulable("0/1 nodes are available: 1 Insufficient memory.")],
            Verdict.WRONG,
            "Insufficient memory",
            "resources.requests",
            id="too much memory asked for",
        ),
        pytest.param(
            [pod_status(waiting("ContainerCreating"))],
            Verdict.CONVERGING,
            "starting",
            "wait",
            id="creating the container",
        ),
        pytest.param(
            [
                pod_status(waiting("ContainerCreating")),
                event(f"{world.CHILD}-x", "FailedMount", "configmap x not found"),
            ],
            Verdict.WRONG,
            "configmap x not found",
            "correct the volume",
            id="a volume that is not there",
        ),
        pytest.param(
            [pod_status(RUNNING)], Verdict.CONVERGING, "step 500/500", "--watch", id="training"
        ),
        pytest.param(
            [pod_status(terminated(137, "OOMKilled"))],
            Verdict.WRONG,
            "OOMKilled",
            "limits.memory",
            id="out of memory",
        ),
        pytest.param(
            [pod_status(terminated(1, "Error"))],
            Verdict.WRONG,
            "exit code 1: saved model to",
            "kubectl logs",
            id="an exit code that is permanent, with the last line",
        ),
        pytest.param(
            [pod_status(terminated(143, "Error"))],
            Verdict.CONVERGING,
            "exit code 143",
            "tries again",
            id="an exit code that is retried",
        ),
    ],
)
def test_the_first_broken_link(changes, verdict, found, hint):
    finding = diagnosis(*changes)
    assert finding.verdict is verdict, finding
    assert found in finding.found, finding
    assert hint in finding.next_step, finding


@pytest.mark.parametrize("reason", CONTAINER_HINTS)
def test_every_reason_of_a_container_has_a_hint(reason):
    """Names with braces come from a learner and must not be taken for a format."""
    finding = diagnosis(pod_status(waiting(reason, "{image} of {nobody}")))
    assert finding.verdict is Verdict.WRONG
    assert finding.next_step


def test_a_namesakes_pods_are_not_taken_for_the_jobs_own():
    def older(data):
        pod_status(waiting("ErrImagePull"))(data)
        data["objects"]["jobs"][0]["metadata"]["ownerReferences"][0]["uid"] = "of-the-deleted-one"

    assert diagnosis(older).verdict is Verdict.CONVERGING
