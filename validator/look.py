"""How a terminal shows text: its width, what it can show, and where we are.

Names, messages and log lines come from a cluster or a file that anybody may
have written. ``clean`` makes one harmless line of them; nothing reaches a
reader without it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from validator.commands import CHECKOUT, pastable
from validator.verdicts import Verdict

# Nobody reads more of a name or a message; only a forged file has one as long.
LONGEST_TEXT = 2000
NARROWEST = 20
MARKS = {
    Verdict.DONE: "✔",
    Verdict.WRONG: "✘",
    Verdict.CONVERGING: "…",
    Verdict.NOT_STARTED: "○",
    Verdict.BLOCKED: "⊘",
    Verdict.COULD_NOT_CHECK: "?",
}
_PLAIN_MARKS = {
    Verdict.DONE: "+",
    Verdict.WRONG: "x",
    Verdict.CONVERGING: "~",
    Verdict.NOT_STARTED: "o",
    Verdict.BLOCKED: "!",
    Verdict.COULD_NOT_CHECK: "?",
}
_COLOURS = {
    Verdict.DONE: "32",
    Verdict.WRONG: "31",
    Verdict.CONVERGING: "36",
    Verdict.NOT_STARTED: "33",
    Verdict.BLOCKED: "33",
    Verdict.COULD_NOT_CHECK: "35",
}
_BOLD = "1"
# Control, direction, private and unassigned characters, and line separators.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
# What our own sentences hold beyond ASCII.
_PLAIN = str.maketrans({"…": "...", "–": "-", "—": "-", "→": "->", "≥": ">=", "×": "x", "·": "."})


@dataclass(frozen=True)
class Look:
    """How a terminal shows text: its width in columns, what it can show, and where we are.

    ``root`` leads from the current folder to the checkout: "" in it, "../../" below it.
    """

    width: int = 80
    root: str = ""
    colour: bool = False
    symbols: bool = True

    @property
    def narrow(self) -> bool:
        """Whether a column of labels would leave too little for the words beside it."""
        return self.width < 60

    def mark(self, verdict: Verdict | None) -> str:
        """The sign of a verdict; None for a check that was not made."""
        if verdict is None:
            return self.words("·")
        return self.paint((MARKS if self.symbols else _PLAIN_MARKS)[verdict], verdict)

    def paint(self, words: str, verdict: Verdict) -> str:
        return self._in(_COLOURS[verdict], words)

    def bold(self, words: str) -> str:
        return self._in(_BOLD, words)

    def words(self, words: str) -> str:
        """Words as they are shown: on one line, with paths from here."""
        shown = placed(clean(words), self.root)
        return shown if self.symbols else shown.translate(_PLAIN)

    def command(self, command: str) -> str:
        """A command on one line, ready to be pasted."""
        return self.bold(clean_command(pastable(command, self.root)))

    def wrap(self, words: str, first: str, rest: str) -> str:
        """Words between the margins; a word that is too long for a line is not broken."""
        lines, line, room = [], first, 0
        for word in self.words(words).split():
            if room and columns(line) + 1 + columns(word) > max(self.width, NARROWEST):
                lines.append(line)
                line, room = rest, 0
            line += " " * min(room, 1) + word
            room += 1
        return "\n".join([*lines, line])

    def _in(self, code: str, words: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if self.colour else words


def placed(words: str, root: str) -> str:
    """Words with the paths of the checkout as they are seen from the current folder."""
    return words.replace(CHECKOUT, root)


def clean(words: str) -> str:
    """One line without control characters: a name or a log line must not steer the terminal."""
    line = " ".join(_printable(words[: LONGEST_TEXT + 1]).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def clean_command(command: str) -> str:
    """A command on one line; spaces stay as they are, since some stand in quotes."""
    return _printable(command)


def columns(words: str) -> int:
    """How many columns of a terminal the words take, without colours."""
    shown = _ESCAPE.sub("", words) if "\x1b" in words else words
    return len(shown) if shown.isascii() else sum(map(_columns, shown))


def rows(text: str, width: int) -> int:
    """How many rows a text takes on a terminal, which breaks what is wider than itself."""
    return sum(max(1, -(-columns(line) // max(width, 1))) for line in text.split("\n"))


def _printable(words: str) -> str:
    """Without control, direction and unassigned characters, and line separators."""
    if words.isascii() and words.isprintable():
        return words
    return "".join(c if c == " " or is_printable(c) else " " for c in words)


def is_printable(character: str) -> bool:
    """Whether a character shows, and does nothing else."""
    return unicodedata.category(character) not in _UNPRINTABLE


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
