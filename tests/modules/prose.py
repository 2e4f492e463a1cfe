"""Read a page as its reader on GitHub sees it: headings with their anchors, links, and prose.

Used by the tests that look at pages.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from modules.page import chunks

CHECKOUT = Path(__file__).resolve().parents[2]
GLOSSARY = CHECKOUT / "docs" / "glossary.md"
WHERE = ("*.md", "docs/*.md", "[!.]*/README.md", "[!.]*/CONTRIBUTING.md", "modules/*/README.md")
PAGES = sorted({page for pattern in WHERE for page in CHECKOUT.glob(pattern)})

HEADING = re.compile(r"#{1,6}\s+(?P<text>.+?)\s*#*\s*")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CODE = re.compile(r"(`+)(?P<code>.+?)\1", re.DOTALL)
TARGET = r"\((?P<target>[^()\s]+)\)"
IMAGE = re.compile(rf"!\[[^\]]*\]{TARGET}")
LINK = re.compile(rf"(?<!!)\[(?P<text>[^\[\]]*)\]{TARGET}")
AUTOLINK = re.compile(r"<(?P<target>https?://[^\s>]+)>")
ATTRIBUTE = re.compile(r'\b(?:href|src|srcset)="(?P<target>[^"]+)"')


def name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def headings(markdown: str) -> list[str]:
    found = (HEADING.fullmatch(line) for line in _lines(markdown))
    return [match["text"] for match in found if match]


def section(markdown: str, heading: str) -> str:
    """The text under a heading of the second level, down to the next one."""
    return markdown.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading: `Then & now` has `then--now`."""
    shown = LINK.sub(r"\g<text>", heading).lower()
    return re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")


def anchors(markdown: str) -> set[str]:
    """The anchors of a page. A heading that stands there again gets a number."""
    seen: Counter[str] = Counter()
    found = set()
    for anchor in map(slug, headings(markdown)):
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def targets(markdown: str) -> list[str]:
    """Where the links and pictures of a page lead to. What stands in code is no link."""
    text = COMMENT.sub("", CODE.sub("", "\n".join(_lines(markdown))))
    patterns = (IMAGE, LINK, AUTOLINK, ATTRIBUTE)
    return [match["target"] for pattern in patterns for match in pattern.finditer(text)]


def prose(markdown: str) -> str:
    """The page without code blocks, headings, comments and pictures."""
    lines = ("" if HEADING.fullmatch(line) else line for line in _lines(markdown))
    return IMAGE.sub("", COMMENT.sub("", "\n".join(lines)))


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """(text, where the link leads to or None) for each piece of prose, in order."""
    end = 0
    for link in LINK.finditer(text):
        yield text[end : link.start()], None
        yield link["text"], link["target"]
        end = link.end()
    yield text[end:], None


def _lines(markdown: str) -> list[str]:
    """The lines that stand in no code block."""
    return [lines[0] for _, lines in chunks(markdown) if not lines[0].lstrip().startswith("```")]
