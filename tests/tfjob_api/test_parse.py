import pytest

from tests.tfjob_api.builders import UID, parsed, replica, template, tfjob
from tfjob_api.parse import parse, runtime_id


def test_a_manifest_of_2017_is_read_with_its_defaults():
    job = parse(
        {
            "metadata": {"namespace": "lab", "name": "module5-ex1", "uid": UID},
            "spec": {"replicaSpecs": [{"template": template()}]},
        }
    )
    master = job.replica_specs[0]
    assert (master.type, master.replicas, master.port) == ("MASTER", 1, 2222)
    assert (job.chief, job.problem, job.run_policy.clean_pod_policy) == (
        ("MASTER", 0),
        "",
        "Running",
    )


@pytest.mark.parametrize("field", ["RuntimeId", "runtimeId"])
def test_a_given_runtime_id_wins_in_either_spelling(field):
    job = parse(tfjob(**{"RuntimeId": "", field: "ab12"}))
    assert job.runtime_id == "ab12"


def test_the_runtime_id_follows_from_the_uid_alone():
    assert runtime_id(UID) == runtime_id(UID)
    assert runtime_id(UID) != runtime_id("another")
    assert parse(tfjob(RuntimeId="")).runtime_id == runtime_id(UID)


def test_of_a_job_with_a_problem_the_rest_is_known_all_the_same():
    bad = replica("MASTER", template={"spec": "none"})
    job = parsed(bad, RuntimeId="ab12", runPolicy={"managedBy": "kueue.x-k8s.io/multikueue"})
    assert "cannot be read" in job.problem
    assert (job.runtime_id, job.run_policy.managed_by) == ("ab12", "kueue.x-k8s.io/multikueue")


no_container = {"spec": {"containers": [{"name": "main", "image": "x"}]}}


@pytest.mark.parametrize(
    ("obj", "sentence"),
    [
        pytest.param(
            tfjob({"tfReplicaType": "MASTER"}),
            "ReplicaType: MASTER, Replica is missing Template",
            id="a master needs a template",
        ),
        pytest.param(
            tfjob(replica("MASTER"), {"tfReplicaType": "WORKER"}),
            "spec.replicaSpecs[1].template",
            id="a worker needs a template, and its place is named",
        ),
        pytest.param(
            tfjob(replica("MASTER", 2)), "must be exactly 1", id="there is exactly one master"
        ),
        pytest.param(
            tfjob(replica("MASTER"), replica("WORKER", -1)),
            "`int` >= 0 - at `$.replicaSpecs[1].replicas`",
            id="negative replicas are a sentence, not a crash",
        ),
        pytest.param(
            tfjob(replica("MASTER", template=no_container)),
            "none is named 'tensorflow'",
            id="a container is named tensorflow",
        ),
        pytest.param(
            tfjob(tensorboard={}), "spec.tensorboard.logDir", id="TensorBoard needs a logDir"
        ),
        pytest.param(
            tfjob(terminationPolicy={"chief": {"replicaName": "WORKER"}}),
            "has no WORKER",
            id="the named chief is a replica",
        ),
        pytest.param(
            tfjob(terminationPolicy={"chief": {"replicaName": "MASTER", "replicaIndex": 1}}),
            "MASTER 1 is not among the replicas",
            id="the named chief's index is a replica",
        ),
        pytest.param(
            tfjob(replica("WORKER")), "nothing decides when the job is done", id="there is a chief"
        ),
        pytest.param(tfjob(replicaSpecs=[]), "is empty", id="there are replicas"),
        pytest.param(
            tfjob(replica("MASTER"), replica("CHIEF")),
            "same role",
            id="master and chief are the same role",
        ),
        pytest.param(
            tfjob(replica("MASTER"), replica("WORKER"), replica("WORKER")),
            "twice",
            id="each type stands there once",
        ),
        pytest.param(tfjob(name="1st"), "begins with a digit", id="a name begins with a letter"),
        pytest.param(tfjob(name="my.job"), "has a dot", id="a name has no dot"),
        pytest.param(tfjob(name="a" * 64), "64 characters", id="a name has 63 characters at most"),
        pytest.param(
            tfjob(name="a" * 39 + "-b"), "end in '-'", id="a name does not end in - where it is cut"
        ),
        pytest.param(tfjob(RuntimeId="76NO"), "spec.RuntimeId", id="a RuntimeId is 4 of 0-9a-z"),
        pytest.param(
            tfjob({**replica("MASTER"), "tfPort": "http"}),
            "cannot be read",
            id="what has a wrong type is a sentence, not a crash",
        ),
        pytest.param(
            tfjob(replicaSpecs="MASTER"), "cannot be read", id="a list that is none is a sentence"
        ),
        pytest.param(
            tfjob(replica("MASTER", template={"spec": {"containers": [None]}})),
            "cannot be read",
            id="a container that is none is a sentence",
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence_that_names_the_field(obj, sentence):
    assert sentence in parse(obj).problem
