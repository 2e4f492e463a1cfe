"""0.1: what the line on a cluster's abilities says, and what cannot be read accuses nobody."""

import copy
import json

import pytest

from tests.validator.cases import SNAPSHOTS
from validator import exercises, report  # noqa: F401 (registers the checks)
from validator.engine import EXERCISES, grade_one
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

READY = json.loads((SNAPSHOTS / "0.1-solution.json").read_text())
BEGIN = "Context workshop: "


def judged(*edits):
    data = copy.deepcopy(READY)
    for edit in edits:
        edit(data)
    return grade_one(Snapshot(data), EXERCISES["0.1"])


def forbid(kind):
    def edit(data):
        data["missing"][kind] = {"status": 403, "message": "forbidden"}

    return edit


def resources(**amounts):
    """Of all nodes: GPUs of these names, and no others."""

    def edit(data):
        for node in data["objects"]["nodes"]:
            there = node["status"]["allocatable"]
            kept = {name: amount for name, amount in there.items() if "gpu" not in name}
            node["status"]["allocatable"] = {**kept, **amounts}

    return edit


def real_gpus(data):
    for node in data["objects"]["nodes"]:
        node["metadata"]["labels"].pop("nvidia.com/gpu.product")


def second_node(data):
    data["objects"]["nodes"] *= 2


def without_cards(data):
    data["objects"]["resourceslices"] = []


def without_groups(data):
    data["groups"] = ["apps"]


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        pytest.param(
            [], "1 node, 4 simulated GPUs (nvidia.com/gpu or alpha.kubernetes.io/nvidia-gpu), "
            "2 by claim, default storage, metrics, PodGroups.", id="the lab",
        ),
        pytest.param(
            [resources(), without_groups, without_cards],
            "1 node, no GPUs, default storage, no metrics, no PodGroups.", id="a small one",
        ),
        pytest.param(
            [resources(**{"nvidia.com/gpu": "1"}), real_gpus],
            "1 node, 1 GPU (nvidia.com/gpu), 2 by claim, default storage, metrics, PodGroups.",
            id="a real GPU",
        ),
        pytest.param(
            [resources(**{"nvidia.com/gpu": "2"}), real_gpus, second_node],
            "2 nodes, 4 GPUs (nvidia.com/gpu), 2 by claim, default storage, metrics, PodGroups.",
            id="GPUs of all nodes",
        ),
    ],
)  # fmt: skip
def test_what_a_cluster_can_do_is_told_in_one_line(edits, said):
    grade = judged(*edits)
    assert grade.verdict is Verdict.DONE
    assert grade.said == BEGIN + said
    shown = report.as_text([grade], [], report.Look(width=500))
    assert f"\n  {BEGIN}{said}" in shown


def test_nothing_is_told_of_a_lab_that_is_not_ready():
    assert judged(lambda data: data["objects"].update(storageclasses=[])).said == ""


@pytest.mark.parametrize(
    ("edit", "verdict"),
    [
        pytest.param(forbid("dns"), Verdict.DONE, id="the cluster's DNS"),
        pytest.param(forbid("storageclasses"), Verdict.COULD_NOT_CHECK, id="StorageClasses"),
        pytest.param(forbid("nodes"), Verdict.COULD_NOT_CHECK, id="nodes"),
        pytest.param(
            lambda data: data["objects"].pop("storageclasses"), Verdict.COULD_NOT_CHECK,
            id="a file of an older checkout",
        ),
        pytest.param(
            lambda data: data["objects"].update(dns=[]), Verdict.DONE, id="a DNS of another name"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_accuses_nobody(edit, verdict):
    assert judged(edit).verdict is verdict
