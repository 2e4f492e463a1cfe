"""The engine: verdicts of checks, of exercises, and of several together."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.validator import tiny
from validator import engine, exercises  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, Check, Need
from validator.snapshot import Snapshot, Unreadable
from validator.verdicts import (
    EXIT_CODES,
    Finding,
    Verdict,
    blocked,
    converging,
    could_not_check,
    first_that_occurs,
    not_started,
    wrong,
)

CHECKOUT = Path(__file__).resolve().parents[2]
BAD = wrong("bad", "found", "wanted", "Do it.")
LATER = converging("later", "found", "wanted", "Wait.")
UNKNOWN = could_not_check("unknown", "found", "wanted", "Try again.")
FRESH = not_started("fresh", "found", "wanted", "Begin.")
ABSENT = wrong("absent", "no operator", "an operator", "Install it:", "$ helm install x")
NOON = datetime(2026, 11, 25, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _only_ours():
    with tiny.no_exercises():
        yield


def answering(result):
    """A judge, or a need's, that returns a finding or raises an exception."""

    def judge(_):
        if isinstance(result, Exception):
            raise result
        return result

    return judge


def check(id, result, **more):
    return Check(id, f"{id} holds.", answering(result), **more)


def checks(*results):
    return [check(f"check{position}", result) for position, result in enumerate(results)]


def graded(*tfjobs, number="9.1", **more):
    (result,) = engine.grade(Snapshot(tiny.data(*tfjobs, **more)), [number])
    return result


@pytest.mark.parametrize("field", ["found", "wanted", "fix"])
@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.DONE])
def test_no_verdict_goes_without_what_was_found_what_was_wanted_and_a_fix(field, verdict):
    words = {"found": "a", "wanted": "b", "fix": ("c",), field: " " if field != "fix" else ()}
    with pytest.raises(ValueError, match="needs found, wanted and fix"):
        Finding(verdict, "cause", **words)


def test_what_holds_has_no_finding():
    with pytest.raises(ValueError):
        Finding(Verdict.DONE, "cause", "a", "b", ("c",))


@pytest.mark.parametrize(
    ("results", "verdict", "cause"),
    [
        pytest.param([None, None], Verdict.DONE, None, id="all hold"),
        pytest.param([None, BAD], Verdict.WRONG, "bad", id="the last does not"),
        pytest.param([LATER, BAD], Verdict.CONVERGING, "later", id="the first that fails decides"),
        pytest.param(
            [UNKNOWN, None], Verdict.COULD_NOT_CHECK, "unknown", id="one could not be checked"
        ),
        pytest.param([UNKNOWN, BAD], Verdict.WRONG, "bad", id="a known mistake outweighs it"),
        pytest.param(
            [UNKNOWN, LATER], Verdict.CONVERGING, "later", id="so does what is on its way"
        ),
        pytest.param(
            [Unreadable("pods", 403, "no"), None],
            Verdict.COULD_NOT_CHECK,
            "forbidden",
            id="a missing permission is no fault of the learner's",
        ),
        pytest.param(
            [Unreadable("pods", 500, "no")],
            Verdict.COULD_NOT_CHECK,
            "unreadable",
            id="nor is an API server that fails",
        ),
        pytest.param(
            [KeyError("x")], Verdict.COULD_NOT_CHECK, "internal", id="nor a check that fails itself"
        ),
        pytest.param(
            [RecursionError()], Verdict.COULD_NOT_CHECK, "internal", id="nor one without an end"
        ),
    ],
)
def test_the_verdict_of_an_exercise(results, verdict, cause):
    tiny.register("9.1", *checks(*results))
    result = graded()
    assert result.verdict is verdict
    assert (result.finding and result.finding.cause) == cause


def test_checks_after_the_first_that_fails_are_not_run():
    tiny.register("9.1", *checks(None, BAD, RuntimeError("must not run")))
    assert [o.verdict for o in graded().outcomes] == [Verdict.DONE, Verdict.WRONG, None]


def test_a_finding_has_the_id_of_its_check_and_its_cause():
    tiny.register("9.1", check("gpus.count", wrong("fraction", "1.5", "1", "Write 1.")))
    assert graded().finding.id == "gpus.count.fraction"


@pytest.mark.parametrize(
    ("result", "what"),
    [
        pytest.param(Unreadable("nodes", 403, "no"), "rbac.yaml", id="a permission"),
        pytest.param(Unreadable("nodes", 0, "no answer"), "kubectl cluster-info", id="an answer"),
        pytest.param(ZeroDivisionError(), "validator snapshot", id="a fault of the validator"),
    ],
)
def test_what_could_not_be_checked_says_what_to_do(result, what):
    tiny.register("9.1", *checks(result))
    assert what in graded().finding.next_step


class TestNeeds:
    def test_an_unmet_need_blocks_and_says_which(self):
        tiny.register("9.1", *checks(BAD), needs=[Need("operator", answering(ABSENT))])
        finding = graded().finding
        assert finding.verdict is Verdict.BLOCKED
        assert finding.id == "check0.needs.operator.absent"
        assert "helm install x" in finding.next_step

    def test_the_first_unmet_need_decides(self):
        second = Need("drivers", answering(blocked("other", "x", "y", "z")))
        needs = [Need("met", answering(None)), Need("operator", answering(ABSENT)), second]
        tiny.register("9.1", *checks(None), needs=needs)
        assert graded().finding.found == "no operator"

    def test_met_needs_let_pass(self):
        tiny.register("9.1", *checks(None), needs=[Need("operator", answering(None))])
        assert graded().verdict is Verdict.DONE

    def test_a_need_that_could_not_be_read_blocks_nothing(self):
        needs = [Need("operator", answering(Unreadable("deployments", 403, "no")))]
        tiny.register("9.1", *checks(None), needs=needs)
        assert graded().verdict is Verdict.DONE

    @pytest.mark.parametrize(
        ("ended", "result", "verdict"),
        [
            pytest.param("well", None, Verdict.DONE, id="what ended well stays done"),
            pytest.param("badly", BAD, Verdict.WRONG, id="what ended badly is wrong"),
            pytest.param("", None, Verdict.BLOCKED, id="what has not ended is blocked"),
        ],
    )
    def test_what_has_ended_is_never_blocked(self, ended, result, verdict):
        tiny.register("9.1", *checks(result), needs=[Need("operator", answering(ABSENT))])
        assert graded(tiny.tfjob(ended=ended)).verdict is verdict


class TestTerminalFirst:
    def order(self, ended):
        tiny.register("9.1", check("exists", None), check("manifest", BAD),
                      check("ends", wrong("failed", "a", "b", "c"), ending=True))  # fmt: skip
        return graded(tiny.tfjob(ended=ended)).finding.id

    def test_what_the_subject_says_of_its_bad_end_comes_before_its_manifest(self):
        assert self.order("badly") == "ends.failed"

    @pytest.mark.parametrize("ended", ["", "well"])
    def test_else_the_checks_keep_their_order(self, ended):
        assert self.order(ended) == "manifest.bad"

    def test_existence_comes_before_all(self):
        tiny.register("9.1", check("exists", FRESH), check("ends", BAD, ending=True))
        assert graded(tiny.tfjob(ended="badly")).finding.id == "exists.fresh"


class TestWhatTheEngineAddsToAFinding:
    def finding(self, finding, **more):
        tiny.register("9.1", *checks(finding))
        return graded(**more).finding

    def test_the_commands_that_make_the_object_again(self):
        found = self.finding(BAD.but(redo=True))
        assert found.fix == (
            "Do it.",
            "Then make it again:",
            "$ kubectl delete tfjob thing",
            "$ kubectl apply -f {checkout}/my-thing.yaml",
        )

    def test_none_of_them_while_it_is_on_its_way(self):
        assert self.finding(LATER.but(redo=True)).fix == ("Wait.",)

    def test_the_flags_that_reach_the_learners_cluster(self):
        found = self.finding(BAD.but(redo=True), flags=["--context=lab", "--namespace=ann"])
        commands = [step for step in found.fix if step.startswith("$ ")]
        assert all(step.endswith(" --context=lab --namespace=ann") for step in commands)

    def test_the_exercises_page(self):
        assert self.finding(BAD).page == EXERCISES["9.1"].anchor

    def test_unless_the_finding_has_a_page_of_its_own(self):
        assert self.finding(BAD.but(page="elsewhere#x")).page == "elsewhere#x"

    @pytest.mark.parametrize(
        ("age", "said"),
        [
            pytest.param(30, "found", id="nothing within the patience"),
            pytest.param(
                300,
                "found; for 5 min now, longer than usual; last warning: x",
                id="its age and the last warning past it",
            ),
        ],
    )
    def test_how_long_it_is_on_its_way(self, age, said):
        since = NOON - timedelta(seconds=age)
        assert self.finding(LATER.but(since=since, late="last warning: x")).found == said

    def test_no_age_for_a_mistake(self):
        assert self.finding(BAD.but(since=NOON - timedelta(days=1))).found == "found"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (119, "119 s"), (120, "2 min"), (3600, "60 min"), (7200, "2 h")],
)
def test_a_duration_in_words(seconds, words):
    assert engine.duration(seconds) == words


class TestSeveralExercises:
    def verdict(self, first, second, optional):
        tiny.register("9.1", *checks(first))
        tiny.register("9.2", *checks(second), optional=optional)
        return engine.verdict_of(engine.grade(Snapshot(tiny.data()), ["9.1", "9.2"]))

    def test_the_worse_one_decides(self):
        assert self.verdict(None, BAD, optional=False) is Verdict.WRONG

    def test_a_bonus_does_not_count(self):
        assert self.verdict(None, BAD, optional=True) is Verdict.DONE

    def test_except_alone(self):
        tiny.register("9.1", *checks(BAD), optional=True)
        assert engine.verdict_of([graded()]) is Verdict.WRONG

    def test_they_are_graded_in_the_given_order(self):
        tiny.register("9.1", *checks(None))
        tiny.register("9.2", *checks(None))
        result = engine.grade(Snapshot(tiny.data()), ["9.2", "9.1"])
        assert [each.exercise.number for each in result] == ["9.2", "9.1"]


def test_of_several_verdicts_the_first_in_the_order_of_the_table_counts():
    order = ["could not check", "wrong", "converging", "not started", "blocked", "done"]
    for pair in itertools.combinations_with_replacement(order, 2):
        both = [Verdict(name) for name in reversed(pair)]
        assert first_that_occurs(both).value == pair[0]


def test_every_verdict_has_its_exit_code():
    codes = {"done": 0, "wrong": 1, "not started": 3, "converging": 4, "blocked": 5}
    assert {v.value: code for v, code in EXIT_CODES.items()} == {**codes, "could not check": 6}


def test_without_a_cluster_every_exercise_could_not_be_checked():
    tiny.register("9.1", *checks(None, None))
    (result,) = engine.ungraded(["9.1"], UNKNOWN)
    assert [o.verdict for o in result.outcomes] == [Verdict.COULD_NOT_CHECK, None]
    assert result.finding.page == EXERCISES["9.1"].anchor


def test_a_title_has_the_kind_and_the_name_of_the_subject():
    made = tiny.register("9.1", Check("exists", "{kind} {name} exists.", answering(None)))
    assert made.checks[0].title == "TfJob thing exists."


def test_two_checks_of_an_exercise_never_share_an_id():
    with pytest.raises(ValueError, match="two checks of one id"):
        tiny.register("9.1", check("same", None), check("same", None))


def test_an_exercise_reads_what_its_subject_its_checks_and_its_needs_read():
    need = Need("operator", answering(None), frozenset({"deployments"}))
    made = tiny.register("9.1", check("a", None, reads=frozenset({"logs"})), needs=[need])
    assert made.reads == {"tfjobs", "logs", "deployments"}


@pytest.mark.parametrize(
    ("place", "belongs"),
    [
        pytest.param(("tfjobs", "tfjob", "thing"), True, id="the subject"),
        pytest.param(("services", "service", "extra"), True, id="a further object"),
        pytest.param(("jobs", "job", "thing"), False, id="the subject's name on another kind"),
        pytest.param(("tfjobs", "tfjob", "other"), False, id="another name"),
    ],
)
def test_what_belongs_to_an_exercise(place, belongs):
    tiny.register("9.1", *checks(None), also=(("service", "extra"),))
    assert engine.belongs_to_an_exercise(*place) is belongs


def test_all_names_of_all_exercises():
    tiny.register("9.1", *checks(None), also=(("service", "extra"),))
    assert engine.names_of_all() == {"thing", "extra"}


def anchors_of(page):
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


REAL = [pytest.param(each, id=number) for number, each in sorted(EXERCISES.items())]


@pytest.mark.parametrize("exercise", REAL)
def test_the_page_of_an_exercise_has_its_heading(exercise):
    page, _, anchor = exercise.anchor.removeprefix("{checkout}/").partition("#")
    assert anchor in anchors_of(CHECKOUT / page)


@pytest.mark.parametrize("exercise", REAL)
def test_every_starter_and_solution_exists(exercise):
    given = {"starter": [exercise.starter],
             "solution": [exercise.solution, exercise.solution_without_gpus]}  # fmt: skip
    for folder, names in given.items():
        for name in filter(None, names):
            assert (CHECKOUT / exercise.folder / folder / name).is_file()


@pytest.mark.parametrize("exercise", REAL)
def test_an_exercise_is_solved_by_a_manifest_or_by_commands(exercise):
    if exercise.subject.plural:
        assert bool(exercise.solution) != bool(exercise.install) or exercise.optional
    else:
        # The lab itself: nothing is made, so nothing is solved.
        assert not exercise.solution
        assert not exercise.install
