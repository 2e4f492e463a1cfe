"""Every link of every page leads somewhere, and those that leave the repository stand in one list.

No test asks the internet. An author who adds a link to it writes it into `docs/links.txt`, where
somebody can try all of them: `grep -o '^https.*' docs/links.txt | xargs -n1 curl -sIo /dev/null`.
"""

from pathlib import Path

import pytest

from tests.modules import prose
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES

LIST = prose.CHECKOUT / "docs" / "links.txt"
# What a page opens on the learner's own machine.
OWN_MACHINE = "http://localhost"


def is_external(target: str) -> bool:
    return target.startswith(("https://", "http://")) and not target.startswith(OWN_MACHINE)


def external_links() -> set[str]:
    found = (target for page in prose.PAGES for target in prose.targets(page.read_text()))
    return {target for target in found if is_external(target)}


def is_broken(page: Path, target: str) -> bool:
    """Whether a link of this page, to a file or to an anchor, leads nowhere."""
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    if not there.exists() or not there.is_relative_to(prose.CHECKOUT):
        return True
    return bool(anchor) and anchor not in prose.anchors(there.read_text())


@pytest.mark.parametrize("page", prose.PAGES, ids=prose.name)
def test_every_link_inside_the_repository_has_a_target(page):
    inside = [target for target in prose.targets(page.read_text()) if "://" not in target]
    assert [target for target in inside if is_broken(page, target)] == []


def test_every_exercise_has_its_place_on_its_page():
    modules = prose.CHECKOUT / "modules"
    pages = {number: exercise.page.partition("#") for number, exercise in EXERCISES.items()}
    lost = [
        number
        for number, (folder, _, anchor) in pages.items()
        if is_broken(modules / folder / "README.md", f"#{anchor}")
    ]
    assert lost == []


def test_external_links_are_those_of_the_list():
    listed = [line for line in LIST.read_text().split("\n") if is_external(line)]
    assert listed == sorted(set(listed)), "docs/links.txt is in order, each line once"
    assert external_links() - set(listed) == set(), "add these to docs/links.txt"
    assert set(listed) - external_links() == set(), "no page has these any more"


@pytest.mark.parametrize(
    ("target", "broken"),
    [
        pytest.param("../../docs/glossary.md", False, id="a file"),
        pytest.param("../../docs/glossary.md#api-server", False, id="an anchor of a file"),
        pytest.param("#next-step", False, id="an anchor of the page"),
        pytest.param("pictures", False, id="a folder"),
        pytest.param("../../docs/glossary.md#api-servant", True, id="no such anchor"),
        pytest.param("../docs/glossary.md", True, id="no such file"),
        pytest.param("../../../elsewhere.md", True, id="outside"),
    ],
)
def test_a_broken_link_is_found(target, broken):
    page = prose.CHECKOUT / "modules" / "5-tfjob" / "README.md"
    assert is_broken(page, target) is broken


def test_links_are_found_in_prose_and_not_in_code():
    page = "\n".join(
        [
            "[one](one.md) and `[no](no.md)` and [over",
            "two lines](two.md)",
            "![a picture](three.svg) <https://four.example>",
            "```console",
            "[no](no.md)",
            "```",
            '<img src="five.svg">',
        ]
    )
    found = ["three.svg", "one.md", "two.md", "https://four.example", "five.svg"]
    assert prose.targets(page) == found


def test_anchors_are_those_of_github():
    page = "# 6 · One `model`\n## Then & now\n```console\n# no\n```\n## If it fails\n## If it fails"
    wanted = {"6--one-model", "then--now", "if-it-fails", "if-it-fails-1"}
    assert prose.anchors(page) == wanted
