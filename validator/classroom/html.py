"""A class as one web page: no scripts, nothing loaded from elsewhere, fit to be printed.

Everything that comes from a snapshot goes through ``_text``, which makes it one
harmless line and escapes it. A Content-Security-Policy allows the page's own
style and nothing else, should that ever fail.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from validator.classroom.room import Classroom, Learner, Stuck, counted, grade_in, remarks
from validator.classroom.style import STYLE
from validator.classroom.tables import headline
from validator.engine import Exercise, Grade
from validator.look import MARKS, Look, clean
from validator.modules import MODULES
from validator.report import as_text
from validator.verdicts import Verdict

REPORT = Look(width=88)
# So many names stand beside a finding; the others are one click away.
NAMES_SHOWN = 8
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def as_html(room: Classroom) -> str:
    """One self-contained page: the table, where people are stuck, and every report."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            *_head(),
            "<body>",
            f"<header><h1>Class report</h1><p>{_text(headline(room))}</p></header>",
            "<main>",
            *_results(room),
            *_remarks(room),
            *_stuck(room),
            *_reports(room),
            "</main>",
            *_footer(),
            "</body>",
            "</html>",
            "",
        ]
    )


def _head() -> list[str]:
    return [
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        "<title>Class report</title>",
        f"<style>{STYLE}</style>",
        "</head>",
    ]


def _results(room: Classroom) -> Iterator[str]:
    yield '<section><h2 id="results">Results</h2>'
    yield '<div class="scroll" role="region" aria-labelledby="results" tabindex="0"><table>'
    yield "<thead><tr>"
    yield '<th scope="col" rowspan="2" class="name">Learner</th>'
    for module, group in groupby(room.exercises, key=lambda each: each.module):
        title = _text(f"{module} {MODULES[module].title if module in MODULES else ''}")
        yield f'<th scope="colgroup" colspan="{len(list(group))}" class="module">{title}</th>'
    yield '<th scope="col" rowspan="2">Done</th>'
    yield "</tr><tr>"
    for exercise in room.exercises:
        yield _exercise_head(room, exercise)
    yield "</tr></thead><tbody>"
    for position, learner in enumerate(room.learners):
        yield _row(room, position, learner)
    yield "</tbody></table></div></section>"


def _exercise_head(room: Classroom, exercise: Exercise) -> str:
    done, all_ = room.done(exercise), len(room.learners)
    bonus = ", bonus" if exercise.optional else ""
    return (
        f'<th scope="col" abbr="{_text(exercise.number)}" class="exercise">'
        f"<b>{_text(exercise.number)}</b><span>{_text(exercise.title + bonus)}</span>"
        f'<meter min="0" max="{max(all_, 1)}" value="{done}" aria-hidden="true"></meter>'
        f"<small>{done} of {all_} done</small></th>"
    )


def _row(room: Classroom, position: int, learner: Learner) -> str:
    name = f'<a href="#learner-{position}"><bdi>{_text(learner.name)}</bdi></a>'
    head = f'<tr><th scope="row" class="name">{name}</th>'
    if learner.error:
        span = len(room.exercises) + 1
        return f'{head}<td colspan="{span}" class="unread">could not be read</td></tr>'
    cells = "".join(_cell(grade_in(learner, exercise)) for exercise in room.exercises)
    return f'{head}{cells}<td class="count">{learner.done} of {room.to_do}</td></tr>'


def _cell(one: Grade | None) -> str:
    if one is None:
        return "<td></td>"
    found = one.finding.found if one.finding else ""
    title = f' title="{_text(found)}"' if found else ""
    return f"<td{title}>{_chip(one.verdict)}</td>"


def _chip(verdict: Verdict) -> str:
    """A mark and a word: no verdict is told by its colour alone."""
    kind = verdict.value.replace(" ", "-")
    mark = f'<span aria-hidden="true">{MARKS[verdict]}</span>'
    return f'<span class="chip {kind}">{mark} {verdict.value}</span>'


def _remarks(room: Classroom) -> Iterator[str]:
    sentences = remarks(room)
    if sentences:
        yield "<section><h2>To look at</h2><ul>"
        yield from (f"<li>{_text(sentence)}</li>" for sentence in sentences)
        yield "</ul></section>"


def _stuck(room: Classroom) -> Iterator[str]:
    yield '<section><h2 id="stuck">Where people are stuck</h2>'
    if not room.stuck:
        yield "<p>Nobody is.</p></section>"
        return
    places = {each.name: position for position, each in enumerate(room.learners)}
    yield '<div class="scroll" role="region" aria-labelledby="stuck" tabindex="0"><table>'
    yield '<thead><tr><th scope="col">Exercise</th><th scope="col">Finding</th>'
    yield '<th scope="col">Learners</th><th scope="col">Who</th></tr></thead><tbody>'
    for each in room.stuck:
        yield _stuck_row(each, places)
    yield "</tbody></table></div></section>"


def _stuck_row(each: Stuck, places: dict[str, int]) -> str:
    links = [f'<a href="#learner-{places[name]}"><bdi>{_text(name)}</bdi></a>'
             for name in each.learners]  # fmt: skip
    return (
        f'<tr><td class="count">{_text(", ".join(each.exercises))}</td>'
        f'<th scope="row" class="finding"><code>{_text(each.id)}</code> {_chip(each.verdict)}'
        f"<p>{_text(each.example)}</p></th>"
        f'<td class="count big">{len(each.learners)}</td>'
        f'<td class="who">{_who(links)}</td></tr>'
    )


def _who(links: Sequence[str]) -> str:
    shown, others = ", ".join(links[:NAMES_SHOWN]), links[NAMES_SHOWN:]
    if not others:
        return shown
    more = f"<summary>and {counted(len(others), 'other')}</summary>"
    return f"{shown} <details>{more}{', '.join(others)}</details>"


def _reports(room: Classroom) -> Iterator[str]:
    yield '<section class="reports"><h2>Reports</h2><div>'
    for position, learner in enumerate(room.learners):
        yield _report(room, position, learner)
    yield "</div></section>"


def _report(room: Classroom, position: int, learner: Learner) -> str:
    done = "could not be read" if learner.error else f"{learner.done} of {room.to_do} done"
    about = f"<summary><bdi>{_text(learner.name)}</bdi> <small>{done}</small></summary>"
    text = learner.error or as_text(learner.grades, learner.notes, REPORT)
    where = _text(", ".join(filter(None, [learner.source, _taken(learner)])))
    return (
        f"<details>{about}"
        f'<div id="learner-{position}"><p>{where}</p>'
        f'<pre tabindex="0">{escape(text)}</pre></div></details>'
    )


def _taken(learner: Learner) -> str:
    return f"taken {learner.taken:%Y-%m-%d %H:%M} UTC" if learner.taken else ""


def _footer() -> Iterator[str]:
    yield "<footer><p>Several snapshots of one person count together: an exercise that is done in "
    yield "one of them is done; else the one that shows most counts. What could not be checked is "
    yield "nobody's fault and counts as nothing. Made by "
    yield "<code>python -m validator grade</code>.</p></footer>"


def _text(words: str) -> str:
    """One line, escaped for text and attributes alike."""
    return escape(clean(words))
