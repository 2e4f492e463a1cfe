"""The notebook image's server: how it is started, by which options, and what it says to strangers.

Pure. Sources: jupyter_server's `ServerApp` and `IdentityProvider`, whose options may be written
under the names of 2017, too (`--NotebookApp.token`).
"""

from __future__ import annotations

import re
from posixpath import basename

from validator.snapshot import Object
from validator.tfjobs import command_line, same_name, words

IMAGE = "localhost/notebook:1.0.0"
HOME = "/home/learner"
TOKEN = "JUPYTER_TOKEN"
PORT = 8888
# What the image runs where the manifest says nothing.
COMMAND = ("jupyter", "lab", "--ip=0.0.0.0", "--no-browser")
PROGRAMS = ("lab", "notebook", "server")
EVERYWHERE = ("0.0.0.0", "*", "::", "")
# Paths that need no token, and that need one.
OPEN, CLOSED = "/api", ("api/contents", "api/status")
_OPTION = re.compile(r"--(?:(?:Notebook|Server|Lab)App\.|IdentityProvider\.)?(\w+)(?:=(.*))?", re.S)


def line(container: Object) -> list[str]:
    """The words that the container runs: of the manifest, else the image's."""
    if not words(container, "command") and not words(container, "args"):
        return list(COMMAND)
    return command_line(container)


def is_image(image: str) -> bool:
    """Whether it is the notebook image, of any version."""
    return same_name(image, IMAGE)


def serves(line: list[str]) -> bool:
    """Whether a command line is Jupyter's server, and nothing else."""
    program = basename(line[0]) if line else ""
    if program == "jupyter":
        return line[1:2] != [] and line[1] in PROGRAMS
    return program in {f"jupyter-{name}" for name in PROGRAMS}


def option(line: list[str], name: str) -> str | None:
    """The value of an option, the last one given, without quotes; None where it is not given."""
    found = None
    for position, word in enumerate(line):
        match = _OPTION.fullmatch(word)
        if match and match[1] == name:
            after = line[position + 1] if position + 1 < len(line) else ""
            found = match[2] if match[2] is not None else after
    return found if found is None else found.strip("'\"")


def port(container: Object) -> int:
    """The port that the server listens on."""
    given = option(line(container), "port") or ""
    return int(given) if given.isdecimal() and len(given) < 6 else PORT
