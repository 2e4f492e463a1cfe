"""Why a Pod has no node: what heals by itself is on its way; only the rest is wrong."""

import pytest

from tests.validator import world
from tests.validator.world import GPU, forbid, later, spoiled, unschedulable
from validator.diagnosis import of_tfjob
from validator.verdicts import Verdict

WRONG, CONVERGING = Verdict.WRONG, Verdict.CONVERGING
COULD_NOT = Verdict.COULD_NOT_CHECK
NO_PREEMPTION = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


def nodes(said):
    return unschedulable(f"0/1 nodes are available: {said}.{NO_PREEMPTION}")


GPUS = nodes(f"1 Insufficient {GPU}")
CPU = nodes("1 Insufficient cpu")
NO_CLAIM = unschedulable(
    '0/1 nodes are available: persistentvolumeclaim "models" not found. not found'
)
UNBOUND = unschedulable(
    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
)
LABEL = nodes("1 node(s) didn't match Pod's node affinity/selector")
TAINT = nodes("1 node(s) had untolerated taint(s)")
CORDONED = nodes("1 node(s) were unschedulable")


def asks(**resources):
    def change(data):
        pod = data["objects"]["pods"][0]
        pod["spec"]["containers"][0]["resources"] = resources

    return change


def pod_spec(**fields):
    return lambda data: data["objects"]["pods"][0]["spec"].update(fields)


def claim(phase, *events):
    def change(data):
        made = world.claim("models", phase)
        data["objects"]["persistentvolumeclaims"] = [made]
        data["objects"]["events"] += [world.event(made, *event) for event in events]
        volume = {"name": "m", "persistentVolumeClaim": {"claimName": "models"}}
        data["objects"]["pods"][0]["spec"]["volumes"].append(volume)

    return change


def node(**fields):
    return lambda data: data["objects"]["nodes"][0].update(fields)


def tainted(key):
    return node(spec={"taints": [{"key": key, "effect": "NoSchedule"}]})


def labelled(**labels):
    return lambda data: data["objects"]["nodes"][0]["metadata"].update(labels=labels)


def beside(name, phase="Running", claims=(), **container):
    """Another Pod of the namespace."""

    def change(data):
        made = world.pod(name, phase=phase)
        made["spec"] = {
            "nodeName": "node",
            "containers": [{"name": "main", **container}],
            "resourceClaims": [{"name": each} for each in claims],
        }
        data["objects"]["pods"].append(made)

    return change


def not_ready(data):
    data["objects"]["nodes"][0]["status"]["conditions"] = [world.condition("Ready", "False")]


NO_CLASS = ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')


def finding(*changes):
    seen = spoiled(*changes)
    return of_tfjob(seen, seen.items("tfjobs")[0])


@pytest.mark.parametrize(
    ("changes", "verdict", "cause", "found", "fix"),
    [
        pytest.param(
            [GPUS], CONVERGING, "unscheduled.gpu", f"other Pods use the {GPU}",
            "other namespaces do", id="GPUs that others hold, here or elsewhere",
        ),
        pytest.param(
            [GPUS, later(4000)], CONVERGING, "unscheduled.gpu", "other Pods use", "Wait",
            id="for as long as they hold them",
        ),
        pytest.param(
            [GPUS, asks(limits={GPU: 90})], WRONG, "gpus.too-many", "no node has more than 4",
            f"{GPU}: 1", id="more GPUs than any node has",
        ),
        pytest.param(
            [nodes("1 Insufficient nvidia.com/gpu"), asks(limits={"nvidia.com/gpu": 1}),
             node(status={"allocatable": {GPU: "4"}})],
            WRONG, "gpus.no-such", "no node of this cluster has any", f"{GPU}: 1",
            id="a GPU resource that the cluster lacks, with the one it has",
        ),
        pytest.param(
            [GPUS, node(status={"allocatable": {"cpu": "4"}})],
            WRONG, "gpus.no-such", "no node of this cluster has any", "Leave the GPU limit out",
            id="a GPU on a cluster without",
        ),
        pytest.param(
            [GPUS, forbid("nodes")], CONVERGING, "unscheduled.gpu", "other Pods use", "Wait",
            id="without the right to see what nodes have",
        ),
        pytest.param(
            [CPU], CONVERGING, "unscheduled.capacity", "other Pods use the cpu", "Wait",
            id="CPU in use by the job before",
        ),
        pytest.param(
            [nodes("1 Insufficient memory")], CONVERGING, "unscheduled.capacity",
            "other Pods use the memory", "Wait", id="memory in use",
        ),
        pytest.param(
            [nodes("1 Too many pods")], CONVERGING, "unscheduled.capacity", "places for Pods",
            "Wait", id="no place for one more Pod",
        ),
        pytest.param(
            [CPU, asks(requests={"cpu": "99"})], WRONG, "unscheduled.cpu",
            "asks for more cpu than any node has", "Lower resources.requests.cpu",
            id="more CPU than any node has",
        ),
        pytest.param(
            [nodes("1 Insufficient memory"), asks(limits={"memory": "999Gi"})],
            WRONG, "unscheduled.memory", "more memory than any node", "resources.requests.memory",
            id="a limit counts as a request",
        ),
        pytest.param(
            [NO_CLAIM, later(20)], CONVERGING, "claim.missing",
            "mounts the claim models, which does not exist", "Wait",
            id="a claim that may come within the minute",
        ),
        pytest.param(
            [NO_CLAIM], WRONG, "claim.missing", "the claim models", "Create the claim models",
            id="a claim that nobody made",
        ),
        pytest.param(
            [NO_CLAIM, forbid("persistentvolumeclaims")], WRONG, "claim.missing", "claim models",
            "Create the claim", id="by the scheduler's own words, without the right to see claims",
        ),
        pytest.param(
            [UNBOUND, claim("Pending"), later(20)], CONVERGING, "claim.unbound",
            "claim models is Pending", "Wait", id="a claim made seconds ago",
        ),
        pytest.param(
            [UNBOUND, claim("Pending", NO_CLASS)], WRONG, "claim.unbound", '"fast" not found',
            "storageClassName", id="a class that does not exist",
        ),
        pytest.param(
            [UNBOUND, forbid("persistentvolumeclaims"), later(20)], CONVERGING,
            "unscheduled.other", "unbound immediate", "Wait",
            id="an unbound claim, without the right to see it",
        ),
        pytest.param(
            [LABEL, pod_spec(nodeSelector={"gpu": "true"})], WRONG, "unscheduled.label",
            "the label gpu=true, and no node has it", "Drop `nodeSelector`",
            id="a label that no node has",
        ),
        pytest.param(
            [LABEL], WRONG, "unscheduled.label", "of its affinity", "affinity",
            id="an affinity for which there is no node",
        ),
        pytest.param(
            [LABEL, pod_spec(nodeSelector={"gpu": "true"}), forbid("nodes"), later(20)],
            CONVERGING, "unscheduled.label", "gpu=true", "Wait",
            id="a label, without the right to see the nodes' own",
        ),
        pytest.param(
            [CORDONED, later(30)], CONVERGING, "unscheduled.node-away", "the node is not ready",
            "Wait", id="a node that was cordoned",
        ),
        pytest.param(
            [CORDONED, later(200)], COULD_NOT, "unscheduled.node-away", "the node is not ready",
            "kubectl uncordon", id="for more than two minutes",
        ),
        pytest.param(
            [TAINT, tainted("node.kubernetes.io/not-ready"), later(30)], CONVERGING,
            "unscheduled.node-away", "the node is not ready", "Wait",
            id="a node that is not ready, which the message does not name",
        ),
        pytest.param(
            [TAINT, not_ready, later(200)], COULD_NOT, "unscheduled.node-away", "not ready",
            "python -m cluster up", id="a node that stays away",
        ),
        pytest.param(
            [nodes("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }"), later(30)],
            CONVERGING, "unscheduled.node-away", "not ready", "Wait",
            id="in the words of Kubernetes before 1.34",
        ),
        pytest.param(
            [TAINT, tainted("dedicated")], WRONG, "unscheduled.taint", "untolerated taint",
            "add a toleration", id="a taint that somebody set",
        ),
        pytest.param(
            [TAINT, tainted("nvidia.com/gpu")], WRONG, "unscheduled.taint", "untolerated taint",
            "tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]",
            id="the taint of GPU nodes, with the toleration to paste",
        ),
        pytest.param(
            [GPUS, beside("board", resources={"limits": {GPU: "3"}})], CONVERGING,
            "unscheduled.gpu", "in this namespace: board (3)", "Wait",
            id="GPUs that a Pod of this namespace holds, by name",
        ),
        pytest.param(
            [GPUS, beside("board", phase="Succeeded", resources={"limits": {GPU: "3"}})],
            CONVERGING, "unscheduled.gpu", f"other Pods use the {GPU}", "Wait",
            id="a Pod that has ended holds none",
        ),
        pytest.param(
            [LABEL, pod_spec(nodeSelector={"gpu": "true"}), labelled(gpu="none")], WRONG,
            "unscheduled.label", "gpu=true", "Drop `nodeSelector`", id="another value of a label",
        ),
        pytest.param(
            [nodes("1 cannot allocate all claims"), beside("board", claims=["gpu"])], CONVERGING,
            "unscheduled.claim", "these Pods have claims: board", "kubectl get resourceslices",
            id="a card that another Pod's claim holds",
        ),
        pytest.param(
            [nodes("1 cannot allocate all claims")], CONVERGING, "unscheduled.claim",
            "takes is free now", "another namespace", id="a card that nobody here holds",
        ),
        pytest.param(
            [nodes("request gpu: device class gpus does not exist")], WRONG,
            "unscheduled.no-class", "the DeviceClass gpus", "kubectl get deviceclasses",
            id="a class of devices that does not exist",
        ),
        pytest.param(
            [unschedulable("selector #0 on device x: CEL runtime error: no such key: memory.")],
            WRONG, "unscheduled.selector", "no such key: memory", "name of the device's driver",
            id="a selector that fails",
        ),
        pytest.param(
            [TAINT, tainted("dedicated"), later(20)], CONVERGING, "unscheduled.taint",
            "untolerated taint", "Wait", id="a taint that may be taken away",
        ),
        pytest.param(
            [nodes("1 node(s) didn't have free ports")], WRONG, "unscheduled.other",
            "didn't have free ports", "Change what the message names",
            id="what nobody knows, in the scheduler's words",
        ),
        pytest.param(
            [nodes("1 node(s) didn't have free ports"), later(20)], CONVERGING,
            "unscheduled.other", "didn't have free ports", "Wait", id="not before a minute",
        ),
    ],
)  # fmt: skip
def test_why_a_pod_has_no_node(changes, verdict, cause, found, fix):
    said = finding(*changes)
    assert (said.verdict, said.cause) == (verdict, cause), said
    assert found in said.found, said
    assert fix in said.next_step, said
    assert said.verdict is not CONVERGING or said.since


def test_the_values_that_a_label_has_are_shown():
    said = finding(LABEL, pod_spec(nodeSelector={"gpu": "true"}), labelled(gpu="none"))
    assert said.wanted == "a label that a node has: gpu=none"


def test_what_the_scheduler_said_is_kept_for_the_report_of_a_long_wait():
    assert "Insufficient cpu" in finding(CPU).late
