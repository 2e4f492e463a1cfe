"""Comparing outputs: what may differ from run to run, and that all else may not."""

import pytest

from modules.compare import difference, normalise


@pytest.mark.parametrize(
    ("page", "run"),
    [
        pytest.param("pod   1/1   Running   7s", "pod   1/1   Running   2m13s", id="an age"),
        pytest.param("x   Running   1 (3s ago)   9s", "x   Running   1 (12s ago)   1m", id="ago"),
        pytest.param(
            "tf-job-operator-6d5f7c9b8-x2x4z   1/1",
            "tf-job-operator-74bb9fd4cc-9zqwd   1/1",
            id="a Deployment's pod",
        ),
        pytest.param(
            "job-x7k2p   1/1",
            "job-b2wmz        1/1",
            id="a Job's pod, and the width of its column",
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
        pytest.param("a.c", "abc", id="a dot is a dot"),
        pytest.param("j-master-76no-0", "j-worker-76no-0", id="another replica type"),
    ],
)
def test_these_are_different(page, run):
    shown = difference([page], [run])
    assert shown is not None
    assert "-" + normalise(page) in shown
    assert "+" + normalise(run) in shown


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
