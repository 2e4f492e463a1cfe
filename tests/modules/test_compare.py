"""Comparing outputs: what may differ from run to run, and that all else may not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules import compare
from modules.compare import difference, fits, line_fits, normalise, renamed
from modules.workloads import workloads


@pytest.mark.parametrize(
    ("page", "run"),
    [
        pytest.param("pod   1/1   Running   7s", "pod   1/1   Running   2m13s", id="an age"),
        pytest.param("x   Running   1 (3s ago)   9s", "x   Running   1 (12s ago)   1m", id="ago"),
        pytest.param(
            "  Warning  ProvisioningFailed  2s    persistentvolume-controller  no",
            "  Warning  ProvisioningFailed  0s (x3 over 1m19s)  persistentvolume-controller  no",
            id="an event that came again",
        ),
        pytest.param(
            "tf-job-operator-6d5f7c9b8-x2x4z   1/1",
            "tf-job-operator-74bb9fd4cc-9zqwd   1/1",
            id="a Deployment's pod",
        ),
        pytest.param(
            "replicaset.apps/tf-job-operator-6d5f7c9b8",
            "replicaset.apps/tf-job-operator-74bb9fd4cc",
            id="a Deployment's ReplicaSet",
        ),
        pytest.param(
            "pod/j-worker-76no-1-x7k2p", "pod/j-worker-0aaz-1-b2wmz", id="a replica's pod"
        ),
        pytest.param(
            "job.batch/j-master-76no-0 created",
            "job.batch/j-master-0aaz-0 created",
            id="a RuntimeId in a name",
        ),
        pytest.param("runtime_id=76no", "runtime_id=zz0z", id="a RuntimeId in a label"),
        pytest.param('"runtimeId": "76no"', '"runtimeId": "zz0z"', id="a RuntimeId in JSON"),
        pytest.param(
            "LAST DEPLOYED: Mon Nov 20 14:24:16 2017",
            "LAST DEPLOYED: Tue Dec  1 04:01:02 2026",
            id="a date as C writes it",
        ),
        pytest.param("at 2026-11-23T20:21:42Z", "at 2027-01-01T00:00:00.123+01:00", id="ISO time"),
        pytest.param("10.96.0.10:53 up", "10.100.7.3:443 up", id="an address"),
        pytest.param(
            "uid 0b1f1ed5-6f0f-4a55-8c0e-0f2f0a1d7a11",
            "uid 7c9c8d3e-1111-4222-8333-944445555666",
            id="a UID",
        ),
        pytest.param("sha256:" + "a" * 64, "sha256:" + "0" * 64, id="a digest"),
        pytest.param("loss 0.4... accuracy 0.8...", "loss 0.4471 accuracy 0.8359", id="in a line"),
        pytest.param("loss 0.2464 accuracy 0.9109", "loss 2.3 accuracy 0.1", id="what is measured"),
        pytest.param("worker 0 took 502 steps", "worker 0 took 9 steps", id="a worker's share"),
        pytest.param(
            "950 steps in 29.3 s: 30.8 ms a step",
            "950 steps in 102.1 s: 107.5 ms a step",
            id="the pace of a training",
        ),
    ],
)
def test_these_are_the_same(page, run):
    assert difference([page], [run]) is None


@pytest.mark.parametrize(
    ("page", "run"),
    [
        pytest.param("pod   1/1   Running   7s", "pod   0/1   Pending   7s", id="another state"),
        pytest.param("job-x7k2p", "jab-x7k2p", id="another name before the hash"),
        pytest.param("accuracy 0.8...", "accuracy 0.7921", id="another figure before the dots"),
        pytest.param("fashion-mnist:1.0.0", "fashion-mnist:1.0.1", id="another version"),
        pytest.param("  indented", "indented", id="another indentation"),
        pytest.param("step 500/500", "step 50/500", id="another number"),
        pytest.param("worker 0 took 50 steps", "worker 1 took 50 steps", id="another worker"),
        pytest.param("loss 0.2464", "loss nan", id="a loss that is no number"),
        pytest.param(
            "test accuracy 0.9...", "test accuracy 0.8999", id="a figure that is promised"
        ),
        pytest.param("a.c", "abc", id="a dot is a dot"),
        pytest.param("j-master-76no-0", "j-worker-76no-0", id="another replica type"),
        pytest.param("invoice-99999", "invoice-22222", id="a number"),
        pytest.param("job-xxxxx", "job-zzzzz", id="five letters behind no workload's name"),
        pytest.param("run-20452045", "run-45674567", id="a long number"),
        pytest.param("j-master-76no-0-x7k2p", "j-master-76no-1-x7k2p", id="another replica"),
    ],
)
def test_these_are_different(page, run):
    shown = difference([page], [run])
    assert shown is not None
    assert "-" + normalise(page) in shown
    assert "+" + normalise(run) in shown


@pytest.mark.parametrize(
    ("page", "run"),
    [
        pytest.param("job-x7k2p   1/1", "job-b2wmz        1/1", id="a pod, and its column's width"),
        pytest.param("pod/job-0-x7k2p", "pod/job-0-b2wmz", id="a pod of an indexed Job"),
        pytest.param("job-29399999-x7k2p", "job-29399999-b2wmz", id="a pod of a CronJob"),
        pytest.param("job-99999", "job-22222", id="random letters that are all digits"),
    ],
)
def test_letters_behind_a_workload_that_is_known_are_random(page, run):
    assert difference([page], [run], {"job"}) is None
    assert difference([page], [run], {"jo", "b", "another-job"}) is not None


def test_a_workload_that_either_side_names_is_known():
    page = ["job.batch/one created", "one-x7k2p"]
    assert difference(page, ["job.batch/one created", "one-b2wmz"]) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("job.batch/example-job created", {"example-job"}, id="kind, group, name"),
        pytest.param("kubectl logs job/one", {"one"}, id="kind and name"),
        pytest.param("kubectl delete tfjob one two", {"one", "two"}, id="several names"),
        pytest.param("kubectl create deployment web --image=x", {"web"}, id="a verb with options"),
        pytest.param("helm upgrade --install one chart", {"one"}, id="a release"),
        pytest.param("metadata:\n  name: one\nspec:", {"one"}, id="a manifest"),
        pytest.param('metadata: {name: "one", x: y}', {"one"}, id="a manifest on one line"),
        pytest.param("kubectl get jobs -l tf_job_name=one", set(), id="no name, but an option"),
        pytest.param("a Job of the class, a job for two", set(), id="prose"),
        pytest.param("pod/job-x7k2p", set(), id="a pod is nobody's parent"),
    ],
)
def test_workloads_are_found_where_they_are_named(text, names):
    assert workloads(text) == names


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("in docs-5 namespace", "in default namespace", id="a word"),
        pytest.param("x.docs-5.svc, docs-5/y", "x.default.svc, default/y", id="part of an address"),
        pytest.param("the latest news", "the latest news", id="the end of a word"),
        pytest.param("tests in docs-55", "tests in docs-55", id="the beginning of a word"),
        pytest.param("node/test met", "node/lab-node met", id="a short name"),
        pytest.param("test accuracy 0.87", "test accuracy 0.87", id="a word that the page has"),
    ],
)
def test_only_whole_names_become_those_of_the_page(line, shown):
    aliases = {"docs-5": "default", "test": "lab-node"}
    page = ["...", "test accuracy 0...", "node/lab-node met"]
    assert renamed([line], aliases, page) == [shown]


def test_a_name_is_replaced_once():
    assert renamed(["a b"], {"a": "b", "b": "a"}, []) == ["b a"]


@pytest.mark.parametrize(
    ("page", "run", "same"),
    [
        pytest.param(["a", "...", "z"], ["a", "b", "c", "z"], True, id="several lines"),
        pytest.param(["a", "...", "z"], ["a", "z"], True, id="no line"),
        pytest.param(["...", "z"], ["a", "z", "y"], False, id="the end has to come"),
        pytest.param(["a", "..."], ["a", "b"], True, id="dots at the end"),
        pytest.param(["a"], ["a", "", ""], True, id="empty lines at the end"),
        pytest.param(["a"], ["a", "b"], False, id="one line too many"),
        pytest.param(["a", "b"], ["a"], False, id="one line too few"),
        pytest.param([], ["a"], False, id="output where the page shows none"),
        pytest.param([], [], True, id="nothing"),
    ],
)
def test_dots_alone_on_a_line_stand_for_lines(page, run, same):
    assert (difference(page, run) is None) == same


LINES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)
PAGES = st.lists(st.sampled_from(["a", "b", "c", "..."]), max_size=7)


@given(PAGES, LINES)
def test_dots_for_lines_mean_what_a_regular_expression_would(page, run):
    pattern = "".join("(?:[^\n]*\n)*" if line == "..." else f"{line}\n" for line in page)
    assert fits(page, run) == bool(re.fullmatch(pattern, "".join(f"{line}\n" for line in run)))


@given(PAGES, LINES)
def test_dots_within_a_line_mean_what_a_regular_expression_would(page, run):
    pattern = "".join(".*" if text == "..." else text for text in page)
    assert line_fits("".join(page), "".join(run)) == bool(re.fullmatch(pattern, "".join(run)))


def test_each_line_is_tried_once_however_many_dots_there_are(monkeypatch):
    tried = []
    monkeypatch.setattr(
        compare, "line_fits", lambda wanted, line: tried.append(line) or wanted == line
    )
    page = [line for nth in range(40) for line in ("...", f"{nth}")]
    run = [str(nth % 39) for nth in range(5000)]
    assert not fits([*page, "...", "end"], [*run, "end"])
    assert len(tried) <= len(run) + len(page)


def test_many_dots_in_one_long_line_end_at_once():
    assert not line_fits("...".join("a" * 40) + "...b...", "a" * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("the tf-job-operator-config of the chart", id="names of the workshop"),
        pytest.param("example-tfjob example-job module5-ex1 grpc_tensorflow_server", id="examples"),
        pytest.param("/usr/lib/nvidia-384/bin /usr/lib/x86_64-linux-gnu/libcuda.so.1", id="paths"),
        pytest.param("cpu: 100m, 500 steps", id="quantities"),
        pytest.param("step 100/500 loss 0.5123 accuracy 0.8125", id="the log of a training"),
    ],
)
def test_words_are_not_taken_for_something_random(text):
    assert normalise(text) == text
