"""TF_CONFIG: what it says, and one sentence for what it cannot mean."""

import json

import pytest

from fashion_mnist import cluster
from fashion_mnist.cluster import Shape
from fashion_mnist.failure import Failure

MASTER, WORKER, PS = ["j-master-76no-0:2222"], ["j-worker-76no-0:2222"], ["j-ps-76no-0:2222"]


def read(config) -> cluster.Cluster | None:
    return cluster.read({"TF_CONFIG": config if isinstance(config, str) else json.dumps(config)})


def config(task_type="master", index=0, **jobs):
    return {"cluster": jobs, "task": {"type": task_type, "index": index}, "environment": "cloud"}


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="is not set"),
        pytest.param({"TF_CONFIG": " "}, id="is empty"),
        pytest.param({"TF_CONFIG": "{}"}, id="is an empty object"),
    ],
)
def test_there_is_no_cluster_where_tf_config(environment):
    assert cluster.read(environment) is None


@pytest.mark.parametrize(
    ("jobs", "shape"),
    [
        pytest.param({"master": MASTER}, Shape.ALONE, id="a master alone"),
        pytest.param({"chief": MASTER, "worker": WORKER}, Shape.ALL_REDUCE, id="no PS"),
        pytest.param(
            {"master": MASTER, "worker": WORKER, "ps": PS}, Shape.PARAMETER_SERVERS, id="with PS"
        ),
    ],
)
def test_the_shape_follows_from_the_replicas(jobs, shape):
    kind = "chief" if "chief" in jobs else "master"
    assert read(config(kind, **jobs)).shape is shape


def test_a_master_is_the_chief():
    replica = read(config("master", master=MASTER, worker=WORKER, ps=PS))
    assert replica.name == "chief"
    assert replica.spec() == {"chief": MASTER, "worker": WORKER, "ps": PS}
    assert replica.run_name == MASTER[0]


def test_a_worker_says_its_index_and_knows_the_others_by_name():
    replica = read(config("worker", 1, master=MASTER, worker=["a:1", "b:2"], ps=PS))
    assert replica.name == "worker 1"
    assert replica.peers("ps", "worker") == {"ps 0": PS[0], "worker 0": "a:1", "worker 1": "b:2"}


def test_an_evaluator_is_not_among_those_that_train():
    replica = read(config("evaluator", master=MASTER, worker=WORKER, evaluator=["e:1"]))
    assert replica.spec() == {"chief": MASTER, "worker": WORKER}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param("{", "not JSON", id="is cut short"),
        pytest.param("[" * 100_000, "not JSON", id="is nested too deep"),
        pytest.param("[]", "not a JSON object", id="is a list"),
        pytest.param({"task": {"type": "master"}}, "`cluster` is missing", id="has no cluster"),
        pytest.param({"cluster": {"master": MASTER}}, "`task`", id="has no task"),
        pytest.param(config("boss", master=MASTER), "'boss'", id="has an unknown type"),
        pytest.param(config(queen=MASTER), "'queen'", id="has an unknown job"),
        pytest.param(config(master="h:1"), "list of host:port", id="has a text for a list"),
        pytest.param(config(master=["h"]), "list of host:port", id="has no port"),
        pytest.param(config(master=["h:0"]), "list of host:port", id="has port 0"),
        pytest.param(config(master=["h:99999"]), "list of host:port", id="has a port too high"),
        pytest.param(config(master=["h:²"]), "list of host:port", id="has a raised digit"),
        pytest.param(config(master=["a..b:1"]), "list of host:port", id="has an empty label"),
        pytest.param(config(master=["a" * 64 + ":1"]), "list of host", id="has a label too long"),
        pytest.param(config("worker", worker=WORKER), "0 chiefs", id="has no chief"),
        pytest.param(config(master=["a:1", "b:1"]), "2 chiefs", id="has two chiefs"),
        pytest.param(config(master=MASTER, chief=MASTER), "both", id="has a master and a chief"),
        pytest.param(config("ps", 1, master=MASTER, ps=PS), "no ps 1", id="is one too far"),
        pytest.param(config(index="0", master=MASTER), "'0'", id="has a text for the index"),
        pytest.param(config(index=-1, master=MASTER), "-1", id="has an index below 0"),
        pytest.param(config(master=MASTER, ps=PS), "no worker", id="has PS and no worker"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_is_wrong_with_a_tf_config_that(bad, why):
    with pytest.raises(Failure) as failure:
        read(bad)
    assert why in str(failure.value)
    assert failure.value.exit_code < 128
