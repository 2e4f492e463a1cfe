"""Reports: what a learner, a program and a CI server read."""

import json
import re
import shlex
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validator import tiny
from validator import exercises, report  # noqa: F401 (registers the exercises)
from validator.look import clean, columns
from validator.report import Look
from validator.verdicts import EXIT_CODES, Verdict

PLAIN = Look(width=80, symbols=False)
COLOUR = re.compile(r"\x1b\[\d+m")
NOT_DONE = [verdict for verdict in Verdict if verdict is not Verdict.DONE]
FIX = (
    "Set the number of steps in your manifest.",
    "Then make it again:",
    "$ kubectl delete tfjob thing",
    "$ kubectl apply -f {checkout}/my-thing.yaml",
)
LONG = tiny.finding("a mistake of many words, " * 8, fix=FIX)
HOSTILE = [
    pytest.param("\x1b[2J\x1b]0;title\x07", id="escape sequences"),
    pytest.param("\x9b2J\x85", id="escape sequences of eight bits"),
    pytest.param("a\nfix: rm -rf", id="a line break that fakes a line"),
    pytest.param("a\u2028fix: rm -rf", id="a line separator that fakes a line"),
    pytest.param("\u202egnp.exe\u2066", id="a direction override"),
    pytest.param("]]>&<x a='\"'>\x00\ufffe", id="what XML cannot hold"),
    pytest.param("\ud800", id="half a character"),
]


def text(*grades, look=PLAIN, notes=()):
    return report.as_text(grades, notes, look)


def unseen(words):
    """The characters that steer a terminal, hide, or change the direction."""
    return [c for c in words if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029"]


class TestText:
    def test_a_failing_check_says_all_four_things(self):
        assert text(tiny.graded(None, tiny.finding("--max-steps 50", fix=FIX))) == (
            "9.1  Title: wrong\n"
            "  + Check 0 holds.\n"
            "  x Check 1 holds.\n"
            "      found:  --max-steps 50\n"
            "      wanted: that\n"
            "      fix:    1. Set the number of steps in your manifest.\n"
            "              2. Then make it again:\n"
            "                   kubectl delete tfjob thing\n"
            "                   kubectl apply -f my-thing.yaml\n"
            "      page:   modules/5-tfjob/README.md#exercise-1"
        )

    def test_on_a_narrow_terminal_the_labels_take_less_room(self):
        found = tiny.finding("a mistake that takes more than one line", fix=FIX)
        assert text(tiny.graded(found), look=Look(width=40)) == (
            "9.1  Title: wrong\n"
            "  ✘ Check 0 holds.\n"
            "    found:  a mistake that takes more\n"
            "      than one line\n"
            "    wanted: that\n"
            "    fix:\n"
            "      1. Set the number of steps in your\n"
            "         manifest.\n"
            "      2. Then make it again:\n"
            "         kubectl delete tfjob thing\n"
            "         kubectl apply -f my-thing.yaml\n"
            "    page:   modules/5-tfjob/README.md#exercise-1"
        )

    def test_a_single_step_has_no_number(self):
        assert "      fix:    Do it.\n" in text(tiny.graded(tiny.finding()))

    def test_a_command_stands_alone_even_as_the_first_step(self):
        lines = text(tiny.graded(tiny.finding(fix=("$ kubectl get pods",)))).splitlines()
        assert [line.strip() for line in lines[4:6]] == ["fix:", "kubectl get pods"]

    def test_checks_that_were_not_run_are_counted(self):
        grade = tiny.graded(tiny.finding(), None, None)
        outcomes = [grade.outcomes[0], *(_not_run(o) for o in grade.outcomes[1:])]
        shown = text(_with(grade, outcomes))
        assert shown.splitlines()[-1] == "  . 2 more checks not run yet"
        one = text(_with(grade, outcomes[:2]))
        assert one.splitlines()[-1] == "  . 1 more check not run yet"

    def test_a_done_exercise_shows_every_check_and_no_hint(self):
        assert text(tiny.graded(None, None)).splitlines() == [
            "9.1  Title: done",
            "  + Check 0 holds.",
            "  + Check 1 holds.",
        ]

    def test_a_bonus_is_called_so(self):
        assert text(tiny.graded(None, optional=True)).startswith("9.1  Title (bonus): done")

    def test_notes_come_last(self):
        shown = text(tiny.graded(None), notes=["no permission to read nodes"])
        assert shown.endswith("\n\nNote: no permission to read nodes")

    @pytest.mark.parametrize("width", [20, 40, 60, 100])
    def test_no_line_is_wider_than_the_terminal_but_for_what_must_not_break(self, width):
        grade = tiny.graded(None, LONG, title="A title of a great many words")
        for line in text(grade, look=Look(width), notes=["a note " * 20]).splitlines():
            unbreakable = "kubectl" in line or "page:" in line
            assert unbreakable or columns(line) <= width

    def test_a_verdict_is_not_broken(self):
        grade = tiny.graded(tiny.finding(verdict=Verdict.NOT_STARTED), title="A title of many")
        assert text(grade, look=Look(32)).startswith("9.1  A title of many:\n     not started\n")

    def test_plain_is_ascii_without_colours(self):
        shown = text(tiny.graded(None, tiny.finding("no line `step n/N loss …` – at all")))
        assert shown.isascii()
        assert "step n/N loss ..." in shown

    @pytest.mark.parametrize("width", [30, 60, 80])
    def test_colours_are_only_colours(self, width):
        grades = [tiny.graded(None, LONG), tiny.graded(tiny.finding(verdict=Verdict.BLOCKED))]
        coloured = text(*grades, look=Look(width, colour=True))
        bare = COLOUR.sub("", coloured)
        assert coloured != bare
        assert bare == text(*grades, look=Look(width))

    def test_every_verdict_has_a_mark_of_its_own(self):
        for look in (Look(), PLAIN):
            assert len({look.mark(verdict) for verdict in [*Verdict, None]}) == len(Verdict) + 1

    def test_wide_letters_take_two_columns_and_accents_none(self):
        assert [columns(word) for word in ("ab", "山田", "e\u0301", "\x1b[31mx\x1b[0m")] == [
            2,
            4,
            1,
            1,
        ]
        shown = text(tiny.graded(tiny.finding("山田太郎 " * 20)))
        found = [line for line in shown.splitlines() if "山" in line]
        assert {line.count("山") for line in found} == {7, 6}

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_what_a_learner_named_does_not_steer_the_reader(self, hostile):
        found = tiny.finding(hostile, fix=(f"See {hostile}.", f"$ kubectl logs '{hostile}'"))
        shown = text(tiny.graded(found), notes=[hostile])
        assert not unseen(shown.replace("\n", ""))
        assert len(shown.splitlines()) == 9

    def test_a_name_without_an_end_is_cut(self):
        shown = text(tiny.graded(tiny.finding("x" * 1_000_000)), look=Look())
        assert len(shown) < 5000
        assert "xxx…\n" in shown

    @settings(deadline=None)
    @given(st.text(), st.integers(20, 120))
    def test_wrapping_loses_no_word(self, words, width):
        shown = Look(width).wrap(words, "  found: ", "    ")
        assert shown.split() == ["found:", *clean(words).split()]
        assert not unseen(shown.replace("\n", ""))
        for line in shown.splitlines():
            assert columns(line) <= width or len(line.removeprefix("  found:").split()) <= 1


class TestCommands:
    def shown(self, command, root=""):
        lines = text(tiny.graded(tiny.finding(fix=("Run:", f"$ {command}"))), look=Look(40, root))
        (line,) = [line for line in lines.splitlines() if line.strip().startswith("kubectl")]
        return line

    def test_a_command_is_never_broken_and_keeps_its_quotes(self):
        patch = """kubectl patch job thing --patch '{"spec":  {"suspend": false}}'"""
        assert self.shown(patch).strip() == patch

    @pytest.mark.parametrize("root", ["", "../../", "../my labs/", "/tmp/$x/"])
    def test_a_path_leads_from_the_current_folder_whatever_its_name(self, root):
        line = self.shown("kubectl apply -f {checkout}/my.yaml", root)
        assert shlex.split(line) == ["kubectl", "apply", "-f", f"{root}my.yaml"]

    @settings(deadline=None)
    @given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
    def test_a_name_in_a_command_can_be_pasted(self, name):
        line = self.shown(f"kubectl logs {shlex.quote(name)}")
        assert shlex.split(line) == ["kubectl", "logs", name]


class TestOneLine:
    def test_the_first_exercise_that_is_not_done_with_what_was_found(self):
        grades = [tiny.graded(None, number="9.0"), tiny.graded(tiny.finding("x\ny {checkout}/z"))]
        assert report.as_line(grades, PLAIN) == "9.1  Title: wrong: x y z"

    def test_the_last_where_all_are_done(self):
        grades = [tiny.graded(None, number="9.0"), tiny.graded(None)]
        assert report.as_line(grades, PLAIN) == "9.1  Title: done"


@pytest.mark.parametrize(
    ("shown", "width", "up"),
    [
        pytest.param("one\ntwo", 0, 2, id="as many lines as there are"),
        pytest.param("x" * 85 + "\n\ny", 40, 5, id="more where the terminal breaks them"),
        pytest.param("\x1b[31m" + "x" * 40 + "\x1b[0m", 40, 1, id="colours take no room"),
    ],
)
def test_erase_goes_up_as_many_lines_as_were_shown(shown, width, up):
    assert report.erase(shown, width) == f"\x1b[{up}A\x1b[J"


class TestJson:
    def document(self, *grades, notes=(), root="", **place):
        return json.loads(report.as_json(grades, notes, place, root))

    @pytest.mark.parametrize("verdict", NOT_DONE)
    def test_it_has_the_verdict_and_its_exit_code(self, verdict):
        found = self.document(tiny.graded(None, tiny.finding(verdict=verdict)))
        assert (found["verdict"], found["exit_code"]) == (verdict.value, EXIT_CODES[verdict])
        assert found["schema"] == report.JSON_SCHEMA

    def test_the_exercise_and_the_check_both_have_the_finding(self):
        (exercise,) = self.document(tiny.graded(None, tiny.finding("x", fix=FIX)))["exercises"]
        assert exercise["checks"][0] == {
            "id": "check0", "title": "Check 0 holds.", "verdict": "done"}  # fmt: skip
        for place in (exercise, exercise["checks"][1]):
            assert place["finding"] == "check.cause"
            assert (place["found"], place["wanted"]) == ("x", "that")
            assert place["fix"] == [*FIX[:3], "$ kubectl apply -f my-thing.yaml"]
            assert place["next"].endswith("; kubectl apply -f my-thing.yaml")
            assert place["page"] == "modules/5-tfjob/README.md#exercise-1"

    def test_a_done_exercise_has_no_finding(self):
        (exercise,) = self.document(tiny.graded(None))["exercises"]
        assert "finding" not in exercise
        assert "found" not in exercise

    def test_a_check_that_was_not_run_has_no_verdict(self):
        grade = tiny.graded(tiny.finding(), None)
        outcomes = [grade.outcomes[0], _not_run(grade.outcomes[1])]
        (exercise,) = self.document(_with(grade, outcomes))["exercises"]
        assert exercise["checks"][1]["verdict"] is None

    def test_the_place_is_added_and_may_have_an_exit_code_of_its_own(self):
        found = self.document(tiny.graded(tiny.finding()), namespace="ann", exit_code=0)
        assert (found["namespace"], found["exit_code"]) == ("ann", 0)

    def test_paths_lead_from_the_current_folder(self):
        (exercise,) = self.document(tiny.graded(tiny.finding(fix=FIX)), root="../")["exercises"]
        assert exercise["fix"][-1] == "$ kubectl apply -f ../my-thing.yaml"
        assert exercise["page"] == "../modules/5-tfjob/README.md#exercise-1"

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_nothing_in_it_steers_a_terminal(self, hostile):
        found = tiny.finding(hostile, fix=(f"$ kubectl logs '{hostile}'",))
        shown = report.as_json([tiny.graded(found)], [hostile], {"namespace": hostile})
        assert not unseen(shown.replace("\n", ""))
        assert json.loads(shown)["namespace"] == hostile


class TestJunit:
    TAKEN = "2026-11-25T10:00:00Z"

    def suites(self, *grades, seconds=1.0, root=""):
        return ElementTree.fromstring(report.as_junit(grades, self.TAKEN, seconds, root))

    @pytest.mark.parametrize("verdict", NOT_DONE)
    def test_only_wrong_is_a_failure(self, verdict):
        tags = {Verdict.WRONG: "failure", Verdict.COULD_NOT_CHECK: "error"}
        (suite,) = self.suites(tiny.graded(None, tiny.finding("x", verdict, fix=FIX)))
        tag = tags.get(verdict, "skipped")
        (result,) = suite[1]
        assert result.tag == tag
        assert result.get("type") == "check.cause"
        assert result.get("message") == ("x" if verdict in tags else f"{verdict.value}: x")
        counts = {name: int(suite.get(name)) for name in ("failures", "errors", "skipped")}
        assert counts == {
            "failures": tag == "failure", "errors": tag == "error", "skipped": tag == "skipped"
        }  # fmt: skip

    def test_the_body_has_a_line_for_each_part_and_each_step(self):
        (suite,) = self.suites(tiny.graded(tiny.finding("x", fix=FIX)), root="../")
        assert suite[0][0].text == (
            "found: x\n"
            "wanted: that\n"
            "fix:\n"
            "  Set the number of steps in your manifest.\n"
            "  Then make it again:\n"
            "  $ kubectl delete tfjob thing\n"
            "  $ kubectl apply -f ../my-thing.yaml\n"
            "page: ../modules/5-tfjob/README.md#exercise-1"
        )

    def test_what_was_not_run_is_skipped_and_says_so(self):
        grade = tiny.graded(tiny.finding(), None)
        (suite,) = self.suites(_with(grade, [grade.outcomes[0], _not_run(grade.outcomes[1])]))
        assert suite[1][0].get("message") == "an earlier check decided"

    def test_totals_times_and_timestamps(self):
        top = self.suites(tiny.graded(None, tiny.finding()), tiny.graded(None, number="9.2"))
        totals = {name: top.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert totals == {"tests": "3", "failures": "1", "errors": "0", "skipped": "0"}
        assert top.get("time") == "1.000"
        assert [suite.get("time") for suite in top] == ["0.500", "0.500"]
        assert {each.get("timestamp") for each in (top, *top)} == {self.TAKEN}
        assert [suite.get("name") for suite in top] == ["9.1 Title", "9.2 Title"]

    def test_nothing_graded_is_still_well_formed(self):
        assert self.suites().get("tests") == "0"

    @pytest.mark.parametrize("hostile", HOSTILE)
    @pytest.mark.parametrize("verdict", [Verdict.WRONG, Verdict.BLOCKED])
    def test_hostile_names_leave_it_well_formed(self, hostile, verdict):
        found = tiny.finding(hostile, verdict, (f"$ kubectl logs '{hostile}'",)).named(hostile)
        shown = report.as_junit([tiny.graded(found, title=hostile)], hostile)
        assert not unseen(shown.replace("\n", ""))
        assert ElementTree.fromstring(shown) is not None

    @settings(deadline=None)
    @given(st.text().filter(str.strip))
    def test_any_text_comes_back_clean(self, words):
        (suite,) = self.suites(tiny.graded(tiny.finding(words, fix=(words,))))
        assert suite[0][0].get("message") == clean(words)


def _not_run(outcome):
    return type(outcome)(outcome.check, None)


def _with(grade, outcomes):
    return type(grade)(grade.exercise, grade.verdict, tuple(outcomes))
