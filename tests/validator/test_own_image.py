"""Exercise 1.1: an image of the learner's own. Most of it is the recorded worlds' to hold."""

from __future__ import annotations

import copy
import json

import pytest

from tests.validator.cases_module1 import CHEATS, MODULE1
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import grade
from validator.handin.whitelist import whitelisted
from validator.redaction import redact
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

SOLUTION = next(case for case in MODULE1 if case.name == "solution")


def recorded(case):
    return json.loads(case.snapshot.read_text())


def graded(data):
    (result,) = grade(Snapshot(data), ["1.1"])
    return result


@pytest.fixture
def data():
    return recorded(SOLUTION)


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_who_does_not_train_is_not_done(case):
    for data in (recorded(case), redact(whitelisted(recorded(case)))):
        result = graded(data)
        assert result.verdict is Verdict.WRONG
        assert result.finding.id == case.id


def test_a_snapshots_file_holds_no_other_container(data):
    data["objects"]["secrets"] = [{"metadata": {"name": "x"}}]
    data["logs"]["bank/docker"] = {"head": "x", "tail": "", "cut": False}
    kept = whitelisted(data)
    assert "secrets" not in kept["objects"]
    assert set(kept["logs"]) == {"module1-ex1/docker"}


def test_dockers_short_name_is_a_near_miss(data):
    for image in data["objects"]["images"]:
        if "module1" in image["metadata"]["name"]:
            image["spec"]["names"] = ["module1-ex1:v1"]
    finding = graded(data).finding
    assert finding.id == "exists.name.prefix"
    assert "$ docker tag module1-ex1:v1 localhost/module1-ex1:v1" in finding.fix


def test_an_image_under_a_registrys_name_is_the_clusters_too(data):
    for node in data["objects"]["nodes"]:
        for image in node["status"]["images"]:
            image["names"] = [n.replace("localhost/module1", "registry.example/a/module1")
                              for n in image["names"]]  # fmt: skip
    assert graded(data).verdict is Verdict.DONE


def test_without_the_right_to_read_nodes_nobody_is_accused(data):
    del data["objects"]["nodes"]
    data["missing"]["nodes"] = {"status": 403, "message": "nodes is forbidden"}
    assert graded(data).verdict is Verdict.COULD_NOT_CHECK


def test_on_another_machine_it_could_not_be_checked(data):
    """An instructor's engine is not the learner's: nothing of it is read."""
    for kind in ("engine", "images", "containers"):
        del data["objects"][kind]
    assert graded(data).verdict is Verdict.COULD_NOT_CHECK


def test_the_entry_point_may_have_the_number_of_steps(data):
    for image in data["objects"]["images"]:
        if "module1" in image["metadata"]["name"]:
            image["spec"]["entrypoint"] += ["--max-steps", "100"]
    data["objects"]["containers"][0]["spec"]["args"] = []
    assert graded(data).verdict is Verdict.DONE


def test_the_sample_image_may_be_gone_from_the_engine(data):
    images = data["objects"]["images"]
    data["objects"]["images"] = [i for i in images if "module1" in i["metadata"]["name"]]
    assert graded(copy.deepcopy(data)).verdict is Verdict.DONE
