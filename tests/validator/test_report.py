"""Reports: what a learner, a program and a CI server read."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from tests.validator import world
from validator import exercises, report  # noqa: F401 (registers the checks)
from validator.engine import Check, Exercise, Grade, Outcome, grade, ungraded
from validator.report import Look
from validator.verdicts import EXIT_CODES, Finding, Verdict

PLAIN = Look(width=80, symbols=False)


def grades(*changes):
    return grade(world.spoiled(*changes), ["5.0", "5.1"])


def one(found, verdict=Verdict.WRONG):
    check = Check("name", "It holds.", lambda cluster: None, ())
    finding = Finding(verdict, found, "that", "do it", "page#heading")
    return [
        Grade(
            Exercise("9.1", "Title", "page#heading"), verdict, (Outcome(check, verdict, finding),)
        )
    ]


def fifty(data):
    world.master(data)["args"] = ["--max-steps", "50"]


def test_a_failing_check_says_all_four_things():
    text = report.as_text(grades(fifty), [], PLAIN)
    for label in (
        "found:  --max-steps 50",
        "wanted: 500 steps",
        "next:",
        "read:   modules/5-tfjob",
    ):
        assert label in text


def test_a_done_exercise_shows_every_check_and_no_hint():
    text = report.as_text(grades()[:1], [], PLAIN)
    assert text.splitlines()[0] == "5.0  Install the operator: done"
    assert all(line.startswith("  + ") for line in text.splitlines()[1:])


@pytest.mark.parametrize("width", [36, 60, 100])
def test_no_line_is_wider_than_the_terminal(width):
    text = report.as_text(grades(fifty), ["a note " * 20], Look(width=width))
    words = max(len(word) for word in text.split())
    assert max(map(len, text.splitlines())) <= max(width, 14 + words)


def test_plain_is_ascii_without_colours():
    text = report.as_text(grades(fifty), [], PLAIN)
    assert text.isascii()
    assert "\x1b" not in text


def test_colours_are_only_colours():
    coloured = report.as_text(grades(fifty), [], Look(colour=True))
    bare = re.sub(r"\x1b\[\d+m", "", coloured)
    assert coloured != bare
    assert bare == report.as_text(grades(fifty), [], Look())


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("\x1b[2J\x1b]0;title\x07", id="escape sequences"),
        pytest.param("a\nnext:   rm -rf", id="a line break that fakes a line"),
        pytest.param("\u202egnp.exe", id="a direction override"),
        pytest.param("]]>&<x a='\"'>\x00", id="what XML cannot hold"),
    ],
)
def test_what_a_learner_named_does_not_steer_the_reader(hostile):
    for text in (report.as_text(one(hostile), [], Look()), report.as_junit(one(hostile))):
        assert not set(text) & set("\x1b\x07\x00\u202e")
    assert len(report.as_text(one(hostile), [], Look()).splitlines()) == 6
    assert ElementTree.fromstring(report.as_junit(one(hostile))) is not None


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.DONE])
def test_json_has_the_verdict_its_exit_code_and_the_next_step(verdict):
    document = json.loads(report.as_json(one("x", verdict), ["note"], {"namespace": "n"}))
    assert (document["verdict"], document["exit_code"]) == (verdict.value, EXIT_CODES[verdict])
    assert document["exercises"][0]["checks"][0]["next"] == "do it"
    assert (document["namespace"], document["notes"]) == ("n", ["note"])


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        pytest.param(Verdict.WRONG, "failure", id="a mistake is a failure"),
        pytest.param(Verdict.BLOCKED, "failure", id="so is a missing prerequisite"),
        pytest.param(Verdict.COULD_NOT_CHECK, "error", id="what could not be checked is an error"),
    ],
)
def test_junit_tells_failures_from_errors(verdict, tag):
    suite = ElementTree.fromstring(report.as_junit(one("x", verdict)))[0]
    assert suite.get("name") == "9.1 Title"
    assert suite.get("failures" if tag == "failure" else "errors") == "1"
    assert "next: do it" in suite[0].find(tag).text


def test_junit_counts_what_was_not_reached_as_skipped():
    suite = ElementTree.fromstring(report.as_junit(grades(fifty)))[1]
    skipped = len(suite.findall("testcase/skipped"))
    assert skipped == int(suite.get("skipped")) > 0


def test_the_overview_names_all_modules_and_the_next_step():
    text = report.overview(grades(world.no_tfjob), "namespace default", PLAIN)
    for line in ("0  Introduction", "   5.0  Install the operator: done", "9  Going further"):
        assert line in text.splitlines()
    assert "python -m validator module5 --exercise 1" in text


def test_without_a_cluster_every_exercise_says_why():
    why = Finding(Verdict.COULD_NOT_CHECK, "no cluster", "a cluster", "make lab")
    text = report.as_text(ungraded(["5.0", "5.1"], why), [], PLAIN)
    assert text.count("make lab") == 2


def test_erase_goes_up_as_many_lines_as_were_shown():
    assert report.erase("one\ntwo") == "\x1b[2A\x1b[J"
