"""What a learner made in place of what was asked; nobody is ever told to delete right work."""

from dataclasses import replace

import pytest

from tests.validator import world
from tests.validator.world import no_tfjob, spoiled
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, grade
from validator.near_misses import KINDS, resemblance
from validator.subjects import TfJob
from validator.verdicts import Verdict

WRONG, NOT_STARTED = Verdict.WRONG, Verdict.NOT_STARTED
NAMES = sorted(each.subject.name for each in EXERCISES.values() if each.module > 4)


def judge(number, *changes):
    (result,) = grade(spoiled(no_tfjob, *changes), [number])
    return result


def there_is(plural, item):
    return lambda data: data["objects"].setdefault(plural, []).append(item)


def named(name, plural="tfjobs", kind="TfJob", **more):
    item = {**world.tfjob(name), "kind": kind, "metadata": world.metadata(name, **more)}
    return there_is(plural, item)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param("module5-ex1", "separators", id="itself"),
        pytest.param("module5-ex-1", "separators", id="a hyphen more"),
        pytest.param("module-5-ex-1", "separators", id="other separators"),
        pytest.param("module5ex1", "separators", id="no hyphen"),
        pytest.param("Module5-Ex1", "separators", id="capital letters"),
        pytest.param("module5-ex1-x7k2q", "generated", id="as generateName makes it"),
        pytest.param("moduel5-ex1", "misspelled", id="two letters swapped"),
        pytest.param("module5-exl", "misspelled", id="a letter that looks like the digit"),
        pytest.param("module5-ex", "misspelled", id="a digit left out"),
        pytest.param("module5-ex2", "", id="another exercise's digit"),
        pytest.param("module6-ex1", "", id="another module's digit"),
        pytest.param("module5-ex11", "", id="a digit more"),
        pytest.param("example-tfjob", "", id="the page's example"),
        pytest.param("my-training", "", id="a name of its own"),
    ],
)
def test_resemblance(name, how):
    assert resemblance(name, "module5-ex1") == how


@pytest.mark.parametrize("wanted", NAMES)
def test_no_exercises_name_is_a_misspelling_of_anothers(wanted):
    for other in set(NAMES) - {wanted}:
        assert not resemblance(other, wanted)


@pytest.mark.parametrize("number", ["5.1", "6.1", "6.2"])
@pytest.mark.parametrize("name", NAMES)
def test_another_exercises_work_is_no_near_miss(number, name):
    """After 5.1 is done, 6.1 is not begun; after 6.1, with 5 cleaned up, nor is 5.1."""
    if name == EXERCISES[number].subject.name:
        return
    result = judge(number, named(name), named(name, "jobs", "Job"))
    assert result.verdict is NOT_STARTED, result.finding
    assert "delete" not in result.finding.next_step


def test_a_name_is_another_exercises_even_where_it_resembles(monkeypatch):
    twin = replace(EXERCISES["5.1"], subject=TfJob("module5-exl"))
    monkeypatch.setitem(EXERCISES, "9.9", twin)
    assert judge("5.1", named("module5-exl")).verdict is NOT_STARTED


@pytest.mark.parametrize(
    ("change", "cause", "found", "fix"),
    [
        pytest.param(
            named("module5-ex-1"), "name.separators", "found a TfJob named module5-ex-1",
            "Change metadata.name to module5-ex1", id="a hyphen too many",
        ),
        pytest.param(
            named("module5-exl"), "name.misspelled", "named module5-exl", "kubectl apply -f",
            id="a letter for a digit",
        ),
        pytest.param(
            named("module5-ex1-x7k2q"), "name.generated", "named module5-ex1-x7k2q",
            "not generateName", id="a generated name",
        ),
        *(
            pytest.param(
                named("module5-ex1", plural, kind), f"kind.{plural}", f"found a {kind} named",
                f"kubectl delete {kubectl} module5-ex1", id=f"a {kind} in place of a TfJob",
            )
            for plural, (kind, kubectl) in KINDS.items()
            if plural != "tfjobs"
        ),
    ],
)  # fmt: skip
def test_near_misses_of_the_first_tfjob(change, cause, found, fix):
    result = judge("5.1", change)
    assert (result.verdict, result.finding.cause) == (WRONG, cause), result.finding
    assert found in result.finding.found
    assert fix in result.finding.next_step


def test_a_wrong_name_is_never_fixed_by_a_deletion():
    assert "delete" not in judge("5.1", named("module5-exl")).finding.next_step


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(named("example-tfjob"), id="the page's example"),
        pytest.param(named("module5-ex1", "services", "Service"), id="a kind that is no workload"),
        pytest.param(
            there_is("jobs", world.job("module5-ex1", world.tfjob())), id="a controller's child"
        ),
        pytest.param(
            named("module5-ex1", "jobs", "Job", annotations={"meta.helm.sh/release-name": "mine"}),
            id="a release's object",
        ),
        pytest.param(world.forbid("jobs"), id="a kind that may not be read"),
    ],
)
def test_what_is_no_near_miss(change):
    result = judge("5.1", change)
    assert (result.verdict, result.finding.cause) == (NOT_STARTED, "none"), result.finding


def test_kubeflows_kind_of_the_same_name_is_called_by_its_full_name():
    """`kubectl delete tfjob` could mean either."""

    def served(data):
        data["groups"].append("kubeflow.org")

    found = judge("5.1", named("module5-ex1", "kubeflow", "TFJob"), served).finding
    assert "tfjobs.kubeflow.org module5-ex1" in found.next_step


@pytest.mark.parametrize("others", [["ann"], ["ann", "bob"]])
def test_those_of_other_namespaces_are_a_note_and_no_fault(others):
    result = judge("5.1", lambda data: data.update(elsewhere={"tfjobs": {"module5-ex1": others}}))
    assert (result.verdict, result.finding.cause) == (NOT_STARTED, "elsewhere")
    assert "in namespace ann" in result.finding.found
    assert "--namespace=ann" in result.finding.next_step
    assert "delete" not in result.finding.next_step


def test_a_namespace_that_does_not_exist_is_named():
    def gone(data):
        data["missing"]["namespace"] = {"status": 404, "message": "not found"}

    finding = judge("5.1", gone).finding
    assert (finding.verdict, finding.cause) == (NOT_STARTED, "namespace")
    assert "kubectl create namespace default" in finding.next_step


@pytest.mark.parametrize("status", [403, 500])
def test_a_namespace_that_may_not_be_read_is_no_missing_one(status):
    def hidden(data):
        data["missing"]["namespace"] = {"status": status, "message": "no"}

    assert judge("5.1", hidden).finding.cause == "none"


def test_what_succeeded_and_was_deleted_is_known_by_its_events():
    def event(data):
        gone = world.tfjob()
        data["objects"]["events"].append(world.event(gone, "Succeeded", "it has succeeded"))

    finding = judge("5.1", event).finding
    assert (finding.verdict, finding.cause) == (NOT_STARTED, "deleted")
    assert "it succeeded, and then it was deleted" in finding.found
    assert "ttlSecondsAfterFinished" in finding.next_step


def test_who_has_made_nothing_is_asked_whether_apply_printed_an_error():
    assert "print an error?" in judge("5.1").finding.next_step


def test_the_learner_completes_a_copy_of_the_starter():
    """Not the starter itself, and never over what has been written already."""
    fix = judge("5.1").finding.fix
    assert any(step.startswith("$ test -e {checkout}/my-module5-ex1.yaml || cp ") for step in fix)
    assert "$ kubectl apply -f {checkout}/my-module5-ex1.yaml" in fix
