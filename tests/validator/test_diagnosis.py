"""The first broken link between an object and its end: its verdict, its cause, its age."""

import pytest

from tests.validator import world
from tests.validator.world import (
    at_work,
    failed,
    happened,
    later,
    pod_status,
    running,
    spoiled,
    terminated,
    waiting,
    without,
)
from validator import diagnosis
from validator.verdicts import Verdict

WRONG, CONVERGING = Verdict.WRONG, Verdict.CONVERGING
COULD_NOT, BLOCKED = Verdict.COULD_NOT_CHECK, Verdict.BLOCKED
FORBIDDEN = 'Error creating: pods "x" is forbidden: '
USED_UP = FORBIDDEN + "exceeded quota: class, requested: pods=1, used: pods=4, limited: pods=4"


def of_tfjob(*changes):
    seen = spoiled(*changes)
    return diagnosis.of_tfjob(seen, seen.items("tfjobs")[0])


def spec(**fields):
    def change(data):
        running(data)
        data["objects"]["tfjobs"][0]["spec"].update(fields)

    return change


def status(**fields):
    return lambda data: data["objects"]["tfjobs"][0].update(status=fields)


def not_created(reason, message):
    said = world.condition("Created", "False", reason, message)
    return status(phase="Creating", conditions=[said])


def operator(**fields):
    return lambda data: data["operator"].update(fields)


def log(*lines):
    written = "\n".join(f"2026-01-31T12:00:0{n}Z {line}" for n, line in enumerate(lines))
    return lambda data: data["logs"].update({f"{world.POD}/tensorflow": world.whole(written)})


def command(*words):
    def change(data):
        data["objects"]["pods"][0]["spec"]["containers"][0]["command"] = list(words)

    return change


def init(state, native=False, name="prepare", **more):
    """An init container in this state, before the containers."""

    def change(data):
        pod = data["objects"]["pods"][0]
        policy = {"restartPolicy": "Always"} if native else {}
        pod["spec"]["initContainers"] = [{"name": name, "image": "no/such:1", **policy}]
        pod["status"]["initContainerStatuses"] = [{"name": name, "state": state, **more}]

    return change


def beside(state, name="side"):
    """A second container in this state."""

    def change(data):
        pod = data["objects"]["pods"][0]
        pod["spec"]["containers"].append({"name": name, "image": world.IMAGE})
        pod["status"]["containerStatuses"].append({"name": name, "state": state})

    return change


def pod_field(**fields):
    return lambda data: data["objects"]["pods"][0]["status"].update(fields)


def unbegun(data):
    """The log and the Pod's status are not there yet."""
    data["logs"] = {}


def node(**fields):
    return lambda data: data["objects"]["nodes"][0].update(fields)


def no_node(data):
    data["objects"]["pods"][0]["spec"].pop("nodeName")


def away(data):
    data["objects"]["nodes"][0]["status"]["conditions"] = [world.condition("Ready", "Unknown")]


STARTING = pod_status(waiting("ContainerCreating"), phase="Pending", startTime=world.BEGAN)
TRAINING = pod_status(at_work(), phase="Running")
GONE = "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi."


def test_a_job_that_succeeded_has_no_broken_link():
    assert of_tfjob() is None


@pytest.mark.parametrize(
    ("changes", "verdict", "cause", "found", "fix"),
    [
        pytest.param(
            [spec(runPolicy={"suspend": True})],
            WRONG, "suspended", "suspend is true", "kubectl patch tfjob", id="suspended",
        ),
        pytest.param(
            [spec(runPolicy={"managedBy": "kueue"})],
            WRONG, "managed-by", "kueue", "Take managedBy out", id="handed to someone else",
        ),
        pytest.param(
            [spec(runPolicy={"managedBy": "tensorflow.org/tfjob-operator"}), TRAINING],
            CONVERGING, "training", "step 500/500", "Wait", id="handed to our own operator",
        ),
        pytest.param(
            [running, lambda d: d["objects"]["tfjobs"][0]["metadata"].update(
                deletionTimestamp=world.BEGAN)],
            CONVERGING, "deleting", "is being deleted", "Wait until it is gone",
            id="being deleted before its end",
        ),
        pytest.param(
            [status(), later(-9)],
            CONVERGING, "new", "was just created", "Wait", id="created a second ago",
        ),
        pytest.param(
            [status()],
            WRONG, "unseen", "has not reacted to this TfJob for 70 s",
            "kubectl logs deployment/tf-job-operator --tail=20 --namespace=default",
            id="never looked at by an operator that runs",
        ),
        pytest.param(
            [status(), operator(deployments=[])],
            BLOCKED, "operator", "the operator does not run", "module5 --exercise 0",
            id="no operator at all",
        ),
        pytest.param(
            [not_created("FailedCreate", FORBIDDEN + "no PriorityClass with name u was found"),
             without("jobs", "pods")],
            WRONG, "priority-class", "PriorityClass u", "Drop", id="the condition outlives events",
        ),
        pytest.param(
            [not_created("NameTaken", "Service a exists and is not owned by this TfJob; rename one "
                         "of them"), without("jobs", "pods")],
            WRONG, "name-taken", "Service a exists and is not owned", "RuntimeId",
            id="a child's name is taken",
        ),
        pytest.param(
            [not_created("FailedCreate", USED_UP), without("jobs", "pods")],
            CONVERGING, "quota.used-up", "is used up", "Wait", id="a quota that others use up",
        ),
        pytest.param(
            [running, without("pods"), happened("jobs", "FailedCreate", USED_UP)],
            CONVERGING, "quota.used-up", "is used up", "Wait", id="a Job's quota is used up",
        ),
        pytest.param(
            [running, without("jobs", "pods"), happened("tfjobs", "FailedCreate", USED_UP)],
            CONVERGING, "quota.used-up", "is used up", "Wait", id="a quota of Jobs is used up",
        ),
        pytest.param(
            [running, without("pods")],
            CONVERGING, "no-pod", "has no Pod yet", "Wait", id="no Pod yet",
        ),
        pytest.param(
            [running, without("pods"),
             lambda d: d["objects"]["jobs"][0]["spec"].update(suspend=True)],
            WRONG, "suspended", "Job module5-ex1-master-", "kubectl patch job module5-ex1-master-",
            id="somebody suspended its Job",
        ),
        pytest.param(
            [running, without("pods"), later(400),
             lambda d: d["objects"]["jobs"][0].update(status={})],
            COULD_NOT, "control-plane", "the Job controller of this cluster does not seem to run",
            "python -m cluster up", id="no Pod for six minutes: nobody makes Pods",
        ),
        pytest.param(
            [pod_status(phase="Pending"), no_node],
            CONVERGING, "unscheduled.new", "waits for a node", "Wait", id="not looked at yet",
        ),
        pytest.param(
            [pod_status(phase="Pending"), later(400), no_node],
            COULD_NOT, "control-plane", "the scheduler of this cluster", "python -m cluster status",
            id="not looked at for six minutes: nobody schedules",
        ),
        pytest.param(
            [TRAINING, away],
            CONVERGING, "node-gone", "node node, which is not ready", "Wait",
            id="its node went away a minute ago",
        ),
        pytest.param(
            [TRAINING, away, later(200)],
            COULD_NOT, "node-gone", "is not ready", "python -m cluster up",
            id="its node has been away for three minutes",
        ),
        pytest.param(
            [TRAINING, node(metadata=world.metadata("another", labels={})),
             node(status={"conditions": [world.condition("Ready")]})],
            CONVERGING, "node-gone", "which is gone", "Wait", id="its node was taken away",
        ),
        pytest.param(
            [STARTING], CONVERGING, "starting", "is starting (ContainerCreating)", "Wait",
            id="creating the container",
        ),
        pytest.param(
            [STARTING, happened("pods", "FailedMount", 'configmap "x" not found')],
            WRONG, "volume", 'configmap "x" not found', "Correct the volume",
            id="a volume that is not there",
        ),
        pytest.param(
            [STARTING, later(20), happened("pods", "FailedMount", 'configmap "x" not found')],
            CONVERGING, "volume", 'configmap "x" not found', "Wait",
            id="a volume that may come within the minute",
        ),
        pytest.param(
            [STARTING, happened("pods", "FailedMount", "failed to sync configmap cache")],
            CONVERGING, "starting", "is starting", "Wait", id="a mount that is only late",
        ),
        pytest.param(
            [pod_status(waiting("CreateContainerConfigError", 'secret "sek" not found'),
                        phase="Pending")],
            WRONG, "config.missing", "secret sek", "kubectl get configmaps,secrets",
            id="a variable from a Secret that is not there",
        ),
        pytest.param(
            [pod_status(phase="Pending"), init({"running": {"startedAt": world.BEGAN}},
                                               started=True)],
            CONVERGING, "init.running", "still running its init container prepare", "Wait",
            id="an init container at work is not a side-car",
        ),
        pytest.param(
            [pod_status(waiting("PodInitializing"), phase="Pending"),
             init({"terminated": {"exitCode": 3}})],
            WRONG, "init.exit.3", "init container prepare", "kubectl logs",
            id="an init container that fails",
        ),
        pytest.param(
            [failed("ReplicaFailed", "MASTER 0 cannot be tried again"),
             pod_field(phase="Failed", containerStatuses=[waiting("PodInitializing")]),
             init({"terminated": {"exitCode": 1}})],
            WRONG, "init.exit.1", "has failed (ReplicaFailed): init container prepare",
            "kubectl logs", id="an init container that fails until the TfJob does",
        ),
        pytest.param(
            [pod_status(waiting("PodInitializing"), phase="Pending"),
             init({"waiting": {"reason": "ErrImageNeverPull", "message": ""}})],
            WRONG, "init.image.absent", "(init container prepare)", "Correct `image`",
            id="an init container without its image",
        ),
        pytest.param(
            [TRAINING, init({"running": {}}, native=True, started=True)],
            CONVERGING, "training", "step 500/500", "Wait",
            id="a native side-car is in nobody's way",
        ),
        pytest.param(
            [pod_status(terminated(0), phase="Succeeded"),
             init({"terminated": {"exitCode": 143}}, native=True)],
            CONVERGING, "running", "is running", "Wait",
            id="a native side-car that was ended with its Pod is no fault",
        ),
        pytest.param(
            [pod_status(terminated(0), phase="Running"), beside({"running": {}})],
            CONVERGING, "side-car", "its container side still runs", "native side-car",
            id="a side-car that goes on",
        ),
        pytest.param(
            [failed("DeadlineExceeded", "longer than 60 s"),
             pod_field(phase="Running", containerStatuses=[terminated(0)]),
             beside({"running": {}})],
            WRONG, "side-car", "has failed (DeadlineExceeded): the work in Pod", "native side-car",
            id="a side-car that went on until the deadline",
        ),
        pytest.param(
            [TRAINING, beside({"waiting": {"reason": "CrashLoopBackOff"}})],
            WRONG, "crash-loop", "container side keeps crashing", "--previous",
            id="a side-car that crashes",
        ),
        pytest.param(
            [TRAINING], CONVERGING, "training", "step 500/500", "--watch", id="training",
        ),
        pytest.param(
            [TRAINING, log("waiting for worker 0 at w-0:2222: it does not answer yet")],
            CONVERGING, "running", "waiting for worker 0", "Wait",
            id="before the first step, with the last line, which may name the culprit",
        ),
        pytest.param(
            [TRAINING, log("hello"), command("sleep", "infinity"), later(200)],
            CONVERGING, "running", "no step printed yet: hello", "Wait",
            id="a command may still be the training's shell",
        ),
        pytest.param(
            [TRAINING, log(), command("sleep", "infinity"), later(400)],
            WRONG, "silent", "has printed no step for 7 min: `command` replaces the training",
            "Delete `command`", id="a command that has said nothing for seven minutes",
        ),
        pytest.param(
            [TRAINING, log(), later(400)],
            CONVERGING, "running", "no step printed yet", "Wait",
            id="the image's own program may be slow",
        ),
        pytest.param(
            [TRAINING, log(), command("sh", "-c", "python -m fashion_mnist.train"), later(400)],
            CONVERGING, "running", "no step printed yet", "Wait",
            id="so may it be within a shell",
        ),
        pytest.param(
            [TRAINING, log(), command("python", "-m", "painting.train"), later(400)],
            CONVERGING, "running", "no step printed yet", "Wait", id="and so may the painter",
        ),
        pytest.param(
            [TRAINING, unbegun], CONVERGING, "running", "is running", "Wait",
            id="a log that was not read accuses nobody",
        ),
        pytest.param(
            [pod_status(terminated(137, "OOMKilled"), phase="Failed")],
            WRONG, "memory", "OOMKilled", "limits.memory", id="out of memory",
        ),
        pytest.param(
            [pod_status(terminated(2, "Error"), phase="Failed"),
             log("train.py: error: unrecognized arguments: --max_steps 500")],
            WRONG, "exit.2.option", "exit code 2: train.py: error: unrecognized", "--max-steps",
            id="an option that the program does not know",
        ),
        pytest.param(
            [pod_status(terminated(2, "Error"), phase="Failed"),
             log("train.py: error: unrecognized arguments: --max-steps 500")],
            WRONG, "exit.2.one-word", "exit code 2: train.py: error: unrecognized",
            'Write two, as in ["--max-steps", "500"]', id="option and value in one entry",
        ),
        pytest.param(
            [pod_status(terminated(1, "Error"), phase="Failed"),
             log("OSError: [Errno 30] Read-only file system: '/tmp/model'")],
            WRONG, "security.read-only", "read-only root file system", "emptyDir",
            id="a read-only root, by the program's last line",
        ),
        pytest.param(
            [pod_status(terminated(127, "Error"), phase="Failed")],
            WRONG, "exit.127", "exit code 127", "does not exist", id="a program that is not there",
        ),
        pytest.param(
            [pod_status(terminated(126, "Error"), phase="Failed")],
            WRONG, "exit.126", "exit code 126", "may not be run", id="a file that may not be run",
        ),
        pytest.param(
            [pod_status(terminated(143, "Error"), phase="Failed")],
            CONVERGING, "exit.143", "exit code 143", "is tried again",
            id="an exit code that is tried again",
        ),
        pytest.param(
            [failed("BackoffLimitExceeded", "tried 6 times"),
             pod_field(phase="Failed", containerStatuses=[terminated(139, "Error")])],
            WRONG, "exit.139", "(BackoffLimitExceeded): container tensorflow", "segmentation fault",
            id="an exit code that is not tried again any more",
        ),
        pytest.param(
            [failed("BackoffLimitExceeded", "tried 6 times"),
             pod_field(phase="Failed", containerStatuses=[terminated(137, "Error")])],
            WRONG, "exit.137", "exit code 137", "killed from outside", id="killed, and given up",
        ),
        pytest.param(
            [pod_status(waiting("CrashLoopBackOff", "back-off 40s",
                                lastState={"terminated": {"exitCode": 1, "reason": "Error"}}))],
            WRONG, "crash-loop", "keeps crashing and being restarted (exit code 1)",
            "--previous", id="a crash loop, with the last words",
        ),
        pytest.param(
            [pod_status(waiting("CrashLoopBackOff", "",
                                lastState={"terminated": {"exitCode": 137,
                                                          "reason": "OOMKilled"}}))],
            WRONG, "memory", "OOMKilled", "limits.memory", id="a crash loop for want of memory",
        ),
        pytest.param(
            [pod_status(phase="Failed", reason="Evicted", message=GONE)],
            CONVERGING, "evicted", GONE, "a new Pod replaces it",
            id="evicted, without any container status",
        ),
        pytest.param(
            [failed("ReplicaFailed", "gone"), pod_field(phase="Failed", reason="Evicted",
                                                        message=GONE)],
            WRONG, "evicted", "(ReplicaFailed): Pod", "Give the container more",
            id="evicted, and not tried again",
        ),
        pytest.param(
            [pod_status(phase="Failed", reason="NodeShutdown", message="bye")],
            CONVERGING, "node-gone", "NodeShutdown", "Wait", id="its node was shut down",
        ),
        pytest.param(
            [pod_status(phase="Failed", reason="UnexpectedAdmissionError", message="no device")],
            CONVERGING, "pod-failed", "no device", "Wait", id="refused by the kubelet",
        ),
        pytest.param(
            [pod_status(phase="Failed", reason="DeadlineExceeded", message="too long")],
            WRONG, "pod-deadline", "too long", "activeDeadlineSeconds",
            id="a deadline of the Pod's own",
        ),
        pytest.param(
            [failed("DeadlineExceeded", "ran longer than 60 s"),
             pod_field(phase="Running", containerStatuses=[at_work()])],
            WRONG, "failed.DeadlineExceeded",
            "has failed (DeadlineExceeded): ran longer than 60 s. At its end: Pod",
            "Raise activeDeadlineSeconds",
            id="its deadline has passed, and cleanPodPolicy None keeps a Pod at work",
        ),
        pytest.param(
            [failed("DeadlineExceeded", "ran longer than 60 s"), without("pods")],
            WRONG, "failed.DeadlineExceeded", "ran longer than 60 s", "Raise",
            id="its deadline has passed, and its Pods are gone",
        ),
        pytest.param(
            [failed("InvalidSpec", "spec.replicaSpecs: has no MASTER, so nothing decides"),
             without("jobs", "pods")],
            WRONG, "refused.chief-missing",
            "the operator refused the TfJob (InvalidSpec): no MASTER", "tfReplicaType: MASTER",
            id="a spec that the operator refuses",
        ),
        pytest.param(
            [failed("InvalidTemplate", "the moon is full"), without("jobs", "pods")],
            WRONG, "refused", "the moon is full", "the message names",
            id="a template that is refused in words that nobody knows",
        ),
    ],
)  # fmt: skip
def test_the_first_broken_link_of_a_tfjob(changes, verdict, cause, found, fix):
    finding = of_tfjob(*changes)
    assert (finding.verdict, finding.cause) == (verdict, cause), finding
    assert found in finding.found, finding
    assert fix in finding.next_step, finding


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([status(), later(-9)], id="just created"),
        pytest.param([running, without("pods")], id="no Pod yet"),
        pytest.param([STARTING], id="starting"),
        pytest.param([TRAINING], id="training"),
        pytest.param([TRAINING, unbegun], id="running, its log unread"),
        pytest.param([world.unschedulable("1 Insufficient cpu.")], id="no room"),
        pytest.param([not_created("FailedCreate", USED_UP)], id="a quota is used up"),
        pytest.param([not_created("Creating", "The children are being created")], id="creating"),
        pytest.param([pod_status(terminated(143, "Error"), phase="Failed")], id="tried again"),
        pytest.param(
            [pod_status(terminated(0), phase="Running"), beside({"running": {}})], id="a side-car"
        ),
        pytest.param([running, without("jobs", "pods")], id="accepted"),
    ],
)
def test_all_that_is_on_its_way_has_an_age(changes):
    finding = of_tfjob(*changes)
    assert finding.verdict is CONVERGING
    assert finding.since is not None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([TRAINING], id="a Pod at work"),
        pytest.param([STARTING], id="a Pod that starts"),
        pytest.param([world.unschedulable("1 Insufficient cpu.")], id="a Pod without a node"),
        pytest.param([pod_status(phase="Failed", reason="Evicted", message="x")], id="evicted"),
        pytest.param([pod_status(terminated(143, "Error"), phase="Failed")], id="exit 143"),
        pytest.param([running, without("pods")], id="no Pod"),
        pytest.param([running, without("jobs", "pods")], id="nothing left"),
        pytest.param([TRAINING, away, later(400)], id="a node that is away"),
    ],
)
def test_whatever_is_left_of_a_tfjob_that_has_failed_it_is_wrong(changes):
    finding = of_tfjob(*changes, failed("BackoffLimitExceeded", "enough"))
    assert finding.verdict is WRONG
    assert finding.found.startswith("TfJob module5-ex1 has failed (BackoffLimitExceeded)")


def test_a_namesakes_pods_are_not_taken_for_the_jobs_own():
    def older(data):
        pod_status(waiting("ErrImageNeverPull"))(data)
        data["objects"]["jobs"][0]["metadata"]["ownerReferences"][0]["uid"] = "of-the-deleted-one"

    assert of_tfjob(older).verdict is CONVERGING


def test_a_ps_prints_no_steps_and_runs_another_program():
    """What the operator supplies is not the learner's `command`."""

    def chief_is_a_ps(data):
        data["objects"]["pods"][0]["metadata"]["labels"]["job_type"] = "PS"

    slow = [TRAINING, log(), command("python", "/opt/grpc_tensorflow_server.py"), later(4000)]
    finding = of_tfjob(*slow, chief_is_a_ps)
    assert (finding.verdict, finding.cause) == (CONVERGING, "running")
    assert "step" not in finding.found


def test_the_chief_speaks_first_and_what_is_wrong_before_what_is_on_its_way():
    data = world.distributed()
    running(data)
    chief = data["objects"]["pods"][0]
    chief["status"] = {"phase": "Running", "containerStatuses": [at_work()]}
    tfjob = data["objects"]["tfjobs"][0]
    for number, status_of in enumerate((waiting("ContainerCreating"), waiting("StartError"))):
        mine = world.job(f"module6-ex1-worker-ab12-{number}", tfjob, role="WORKER")
        worker = world.pod(f"worker-{number}", mine, status_of, phase="Pending")
        data["objects"]["jobs"].insert(0, mine)
        data["objects"]["pods"].append(worker)
        seen = spoiled(of=data)
        causes = diagnosis.of_tfjob(seen, seen.items("tfjobs")[0]).cause
        assert causes == ("training" if number == 0 else "program.other")


def job(*changes, conditions=(), **fields):
    made = world.job("module3-ex1", None, *conditions, **fields)
    data = world.cluster_with(jobs=[made])
    data["objects"]["pods"] = [world.pod("module3-ex1-x", made, at_work())]
    seen = spoiled(*changes, of=data)
    return diagnosis.of_job(seen, seen.items("jobs")[0])


def job_pod(*statuses, **more):
    def change(data):
        data["objects"]["pods"][0]["status"] = {"containerStatuses": list(statuses), **more}

    return change


def job_failed(reason):
    return (world.condition("Failed", "True", reason, f"because of {reason}"),)


def test_a_complete_job_has_no_broken_link():
    assert job(conditions=[world.condition("Complete")]) is None


def test_a_suspended_job_is_resumed():
    finding = job(suspend=True)
    assert (finding.verdict, finding.cause) == (WRONG, "suspended")
    assert '"suspend": false' in finding.next_step


@pytest.mark.parametrize(
    ("changes", "conditions", "verdict", "cause"),
    [
        pytest.param([], (), CONVERGING, "running", id="at work"),
        pytest.param([later(4000)], (), CONVERGING, "running", id="any program may be long silent"),
        pytest.param([without("pods")], (), CONVERGING, "no-pod", id="no Pod yet"),
        pytest.param(
            [job_pod(terminated(1, "Error"), phase="Failed")], (), WRONG, "exit.1", id="exit 1"
        ),
        pytest.param(
            [job_pod(terminated(137, "Error"), phase="Failed")], (), CONVERGING, "exit.137",
            id="killed, and tried again",
        ),
        pytest.param(
            [job_pod(terminated(137, "Error"), phase="Failed")], job_failed("BackoffLimitExceeded"),
            WRONG, "exit.137", id="killed, and given up",
        ),
        pytest.param(
            [without("pods")], job_failed("DeadlineExceeded"), WRONG, "failed.DeadlineExceeded",
            id="its deadline has passed",
        ),
        pytest.param(
            [without("pods"), happened("jobs", "FailedCreate", USED_UP)],
            job_failed("BackoffLimitExceeded"), WRONG, "failed.BackoffLimitExceeded",
            id="over, whatever may have been on its way",
        ),
    ],
)  # fmt: skip
def test_the_first_broken_link_of_a_job(changes, conditions, verdict, cause):
    finding = job(*changes, conditions=conditions)
    assert (finding.verdict, finding.cause) == (verdict, cause), finding
    assert finding.verdict is not CONVERGING or finding.since


UNAVAILABLE = (world.condition("Available", "False"),)


def deployment(*changes, conditions=UNAVAILABLE, replicas=1):
    made = world.deployment("web", *conditions, replicas=replicas)
    data = world.cluster_with(deployments=[made])
    data["objects"]["pods"] = [world.pod_of(made, at_work(ready=True))]
    seen = spoiled(*changes, of=data)
    return diagnosis.of_deployment(seen, seen.items("deployments")[0])


def test_a_deployment_that_is_available_has_no_broken_link():
    assert deployment(conditions=()) is None


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        pytest.param(
            [lambda d: d["objects"]["deployments"][0]["metadata"].update(generation=2)],
            "starting", id="the controller has not seen the newest spec",
        ),
        pytest.param(
            [lambda d: d["objects"]["deployments"][0]["status"].update(updatedReplicas=0)],
            "starting", id="only Pods of the spec before it are ready",
        ),
    ],
)  # fmt: skip
def test_an_available_deployment_may_still_be_on_its_way(changes, cause):
    finding = deployment(*changes, conditions=())
    assert (finding.verdict, finding.cause) == (CONVERGING, cause)


@pytest.mark.parametrize(
    ("changes", "verdict", "cause"),
    [
        pytest.param([], CONVERGING, "starting", id="its Pods are on their way"),
        pytest.param([without("pods")], CONVERGING, "starting", id="no Pods yet"),
        pytest.param(
            [job_pod(at_work(ready=False), phase="Running"), later(4000)], CONVERGING, "not-ready",
            id="a server that is not ready is no silent training",
        ),
        pytest.param(
            [job_pod(waiting("ErrImageNeverPull"), phase="Pending")], WRONG, "image.absent",
            id="its image may not be pulled",
        ),
        pytest.param(
            [job_pod(terminated(1, "Error"), phase="Running")], WRONG, "exit.1", id="it ends",
        ),
        pytest.param(
            [lambda d: d["objects"]["deployments"][0]["status"]["conditions"].append(
                world.condition("ReplicaFailure", "True", "FailedCreate", USED_UP))],
            CONVERGING, "quota.used-up", id="a quota that others use up",
        ),
    ],
)  # fmt: skip
def test_the_first_broken_link_of_a_deployment(changes, verdict, cause):
    finding = deployment(*changes)
    assert (finding.verdict, finding.cause) == (verdict, cause), finding
    assert finding.verdict is not CONVERGING or finding.since


def test_a_deployment_of_no_replicas_is_available_and_does_nothing():
    finding = deployment(conditions=(), replicas=0)
    assert (finding.verdict, finding.cause) == (WRONG, "scaled-to-zero")
    assert "kubectl scale deployment/web --replicas=1" in finding.next_step


def claim(*events, phase="Pending", taken=world.TAKEN):
    made = world.claim("models", phase)
    data = world.cluster_with(persistentvolumeclaims=[made])
    data["objects"]["events"] = [world.event(made, *event) for event in events]
    data["taken"] = taken
    seen = spoiled(of=data)
    return diagnosis.of_claim(seen, seen.items("persistentvolumeclaims")[0])


NO_CLASS = ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
FIRST = ("WaitForFirstConsumer", "waiting for first consumer to be created before binding")


def test_a_bound_claim_has_no_broken_link():
    assert claim(phase="Bound") is None


@pytest.mark.parametrize(
    ("events", "taken", "verdict", "cause"),
    [
        pytest.param([NO_CLASS], world.TAKEN, WRONG, "unbound", id="no such class, a minute on"),
        pytest.param([NO_CLASS], world.BEGAN, CONVERGING, "unbound", id="ten seconds after it"),
        pytest.param([], world.BEGAN, CONVERGING, "unbound", id="just made"),
        pytest.param([FIRST], world.TAKEN, CONVERGING, "first-consumer", id="bound when mounted"),
    ],
)
def test_the_first_broken_link_of_a_claim(events, taken, verdict, cause):
    finding = claim(*events, taken=taken)
    assert (finding.verdict, finding.cause) == (verdict, cause)
    assert finding.verdict is not CONVERGING or finding.since
