"""Module 3: cheats; clusters that a recording does not show; and what cannot be told."""

import copy
import json
from functools import cache

import pytest

from tests.validator.cases import MISTAKES
from tests.validator.cases_module3 import CHEATS, MODULE3
from tests.validator.stage import fits
from validator import (
    devices,
    exercises,  # noqa: F401 (registers the exercises)
)
from validator.engine import EXERCISES, grade_one
from validator.handin.whitelist import whitelisted
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

WRONG, DONE, BLOCKED = Verdict.WRONG, Verdict.DONE, Verdict.BLOCKED
COULD_NOT, NOT_STARTED = Verdict.COULD_NOT_CHECK, Verdict.NOT_STARTED
GPUS = ("nvidia.com/gpu", "alpha.kubernetes.io/nvidia-gpu")


@cache
def recorded(case):
    return json.loads(case.snapshot.read_text())


def world(title, *changes):
    """A recorded world, changed."""
    data = copy.deepcopy(recorded(next(c for c in MODULE3 if c.title == title)))
    for change in changes:
        change(data)
    return data


def said(title, *changes):
    grade = grade_one(Snapshot(world(title, *changes)), EXERCISES[title[:3]])
    return grade.verdict, grade.finding.id if grade.finding else ""


# What is no solution


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_a_cheat_is_not_done(case):
    grade = grade_one(Snapshot(recorded(case)), EXERCISES[case.exercise])
    assert grade.verdict is not DONE
    assert fits(case, grade), grade.finding


def test_every_manifest_of_a_cheat_is_played():
    folder = MISTAKES.parent / "cheats/commands"
    assert {path.stem for path in folder.glob("3.*.yaml")} == {case.title for case in CHEATS}


def test_each_exercise_has_two_cheats_or_more():
    numbers = [case.exercise for case in CHEATS]
    assert all(numbers.count(number) >= 2 for number in ("3.1", "3.2", "3.3"))


# Clusters that cannot do it


def without(*resources):
    def change(data):
        for node in data["objects"]["nodes"]:
            for resource in resources:
                del node["status"]["allocatable"][resource]

    return change


def no_slices(data):
    data["objects"]["resourceslices"] = []


def refused(kind, status):
    def change(data):
        data["objects"].pop(kind, None)
        data["missing"][kind] = {"status": status, "message": "no"}

    return change


def small_cards(data):
    for device in data["objects"]["resourceslices"][0]["spec"]["devices"]:
        device["capacity"]["memory"]["value"] = "24Gi"


@pytest.mark.parametrize(
    ("title", "change", "id"),
    [
        pytest.param("3.1-nothing-made", without(*GPUS), "gpus.none", id="no GPUs for 3.1"),
        pytest.param("3.2-nothing-made", without(*GPUS), "gpus.none", id="no GPUs for 3.2"),
        pytest.param("3.2-nothing-made", without(GPUS[0]), "gpus.none", id="the old name alone"),
        pytest.param("3.3-nothing-made", no_slices, "dra.none", id="no devices"),
        pytest.param("3.3-nothing-made", refused("resourceslices", 404), "dra.none", id="no DRA"),
        pytest.param("3.3-nothing-made", small_cards, "dra.small", id="small cards alone"),
    ],
)
def test_a_cluster_that_cannot_do_it_blocks_and_nothing_is_lost(title, change, id):
    grade = grade_one(Snapshot(world(title, change)), EXERCISES[title[:3]])
    assert (grade.verdict, grade.finding.id) == (BLOCKED, f"exists.needs.{id}")
    assert "Nothing is lost" in grade.finding.next_step


@pytest.mark.parametrize("resource", GPUS)
def test_one_name_of_the_gpu_is_enough_for_the_first_exercise(resource):
    assert said("3.1-nothing-made", without(resource)) == (NOT_STARTED, "exists.none")


def test_who_may_not_see_the_cards_is_not_blocked():
    nobody = refused("resourceslices", 403)
    assert said("3.3-nothing-made", nobody) == (NOT_STARTED, "exists.none")
    assert said("3.3-solution", nobody, refused("deviceclasses", 403)) == (DONE, "")


# Hardware


def real(data):
    """Cards that are no simulation."""
    for node in data["objects"]["nodes"]:
        node["metadata"]["labels"]["nvidia.com/gpu.product"] = "NVIDIA-A100-SXM4-40GB"


def test_where_the_driver_is_on_a_real_node_only_the_node_knows():
    assert said("3.1-wrong-folder") == (WRONG, "drivers.wrong-folder")
    # Then its Pod decides.
    assert said("3.1-wrong-folder", real)[1].startswith("ends.")


def ended_well(data):
    for job in data["objects"]["jobs"]:
        job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}


def test_one_folder_is_too_few_even_where_nvidia_smi_needs_no_other():
    assert said("3.1-no-libraries", ended_well) == (WRONG, "drivers.missing")


# What is done stays done, and what cannot be told is not said


def no_template(data):
    data["objects"]["resourceclaimtemplates"] = []


def no_claim_given(data):
    for pod in data["objects"]["pods"]:
        pod["status"].pop("resourceClaimStatuses", None)


def card_of(mib):
    def change(data):
        for log in data["logs"].values():
            for part in ("head", "tail"):
                log[part] = log[part].replace("81920 MiB", f"{mib} MiB")

    return change


def amount(text):
    """The amount in the selector."""

    def change(data):
        (template,) = data["objects"]["resourceclaimtemplates"]
        (request,) = template["spec"]["spec"]["devices"]["requests"]
        expression = f"device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('{text}')) >= 0"
        request["exactly"]["selectors"] = [{"cel": {"expression": expression}}]

    return change


def by_number_too(data):
    for pod in data["objects"]["pods"]:
        pod["spec"]["containers"][0].setdefault("resources", {})["limits"] = {"nvidia.com/gpu": "1"}


def running(data):
    """The Job has not ended yet."""
    for job in data["objects"]["jobs"]:
        job["status"] = {}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param([no_slices], (DONE, ""), id="the cards are gone"),
        pytest.param([small_cards], (DONE, ""), id="the cards are others now"),
        pytest.param([no_template], (COULD_NOT, "template.gone"), id="the template is deleted"),
        pytest.param([no_template, running], (WRONG, "template.none"), id="before it has run"),
        pytest.param([no_claim_given], (WRONG, "memory.no-claim"), id="a Pod without a claim"),
        pytest.param([card_of(40960)], (WRONG, "memory.small"), id="a smaller card"),
        pytest.param([card_of(16384), by_number_too], (WRONG, "memory.both"), id="by number, too"),
        pytest.param([amount("48GiB")], (WRONG, "selector.amount"), id="GiB, as one says it"),
    ],
)
def test_a_solution_of_which_something_changed(changes, wanted):
    assert said("3.3-solution", *changes) == wanted


# The words of a selector

CARD = "device.capacity['gpu.nvidia.com'].memory"


@pytest.mark.parametrize(
    ("expression", "gib"),
    [
        (f"{CARD}.compareTo(quantity('48Gi')) >= 0", 48),
        (f'{CARD}.compareTo(quantity("64Gi")) > 0'.replace("'", '"'), 64),
        (f"{CARD}.isGreaterThan(quantity('40Gi'))", 40),
        (f"device.driver == 'x' && {CARD}.compareTo(quantity('80Gi')) == 0", 80),
        (f"quantity('48Gi').compareTo({CARD}) <= 0", None),
        ("device.attributes['gpu.nvidia.com'].productName == 'x'", None),
    ],
)
def test_the_least_memory_that_an_expression_takes(expression, gib):
    request = {"selectors": [{"cel": {"expression": expression}}]}
    assert devices.least_memory(request) == (gib and gib * devices.GIB)


def test_an_amount_beside_the_selectors_counts_too():
    assert devices.least_memory({"capacity": {"requests": {"memory": "48Gi"}}}) == 48 * devices.GIB


def test_an_expression_that_nobody_understands_accuses_nobody():
    def other_way_round(data):
        (template,) = data["objects"]["resourceclaimtemplates"]
        (request,) = template["spec"]["spec"]["devices"]["requests"]
        words = f"quantity('48Gi').compareTo({CARD}) <= 0"
        request["exactly"]["selectors"] = [{"cel": {"expression": words}}]

    assert said("3.3-solution", other_way_round) == (DONE, "")


# What a file keeps of others


def test_of_a_pod_that_holds_a_gpu_a_file_keeps_its_name_and_the_number_alone():
    data = world("3.2-held-by-others")
    (holder,) = [p for p in data["objects"]["pods"] if p["metadata"]["name"] == "holder"]
    holder["metadata"]["labels"] = {"name": "hunter2"}
    holder["spec"]["containers"][0].update(image="hunter2", args=["hunter2"])
    kept = whitelisted(data)["objects"]["pods"]
    assert "holder" in [pod["metadata"]["name"] for pod in kept]
    assert "hunter2" not in json.dumps(kept)
