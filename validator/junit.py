"""Grades as JUnit XML, for a CI server."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from validator.engine import Grade, Outcome
from validator.look import clean, clean_command, placed
from validator.verdicts import Finding, Verdict

_TAGS = {Verdict.WRONG: "failure", Verdict.COULD_NOT_CHECK: "error"}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def as_junit(grades: Sequence[Grade], taken: str, seconds: float = 0.0, root: str = "") -> str:
    """A test suite for each exercise, a test case for each check.

    Only *wrong* is a failure, and *could not check* an error: a learner who has
    not begun, or waits, has failed at nothing.
    """
    top = ElementTree.Element("testsuites", _head("validator", taken, seconds))
    for grade in grades:
        top.append(_suite(grade, taken, seconds / len(grades), root))
    _count(top)
    ElementTree.indent(top)
    return _DECLARATION + ElementTree.tostring(top, encoding="unicode")


def _suite(grade: Grade, taken: str, seconds: float, root: str) -> ElementTree.Element:
    name = f"{grade.exercise.number} {grade.exercise.title}"
    suite = ElementTree.Element("testsuite", _head(name, taken, seconds))
    share = f"{seconds / max(1, len(grade.outcomes)):.3f}"
    for outcome in grade.outcomes:
        attributes = {
            "classname": f"exercise {grade.exercise.number}",
            "name": clean(outcome.check.title),
            "time": share,
        }
        _add_result(ElementTree.SubElement(suite, "testcase", attributes), outcome, root)
    _count(suite)
    return suite


def _head(name: str, taken: str, seconds: float) -> dict[str, str]:
    return {"name": clean(name), "timestamp": clean(taken), "time": f"{seconds:.3f}"}


def _count(element: ElementTree.Element) -> None:
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    for attribute, tag in _COUNTED.items():
        element.set(attribute, str(sum(1 for _ in element.iter(tag))))


def _add_result(case: ElementTree.Element, outcome: Outcome, root: str) -> None:
    """Nothing where the check holds."""
    finding = outcome.finding
    if outcome.verdict is None:
        ElementTree.SubElement(case, "skipped", {"message": "an earlier check decided"})
    elif finding and outcome.verdict in _TAGS:
        about = {"type": clean(finding.id), "message": clean(placed(finding.found, root))}
        ElementTree.SubElement(case, _TAGS[outcome.verdict], about).text = _body(finding, root)
    elif finding:
        message = f"{outcome.verdict.value}: {placed(finding.found, root)}"
        about = {"type": clean(finding.id), "message": clean(message)}
        ElementTree.SubElement(case, "skipped", about)


def _body(finding: Finding, root: str) -> str:
    """A line each for found, wanted, the page and every step of the fix."""
    rows = [f"found: {clean(finding.found)}", f"wanted: {clean(finding.wanted)}", "fix:"]
    rows += ["  " + clean_command(step) for step in finding.fix]
    return placed("\n".join([*rows, f"page: {clean(finding.page)}"]), root)
