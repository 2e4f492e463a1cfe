"""What a learner makes, kind by kind: found, its Pods, its end, how to make it again."""

import pytest

from tests.validator import world
from tests.validator.world import condition, spoiled
from validator.engine import EXERCISES
from validator.exercises import module5, module6  # noqa: F401 (registers the exercises)
from validator.snapshot import name_of
from validator.subjects import (
    Claim,
    Deployment,
    Image,
    Job,
    Release,
    Service,
    TfJob,
    newest_revision,
    release_trouble,
    revision,
)
from validator.verdicts import Verdict


def seen(**objects):
    return spoiled(of=world.cluster_with(**objects))


TFJOB, JOB = world.tfjob(), world.job("train")
WEB = world.deployment("web")


@pytest.mark.parametrize(
    ("subject", "objects", "found"),
    [
        pytest.param(TfJob("module5-ex1"), {"tfjobs": [TFJOB]}, True, id="a TfJob"),
        pytest.param(TfJob("module5-ex2"), {"tfjobs": [TFJOB]}, False, id="another TfJob"),
        pytest.param(Job("train"), {"jobs": [JOB]}, True, id="a Job"),
        pytest.param(Deployment("web"), {"deployments": [WEB]}, True, id="a Deployment"),
        pytest.param(Service("web"), {"services": [world.service("web")]}, True, id="a Service"),
        pytest.param(
            Claim("models"), {"persistentvolumeclaims": [world.claim("models")]}, True, id="a claim"
        ),
        pytest.param(Release("mine"), {"helm": [world.helm_secret("mine")]}, True, id="a release"),
        pytest.param(
            Release("mine"), {"helm": [world.helm_secret("yours")]}, False, id="another release"
        ),
        pytest.param(Image(world.IMAGE), {}, True, id="an image on a node"),
        pytest.param(Image("no/such:1"), {}, False, id="an image that is not there"),
        pytest.param(Image("mnist:1.0.0"), {}, False, id="nor one whose name ends alike"),
    ],
)
def test_find(subject, objects, found):
    assert (subject.find(seen(**objects)) is not None) is found


def test_without_the_kind_there_is_no_tfjob():
    assert TfJob("module5-ex1").find(spoiled(world.forbid("tfjobs", 404))) is None


FAILED = (condition("Failed", "True", "DeadlineExceeded"),)


@pytest.mark.parametrize(
    ("subject", "item", "ended"),
    [
        pytest.param(TfJob("a"), TFJOB, "well", id="a TfJob that has succeeded"),
        pytest.param(TfJob("a"), {"status": {"state": "Failed"}}, "badly", id="of 2017"),
        pytest.param(TfJob("a"), {"status": {"conditions": list(FAILED)}}, "badly", id="failed"),
        pytest.param(TfJob("a"), {"status": {"phase": "Running"}}, "", id="a TfJob that runs"),
        pytest.param(TfJob("a"), {}, "", id="a TfJob that nobody has looked at"),
        pytest.param(Job("a"), world.job("a"), "", id="a Job at work"),
        pytest.param(Job("a"), world.job("a", None, *FAILED), "badly", id="a Job that has failed"),
        pytest.param(
            Job("a"), world.job("a", None, condition("Complete")), "well", id="a complete Job"
        ),
        pytest.param(Deployment("a"), WEB, "", id="a Deployment never ends"),
    ],
)  # fmt: skip
def test_ended(subject, item, ended):
    assert subject.ended(seen(), item) == ended


def test_templates_carry_the_type_of_their_replicas():
    replicas = TfJob("module6-ex1").templates(world.distributed()["objects"]["tfjobs"][0])
    assert [kind for kind, _ in replicas] == ["MASTER", "WORKER"]
    assert [kind for kind, _ in Job("train").templates(JOB)] == ["Job"]


def test_the_pod_that_decides_comes_first_and_each_replicas_newest_alone():
    worker = world.job("w", TFJOB, role="WORKER")
    master = world.job("m", TFJOB)
    old, new = (world.pod(f"m-{n}", master) for n in (1, 2))
    new["metadata"]["creationTimestamp"] = "2026-01-31T12:00:30Z"
    cluster = seen(tfjobs=[TFJOB], jobs=[worker, master], pods=[new, world.pod("w-1", worker), old])
    pods = TfJob("module5-ex1").pods(cluster, TFJOB)
    assert [name_of(pod) for pod in pods] == ["m-2", "w-1"]


def test_a_services_pods_are_those_with_all_of_its_labels():
    mine, other = world.pod_of(WEB), world.pod("other")
    cluster = seen(pods=[mine, other])
    service = Service("web")
    assert service.pods(cluster, world.service("web", app="web")) == [mine]
    assert service.pods(cluster, world.service("web", app="web", tier="1")) == []
    assert service.pods(cluster, world.service("web")) == []


def test_a_releases_objects_are_those_that_helm_has_marked():
    mine = world.of_release(JOB, "mine")
    cluster = seen(jobs=[mine, world.of_release(world.job("b"), "yours"), world.job("c")])
    assert Release("mine").objects(cluster, "jobs") == [mine]


def test_the_newest_revision_is_the_highest_number():
    secrets = [world.helm_secret("mine", n) for n in (2, 10, 9)] + [world.helm_secret("yours", 11)]
    newest = newest_revision(secrets, "mine")
    assert revision(newest) == 10
    assert newest_revision(secrets, "none") is None


@pytest.mark.parametrize(
    ("status", "verdict", "fix"),
    [
        pytest.param("deployed", None, "", id="deployed"),
        pytest.param("pending-install", Verdict.CONVERGING, "helm rollback mine", id="installing"),
        pytest.param("pending-upgrade", Verdict.CONVERGING, "helm rollback mine", id="upgrading"),
        pytest.param("uninstalling", Verdict.CONVERGING, "Wait", id="on its way out"),
        pytest.param("failed", Verdict.WRONG, "helm status mine", id="failed"),
        pytest.param("", Verdict.WRONG, "helm status mine", id="without a status"),
    ],
)
def test_the_state_of_a_release(status, verdict, fix):
    finding = release_trouble(world.helm_secret("mine", 1, status), "mine")
    assert (finding.verdict if finding else None) is verdict
    assert not finding or fix in finding.next_step


REFUSED = {"status": {"conditions": [condition("Failed", "True", "InvalidTemplate")]}}
APPLY = "$ kubectl apply -f my.yaml"


@pytest.mark.parametrize(
    ("subject", "item", "steps"),
    [
        pytest.param(
            TfJob("a"), TFJOB, ("$ kubectl delete tfjob a", APPLY), id="a TfJob is made again"
        ),
        pytest.param(TfJob("a"), REFUSED, (APPLY,), id="one refused for its spec is applied again"),
        pytest.param(Job("a"), JOB, ("$ kubectl delete job a", APPLY), id="a Job is made again"),
        pytest.param(Deployment("a"), WEB, (APPLY,), id="a Deployment is changed as it is"),
        pytest.param(Service("a"), {}, (APPLY,), id="so is a Service"),
        pytest.param(Claim("a"), {}, ("$ kubectl delete pvc a", APPLY), id="a claim is made again"),
        pytest.param(Release("a"), {}, (), id="a release has steps of its own"),
        pytest.param(Image("a"), {}, ("$ python -m cluster load a",), id="an image is loaded"),
    ],
)
def test_how_to_make_it_again(subject, item, steps):
    assert subject.redo(seen(), item, "my.yaml") == steps


def test_no_step_of_making_again_deletes_what_another_exercise_asks_for():
    for each in EXERCISES.values():
        names = {other.subject.name for other in EXERCISES.values()} - {each.subject.name}
        steps = " ".join(each.subject.redo(seen(), {}, each.file))
        assert not [name for name in names if f" {name} " in f"{steps} "]
