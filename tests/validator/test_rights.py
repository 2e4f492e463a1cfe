"""validator/rbac.yaml and what the reader asks: each right is needed, and no other is."""

import pytest

import validator.exercises  # noqa: F401 (registers them)
from tests.validator import world
from tests.validator.rights import (
    READS,
    Right,
    allows,
    each_left_out,
    is_watched,
    right_of,
    rules,
    that_read_everything,
    watch_of,
)
from validator import cluster
from validator.connect.connection import Connection
from validator.engine import EXERCISES, grade
from validator.handin import identity
from validator.verdicts import Verdict

LEARNER, OTHER, OPERATOR = "ann", "ann-two", "tf-job-system"
CONNECTION = Connection(
    server="https://x.example",
    context="c",
    namespace=LEARNER,
    files="",
    other_namespaces=(OTHER,),
)
ROLE, EVERYWHERE, OF_OPERATOR = rules()


def asked(data):
    """The rights that the two rounds, their watches and the identity take."""
    first = cluster.first_round(LEARNER, that_read_everything())
    lists = [*first, *cluster.second_round(CONNECTION, that_read_everything(), data)]
    paths = [wanted.ask.path for wanted in lists]
    paths += [watch_of(wanted.ask.path) for wanted in lists if is_watched(wanted.label)]
    return {
        right for path in [*paths, identity.CLUSTER, identity.VERSION] if (right := right_of(path))
    }


def everything():
    """Of a learner who has all three parts; the operator is in a namespace of its own."""
    data = {**world.done(), "namespace": LEARNER, "groups": ["kubeflow.org"]}
    for kind in cluster.NEAR_MISSES_ONLY:
        data["objects"].pop(kind, None)
    data["operator"]["deployments"][0]["metadata"]["namespace"] = OPERATOR
    return asked(data)


def by_role_alone():
    """Of a learner who has the Role alone: the operator is looked for at home."""
    data = {**world.done(), "namespace": LEARNER, "groups": ["kubeflow.org"], "operator": {}}
    data["missing"]["operator deployments"] = {"status": 403, "message": "no"}
    return {right for right in asked(data) if right.namespace in (LEARNER, OTHER)}


def refused(rights, role=ROLE, everywhere=EVERYWHERE, of_operator=OF_OPERATOR):
    """Those that are not given; the Role is bound in both of the learner's namespaces."""

    def given(right):
        return allows(everywhere, right) or allows(
            {LEARNER: role, OTHER: role, OPERATOR: of_operator}.get(right.namespace, []), right
        )

    return {right for right in rights if not given(right)}


@pytest.mark.parametrize(
    ("path", "right"),
    [
        pytest.param("/api/v1/nodes", ("list", "", "nodes", "", ""), id="a list of the cluster"),
        pytest.param(
            "/apis/batch/v1/namespaces/ann/jobs?watch=true&resourceVersion=1",
            ("watch", "batch", "jobs", "", "ann"),
            id="a watch",
        ),
        pytest.param(
            "/api/v1/namespaces/ann/configmaps?fieldSelector=metadata.name=x",
            ("list", "", "configmaps", "x", "ann"),
            id="a list of one",
        ),
        pytest.param(
            "/api/v1/namespaces/ann/pods/p/log?container=c",
            ("get", "", "pods/log", "p", "ann"),
            id="a log",
        ),
        pytest.param(
            "/api/v1/namespaces/ann/services/board%3A80/proxy/data/runs",
            ("get", "", "services/proxy", "board:80", "ann"),
            id="a server",
        ),
        pytest.param(
            "/api/v1/namespaces/ann", ("get", "", "namespaces", "ann", "ann"), id="a namespace"
        ),
        pytest.param("/apis", None, id="what everybody may"),
    ],
)
def test_a_path_takes_its_right(path, right):
    assert right_of(path) == (right and Right(*right))


def test_all_three_parts_give_all_that_is_asked_for():
    assert refused(everything()) == set()


def test_the_role_alone_gives_all_of_the_learners_namespace():
    assert refused(by_role_alone(), everywhere=[], of_operator=[]) == set()


@pytest.mark.parametrize(
    ("given", "without"),
    [pytest.param(w, rest, id=w) for w, rest in each_left_out(ROLE)],
)  # fmt: skip
def test_each_right_of_the_role_is_needed(given, without):
    assert refused(by_role_alone(), role=without, everywhere=[], of_operator=[])


@pytest.mark.parametrize(
    ("given", "without"), [pytest.param(w, rest, id=w) for w, rest in each_left_out(EVERYWHERE)]
)
def test_each_right_of_the_cluster_role_is_needed(given, without):
    assert refused(everything(), everywhere=without)


@pytest.mark.parametrize(
    ("given", "without"), [pytest.param(w, rest, id=w) for w, rest in each_left_out(OF_OPERATOR)]
)
def test_each_right_in_the_operators_namespace_is_needed(given, without):
    assert refused(everything(), of_operator=without)


def test_nobody_may_list_all_pods_or_tfjobs_of_the_cluster_or_change_anything():
    for resource in ("pods", "tfjobs", "secrets", "jobs", "events", "services"):
        for verb in ("get", "list", "watch"):
            for group in ("", "batch", "tensorflow.org"):
                assert not allows(EVERYWHERE, Right(verb, group, resource, "", ""))
    verbs = {v for rule in (*ROLE, *EVERYWHERE, *OF_OPERATOR) for v in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    assert not any("*" in str(rule) for rule in (*ROLE, *EVERYWHERE, *OF_OPERATOR))


def test_what_the_exercises_of_today_read_is_among_all_that_the_reader_can_be_asked_for():
    reads = frozenset().union(*(each.reads for each in EXERCISES.values()))
    lists = {read for read in reads if not read.startswith(("answer ", "tensorboard ", "line "))}
    # The container engine of this machine takes no right in the cluster.
    assert lists - {"engine"} <= READS


def test_what_0_1_reads_is_given_by_the_cluster_role():
    kinds = EXERCISES["0.1"].reads - {"groups"}
    rights = {right_of(cluster.LISTS[kind][0]) for kind in kinds}
    assert refused(rights, role=[], of_operator=[]) == set()


def test_with_the_role_alone_5_1_can_be_done():
    kinds = ("nodes", "customresourcedefinitions", "operator deployments")
    seen = world.spoiled(*(world.forbid(kind) for kind in kinds))
    assert grade(seen, ["5.1"])[0].verdict is Verdict.DONE
