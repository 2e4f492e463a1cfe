"""Whatever a snapshot holds: never a traceback, and never done where evidence was destroyed."""

from __future__ import annotations

import copy
import json
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.validator.api_server import Reply, serve
from validator import cluster, exercises, report  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, grade, verdict_of
from validator.kubeconfig import connect
from validator.snapshot import Snapshot, Unreadable
from validator.verdicts import Verdict

HERE = Path(__file__).resolve().parent
WORLDS = [
    json.loads(path.read_text())
    for path in (
        HERE / "cheat_snapshots/honest/5.1-abbreviated.json",
        HERE / "cheat_snapshots/honest/5.1-script.json",
        HERE / "cheat_snapshots/honest/6.2-worker-lost.json",
        HERE / "cheat_snapshots/6.1-workers-sleep.json",
        HERE / "cheat_snapshots/5.1-edited-status.json",
        HERE / "cheat_snapshots/6.2-after-the-end.json",
    )
]
NUMBERS = list(EXERCISES)
LOOKS = [
    report.Look(width=80, root="", colour=True, symbols=True),
    report.Look(width=20, root="../", colour=False, symbols=False),
]
PROFILE = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
ESCAPES = "\x1b[31m\x1b]8;;http://x\x07\u202eevil\u2066\x00\x9b2J\r\ud800"
ODD = [
    None, True, 0, -1, 3, 10**30, -(10**30), 1.5, float("inf"), float("nan"), "", "x", ESCAPES,
    "9" * 5000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-45T99:99:99Z",
    "2026-01-31T12:00:00Z", [], {}, [[]], [{}], [None], {"": None}, {"a": {"b": [1]}}, [1, "2"],
    {"name": 5}, ["--max-steps", 500],
]  # fmt: skip

json_values = st.recursive(
    st.sampled_from([v for v in ODD if not isinstance(v, list | dict)]) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def judged(data: Any) -> list[Any]:
    """Grade and report as the command line does. Nothing here may raise."""
    seen = Snapshot(data)
    grades = grade(seen, NUMBERS)
    for look in LOOKS:
        text = report.as_text(grades, [], look)
        assert_clean(text, look.colour)
    document = report.as_json(grades, [], {})
    json.loads(document)
    report.as_junit(grades, seen.taken.isoformat()).encode("utf-8", "replace")
    verdict_of(grades)
    return grades


def assert_clean(text: str, colour: bool = False) -> None:
    """No letter that moves the cursor, or turns the direction of what follows."""
    for letter in "\x00\x07\x9b\r\u202e\u2066":
        assert letter not in text
    if not colour:
        assert "\x1b" not in text


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a snapshot, but for those that make it one."""
    found = [path] if len(path) > 1 or path[:1] in (("taken",), ("context",), ("flags",)) else []
    if isinstance(node, dict):
        return found + [p for k, v in node.items() for p in places(v, (*path, k))]
    if isinstance(node, list):
        return found + [p for i, v in enumerate(node) for p in places(v, (*path, i))]
    return found


PLACES = [places(world) for world in WORLDS]


def put(node: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value


@PROFILE
@given(st.data())
def test_anything_anywhere_raises_nothing(data):
    number = data.draw(st.integers(0, len(WORLDS) - 1))
    world = copy.deepcopy(WORLDS[number])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(PLACES[number]))
        value = data.draw(st.sampled_from(ODD) | json_values)
        try:
            put(world, path, copy.deepcopy(value))
        except (KeyError, IndexError, TypeError):
            continue  # Something else was put above it.
    judged(world)


@PROFILE
@given(st.dictionaries(st.sampled_from([*cluster.LISTS, "pods", "helm", "x"]), json_values))
def test_lists_of_anything_raise_nothing(objects):
    world = copy.deepcopy(WORLDS[0])
    world["objects"] = objects
    world["operator"] = objects
    assert judged(world)[1].verdict is not Verdict.DONE


@pytest.mark.parametrize("turn", range(4))
def test_an_odd_value_in_each_field_of_the_training(turn):
    """Every field of the TfJob and of its Pod, one after the other, each with another value."""
    world, values = WORLDS[0], random.Random(turn)
    for kind in ("tfjobs", "pods"):
        last = len(world["objects"][kind]) - 1
        for path in places(world["objects"][kind][last], ("objects", kind, last)):
            changed = {**world, "objects": copy.deepcopy(world["objects"])}
            put(changed, path, values.choice(ODD))
            (result,) = grade(Snapshot(changed), ["5.1"])
            report.as_text([result], [], LOOKS[1])


# Without these there is no evidence; whatever is put in their place, it is not done.
EVIDENCE = [
    ("tfjobs", ("metadata", "uid")),
    ("tfjobs", ("metadata", "name")),
    ("tfjobs", ("spec", "replicaSpecs")),
    ("tfjobs", ("status",)),
    ("tfjobs", ("status", "runtimeId")),
    ("jobs", ("metadata", "ownerReferences")),
    ("pods", ("metadata", "ownerReferences")),
    ("pods", ("metadata", "name")),
    ("pods", ("spec", "containers")),
    ("pods", ("status", "containerStatuses")),
]


@PROFILE
@given(st.sampled_from(EVIDENCE), st.sampled_from(ODD) | json_values)
def test_it_is_not_done_where_evidence_was_destroyed(place, value):
    kind, path = place
    world = copy.deepcopy(WORLDS[0])
    last = len(world["objects"][kind]) - 1
    put(world["objects"][kind][last], path, value)
    assert judged(world)[NUMBERS.index("5.1")].verdict is not Verdict.DONE


@PROFILE
@given(st.integers(0, 10**6), st.integers(1, 400))
def test_it_is_not_done_where_the_log_was_destroyed(seed, count):
    """Some hundred letters of the log, in whatever lines, are replaced."""
    world = copy.deepcopy(WORLDS[0])
    ((key, log),) = world["logs"].items()
    lines = (log["head"] + log["tail"]).splitlines(keepends=True)
    dice = random.Random(seed)
    steps = [
        i for i, line in enumerate(lines) if " of the cluster " in line or " step 500/" in line
    ]
    lines[dice.choice(steps)] = "".join(dice.choices(ESCAPES[:-1] + "ab \n", k=count)) + "\n"
    world["logs"][key] = {"head": "".join(lines), "tail": "", "cut": False}
    assert judged(world)[NUMBERS.index("5.1")].verdict is not Verdict.DONE


@pytest.mark.parametrize("what", ["metadata", "spec", "status"])
@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_objects_without_what_all_objects_have(what, value):
    for number in range(len(WORLDS)):
        world = copy.deepcopy(WORLDS[number])
        for items in (*world["objects"].values(), *world["operator"].values()):
            for item in items:
                item[what] = value
        for result in judged(world):
            assert result.verdict is not Verdict.DONE


def test_names_and_logs_with_codes_for_the_terminal():
    world = copy.deepcopy(WORLDS[4])
    text = json.dumps(world).replace("module5-ex1-master", "module5-ex1-master\\u001b[2J\\u202e")
    world = json.loads(text)
    for log in world["logs"].values():
        log["head"] += f"2026-11-25T20:56:00Z {ESCAPES[:-1]}\n"
    world["objects"]["events"][0]["message"] = ESCAPES
    judged(world)


def test_deep_nesting_raises_nothing():
    deep: Any = {}
    for _ in range(600):
        deep = {"a": [deep]}
    world = copy.deepcopy(WORLDS[0])
    for kind in ("tfjobs", "pods"):
        world["objects"][kind][-1]["spec"]["x"] = deep
        world["objects"][kind][-1]["status"]["conditions"] = deep
    judged(world)


@pytest.mark.parametrize("replicas", [-1, -(10**9), 10**12, 0, 2])
def test_another_number_of_replicas_is_not_done(replicas):
    world = copy.deepcopy(WORLDS[0])
    world["objects"]["tfjobs"][-1]["spec"]["replicaSpecs"][0]["replicas"] = replicas
    assert judged(world)[NUMBERS.index("5.1")].verdict is not Verdict.DONE


@pytest.mark.parametrize(
    "time_", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "soon", ""]
)
def test_times_of_another_age_raise_nothing(time_):
    for number in range(len(WORLDS)):
        world = copy.deepcopy(WORLDS[number])
        for path in PLACES[number]:
            if path[-1] in ("creationTimestamp", "lastTransitionTime", "startedAt", "taken",
                            "finishedAt", "lastTimestamp", "eventTime", "renewTime"):  # fmt: skip
                put(world, path, time_)
        judged(world)


def test_ten_thousand_pods_and_events_are_graded_quickly():
    world = copy.deepcopy(WORLDS[0])
    pod, event = world["objects"]["pods"][-1], world["objects"]["events"][-1]
    for kind, item in (("pods", pod), ("events", event)):
        for number in range(10_000):
            other = dict(item)
            other["metadata"] = {
                **item["metadata"],
                "name": f"other-{number}",
                "uid": f"other-{number}",
                "ownerReferences": [{"uid": f"owner-{number}", "controller": True}],
            }
            world["objects"][kind].append(other)
    begun = time.process_time()
    (result,) = grade(Snapshot(world), ["5.1"])
    assert time.process_time() - begun < 2.0
    assert result.verdict is Verdict.DONE


def test_a_log_of_very_long_lines_is_read_quickly():
    world = copy.deepcopy(WORLDS[2])
    for log in world["logs"].values():
        log["head"] = (
            "2026-11-25T20:23:06Z /job:worker/replica:0/task:1 " * 20_000 + "\n" + log["head"]
        )
    begun = time.process_time()
    grade(Snapshot(world), ["6.2"])
    assert time.process_time() - begun < 2.0


# --- the API at its worst --------------------------------------------------------------------


@pytest.fixture
def api(tmp_path):
    """The first world, served."""
    with serve() as server:
        server.default = 404
        world = WORLDS[0]
        where = {"{ns}": "learner"}
        for label, (path, _) in cluster.LISTS.items():
            section, kind = cluster.place(label)
            listed = path.replace("{ns}", where["{ns}"]).partition("?")[0]
            items = copy.deepcopy(world[section].get(kind, []))
            server.answers[listed] = json.dumps({"metadata": {}, "items": items})
        server.answers["/apis"] = json.dumps({"groups": []})
        (key,) = world["logs"]
        pod = key.partition("/")[0]
        server.log = f"/api/v1/namespaces/learner/pods/{pod}/log"
        server.answers[server.log] = world["logs"][key]["head"]
        server.connection = replace(connect(str(server.kubeconfig(tmp_path)), None, None))
        yield server


def read(server) -> Any:
    data = cluster.read(server.connection, [EXERCISES["5.1"]])
    (result,) = grade(Snapshot(data), ["5.1"])
    judged(data)
    return result


def test_the_world_as_it_is_is_done(api):
    assert read(api).verdict is Verdict.DONE


@pytest.mark.parametrize("status", [400, 403, 404, 410, 500])
def test_a_log_that_cannot_be_had_is_not_checked(api, status):
    """404: the Pod was deleted between the list and its log."""
    api.answers[api.log] = status
    assert read(api).verdict is Verdict.COULD_NOT_CHECK


def test_a_log_that_is_no_text_raises_nothing(api):
    whole = str(api.answers[api.log])
    middle = len(whole) // 2
    broken = whole[:middle] + "\udcff\udc80" + whole[middle:]
    assert read(api).verdict is Verdict.DONE
    api.answers[api.log] = Reply(200, broken.encode("utf-8", "replace").decode())
    assert read(api).verdict in (Verdict.DONE, Verdict.WRONG, Verdict.COULD_NOT_CHECK)


@pytest.mark.parametrize(
    "body",
    ["", "null", "5", "[]", '{"items": null}', '{"items": 5}', '{"items": [null, 5, []]}', "<html>",
     '{"items": [{"metadata": null}]}'],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["tfjobs", "pods", "jobs"])
def test_an_answer_that_is_no_list_raises_nothing(api, kind, body):
    path = cluster.LISTS[kind][0].replace("{ns}", "learner")
    api.answers[path] = Reply(200, body)
    assert read(api).verdict is not Verdict.DONE


def test_a_log_that_is_not_part_of_what_was_read_is_not_checked():
    world = copy.deepcopy(WORLDS[0])
    world["logs"] = {}
    with pytest.raises(Unreadable):
        Snapshot(world).log({"metadata": {"name": "x"}}, "y")
    assert judged(world)[NUMBERS.index("5.1")].verdict is Verdict.COULD_NOT_CHECK
