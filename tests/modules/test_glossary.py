"""A reader who meets a word of the field on a module's page finds out there what it means.

At its first use in the prose of a page, a word of `EXPLAINED` stands in a link: to the glossary, or
to a page that explains it. Or the page explains it: then the word stands there in bold, once.
Headings and code blocks are no prose; a piece of code in a sentence is a use if it is the word.

A word of `IN_CODE` stands in commands and outputs, where there are no links. A page that shows it
has a link, or the word in bold, anywhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules import prose

ENTRIES = prose.headings(prose.GLOSSARY.read_text())[1:]
MODULES = [page for page in prose.PAGES if page.parent.parent.name == "modules"]
# Of a term: how it is written on the pages. The plural with -s need not be named.
EXPLAINED = {
    "all-reduce": ["all-reduce"],
    "allocatable": ["allocatable"],
    "API server": ["API server"],
    "CDI": ["CDI"],
    "chart": ["chart"],
    "checkpoint": ["checkpoint"],
    "CHIEF": ["CHIEF", "chief"],
    "cluster spec": ["cluster spec", "ClusterSpec"],
    "ClusterRole": ["ClusterRole"],
    "ConfigMap": ["ConfigMap"],
    "container engine": ["container engine"],
    "controller": ["controller"],
    "CRD": ["CRD", "CustomResourceDefinition"],
    "custom resource": ["custom resource"],
    "Deployment": ["Deployment"],
    "device plugin": ["device plugin"],
    "DeviceClass": ["DeviceClass", "DeviceClasses"],
    "Dockerfile": ["Dockerfile"],
    "DRA": ["DRA", "Dynamic Resource Allocation"],
    "EndpointSlice": ["EndpointSlice"],
    "EVALUATOR": ["EVALUATOR", "evaluator"],
    "extended resource": ["extended resource"],
    "finalizer": ["finalizer"],
    "gang scheduling": ["gang scheduling"],
    "headless Service": ["headless Service"],
    "hostPath": ["hostPath"],
    "Job": ["Job"],
    "kubelet": ["kubelet"],
    "label": ["label"],
    "leader election": ["leader election"],
    "lease": ["Lease"],
    "namespace": ["namespace"],
    "operator": ["operator"],
    "owner reference": ["owner reference"],
    "PersistentVolume": ["PersistentVolume"],
    "PersistentVolumeClaim": ["PersistentVolumeClaim"],
    "Pod": ["Pod"],
    "PodGroup": ["PodGroup"],
    "PS": ["PS", "parameter server"],
    "registry": ["registry", "registries"],
    "replica": ["replica"],
    "replica type": ["replica type"],
    "ReplicaSet": ["ReplicaSet"],
    "ResourceClaim": ["ResourceClaim"],
    "Role": ["Role"],
    "RoleBinding": ["RoleBinding"],
    "SavedModel": ["SavedModel"],
    "scheduler": ["scheduler"],
    "Secret": ["Secret"],
    "selector": ["selector"],
    "Service": ["Service"],
    "ServiceAccount": ["ServiceAccount"],
    "StorageClass": ["StorageClass", "StorageClasses"],
    "subPath": ["subPath"],
    "taint": ["taint"],
    "TF_CONFIG": ["TF_CONFIG"],
    "toleration": ["toleration"],
    # A make target is a verb as well, and is never many.
    "verb": ["verbs"],
}
IN_CODE = ["clusterDomain", "custom-columns", "EVALUATOR", "grpcServerFilePath", "jsonpath"]


def pattern(spellings: list[str]) -> re.Pattern[str]:
    """Finds whole words, a plural too. A sentence may begin with the word."""
    # The longest first: a headless Service is not a Service.
    words = "|".join(map(_words, sorted(spellings, key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")


def _words(spelling: str) -> str:
    first = spelling[0]
    either = f"[{first}{first.upper()}]" if first.islower() else first
    return either + r"\s+".join(map(re.escape, spelling[1:].split())) + "s?"


PATTERNS = {term: pattern(spellings) for term, spellings in EXPLAINED.items()}
ANY = pattern([spelling for spellings in EXPLAINED.values() for spelling in spellings])


def term_of(words: str) -> str:
    return next(term for term, each in PATTERNS.items() if each.fullmatch(words))


def uses(text: str) -> Iterator[tuple[str, str | None]]:
    """(term, where its link leads or None), in order."""
    for piece, target in prose.pieces(_only_words(text)):
        for match in ANY.finditer(piece):
            yield term_of(match[0]), target


def _only_words(text: str) -> str:
    """Code in a sentence counts where it is one word of the list, and nothing more."""

    def word(match: re.Match[str]) -> str:
        return match["code"] if ANY.fullmatch(match["code"]) else "…"

    return prose.CODE.sub(word, text)


def in_bold(text: str) -> set[str]:
    """The terms that the page explains itself."""
    bold = [words.strip("`.:") for words in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)]
    return {term_of(words) for words in bold if ANY.fullmatch(words)}


def unexplained(markdown: str) -> list[str]:
    """The terms whose first use on a page tells the reader nothing."""
    text = prose.prose(markdown)
    first: dict[str, str | None] = {}
    for term, target in uses(text):
        first.setdefault(term, target)
    known = in_bold(text)
    return [
        term for term, target in first.items() if term not in known and not _leads(term, target)
    ]


def _leads(term: str, target: str | None) -> bool:
    """A link into the glossary leads to the term's own entry."""
    if not target:
        return False
    page, _, anchor = target.partition("#")
    return not page.endswith("glossary.md") or anchor == prose.slug(term)


def link(term: str) -> str:
    return f"[{term}](../../docs/glossary.md#{prose.slug(term)})"


@pytest.mark.parametrize("page", MODULES, ids=prose.name)
def test_the_first_use_of_a_term_is_explained(page):
    missing = list(map(link, unexplained(page.read_text())))
    assert not missing, f"link the first use, or explain the word in bold: {', '.join(missing)}"


@pytest.mark.parametrize("page", MODULES, ids=prose.name)
def test_a_term_in_commands_is_explained_somewhere(page):
    text = page.read_text()
    shown = [term for term in IN_CODE if term in text]
    explained = [term for term in shown if f"#{prose.slug(term)})" in text or f"**{term}**" in text]
    assert shown == explained, "link each into the glossary, or explain the word in bold"


def test_entries_are_in_alphabetical_order():
    assert sorted(ENTRIES, key=str.casefold) == ENTRIES
    assert len(ENTRIES) == len(set(map(prose.slug, ENTRIES)))


def test_every_entry_is_a_sentence_or_two():
    sections = re.split(r"^## .*$", prose.GLOSSARY.read_text(), flags=re.MULTILINE)[1:]
    for entry, section in zip(ENTRIES, sections, strict=True):
        assert 1 <= len(re.findall(r"[.](?=\s|\*)", section)) <= 3, entry


def test_terms_that_need_a_link_have_an_entry():
    assert set(EXPLAINED) | set(IN_CODE) <= set(ENTRIES)


def test_every_entry_is_met_in_the_workshop():
    """On a page, in a manifest, or in what the programs say. `accessModes` is access mode, too."""
    text = "\n".join(file.read_text() for file in _texts())
    joined = {term: r"\b" + r"[\s-]?".join(term.split()) for term in ENTRIES}
    unused = [term for term, words in joined.items() if not re.search(words, text, re.IGNORECASE)]
    assert unused == []


def _texts() -> Iterator[Path]:
    yield from (page for page in prose.PAGES if page != prose.GLOSSARY)
    for folder in ("modules", "operator", "validator", "cluster"):
        for kind in ("py", "yaml", "txt"):
            yield from (prose.CHECKOUT / folder).rglob(f"*.{kind}")


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        pytest.param("A [Pod](../../docs/glossary.md#pod). The Pod.", [], id="a link first"),
        pytest.param("The Pod. A [Pod](../../docs/glossary.md#pod).", ["Pod"], id="a link later"),
        pytest.param("A [Pod](../../docs/glossary.md#job).", ["Pod"], id="a link to another entry"),
        pytest.param("A [Pod](https://kubernetes.io/).", [], id="a link to another page"),
        pytest.param("Pods run. A **Pod** is one or more containers.", [], id="explained in bold"),
        pytest.param("# Pods\n```console\n$ Pod\n```\n![Pod](p.svg)", [], id="no prose"),
        pytest.param("Set `TF_CONFIG`.", ["TF_CONFIG"], id="code that is the word"),
        pytest.param("Type `kubectl get Pod`.", [], id="code that only has the word"),
        pytest.param("A custom\nresource.", ["custom resource"], id="over two lines"),
        pytest.param("Labels.", ["label"], id="the plural begins a sentence"),
        pytest.param(
            "A headless Service, then a Service.", ["headless Service", "Service"], id="the longer"
        ),
        pytest.param("Podcasts, and a Pod-to-be.", [], id="another word"),
    ],
)
def test_first_uses_without_an_explanation_are_found(page, wanted):
    assert unexplained(page) == wanted
