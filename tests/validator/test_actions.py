"""solve and reset: which commands run, and that a learner sees what runs."""

import shlex
from pathlib import Path

import pytest

from tests.validator import world
from tests.validator.recorded_worlds import recorded
from validator import actions, exercises  # noqa: F401 (registers them)
from validator.connect.connection import Connection
from validator.engine import EXERCISES
from validator.snapshot import Snapshot

HERE = Connection(server="", context="lab", namespace="bob", files="")
SOLVABLE = [number for number, each in EXERCISES.items() if each.solution or each.install]


@pytest.fixture
def ran(monkeypatch):
    """The commands that would have run."""
    commands = []
    monkeypatch.setattr(actions, "_run", lambda words, files: commands.append(words) or "")
    return commands


def reset(data, *numbers):
    """The commands that delete what exercises have made in a world."""
    made = actions.reset_commands(Snapshot(data), [EXERCISES[n] for n in numbers], False)
    return [" ".join(words) for words in made]


def solve(number):
    """(commands, cluster) of what solves an exercise, whatever it needs."""
    cluster = Snapshot(world.cluster_with())
    return actions._solution(cluster, EXERCISES[number], Path(".")), cluster


@pytest.mark.parametrize("number", SOLVABLE)
def test_what_is_shown_is_what_runs(number, ran):
    commands, cluster = solve(number)
    shown = actions.shown(commands, cluster, HERE).splitlines()
    said = []
    actions.run_all(commands, cluster, HERE, said.append)
    assert [f"$ {line.strip()}" for line in shown] == said
    assert [shlex.split(line) for line in shown] == ran


@pytest.mark.parametrize("number", SOLVABLE)
def test_whatever_reaches_the_cluster_reaches_the_learners_part_of_it(number, ran):
    actions.run_all(*solve(number), HERE, lambda line: None)
    for words in ran:
        own = words[: words.index("--")] if "--" in words else words
        assert not [word for word in words[len(own) :] if word.startswith(("--name", "--cont"))]
        if words[0] in ("kubectl", "helm") or words[1].endswith((".sh", ".py")):
            assert "--namespace=bob" in own
            assert {"--context=lab", "--kube-context=lab"} & set(own)


def test_reset_removes_the_container_and_then_the_image_that_it_keeps():
    assert reset(recorded("1.1-solution"), "1.1") == [
        "docker rm --force module1-ex1",
        "docker rmi localhost/module1-ex1:v1",
    ]


def test_reset_leaves_an_engine_that_does_not_answer():
    assert reset(recorded("1.1-engine-stopped"), "1.1") == []


@pytest.mark.parametrize(
    ("number", "kind", "plural"),
    [
        pytest.param("9.1", "tfjob", "tfjobs", id="without an operator"),
        pytest.param("9.4", "podgroup", "podgroups", id="without PodGroups"),
        pytest.param(
            "3.3", "resourceclaimtemplate", "resourceclaimtemplates", id="without devices"
        ),
    ],
)
def test_reset_names_no_kind_that_the_cluster_does_not_serve(number, kind, plural):
    def named(*changes):
        data = world.spoiled(*changes, of=world.cluster_with()).data
        return any(line.startswith(f"kubectl delete {kind} ") for line in reset(data, number))

    assert named(world.forbid(plural, 403))
    assert not named(world.forbid(plural, 404))
