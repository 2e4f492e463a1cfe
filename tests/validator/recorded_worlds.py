"""A recorded world, changed in one thing: what the validator says of it."""

import copy
import json
from functools import cache

from tests.validator.cases import SNAPSHOTS
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, grade_one
from validator.snapshot import Snapshot


@cache
def recorded(title):
    return json.loads((SNAPSHOTS / f"{title}.json").read_text())


def judged(title, edit):
    """(verdict, the finding's id) of a recorded solution, changed in one thing."""
    data = copy.deepcopy(recorded(title))
    edit(data)
    made = grade_one(Snapshot(data), EXERCISES[title.partition("-")[0]])
    return made.verdict, made.finding.id if made.finding else ""


def the(data, kind, name):
    return next(o for o in data["objects"][kind] if o["metadata"]["name"] == name)


def without_gpus(data):
    for node in data["objects"]["nodes"]:
        gpus = [name for name in node["status"]["allocatable"] if "gpu" in name]
        for name in gpus:
            del node["status"]["allocatable"][name]
