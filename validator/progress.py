"""Progress that lasts: what was done once, on which day, and the digest of what showed it.

Kept in ``.lab/progress.json`` beside the learner's cluster. Only the overview
reads it, so that cleaning up undoes nothing. It is no evidence: ``grade`` and
``module5`` judge the cluster.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from validator.engine import Grade
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

VERSION = 1
# A class room's machine sees few clusters; what is older than these many is forgotten.
MOST_PLACES = 50
Done = dict[str, dict[str, str]]


def digest(data: dict[str, Any]) -> str:
    """SHA-256 of a snapshot, as hexadecimal digits."""
    whole = {key: value for key, value in data.items() if key != "identity"}
    written = json.dumps(whole, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(written.encode()).hexdigest()


def load(path: Path) -> dict[str, Done]:
    """What was done: by place and exercise {"time", "digest"}; {} where nothing can be read."""
    try:
        places = json.loads(path.read_text())["places"]
        return {
            str(place): {
                str(number): {key: str(entry[key]) for key in ("time", "digest")}
                for number, entry in done.items()
            }
            for place, done in places.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def days(path: Path, place: str) -> dict[str, str]:
    """The day on which each exercise was first done in a place, as in "25 Nov 2026"."""
    found = {}
    for number, entry in load(path).get(place, {}).items():
        with contextlib.suppress(ValueError):
            time = datetime.fromisoformat(entry["time"])
            found[number] = f"{time.day} {time:%b %Y}"
    return found


def with_done(old: Done, grades: Sequence[Grade], taken: datetime, mark: str) -> Done:
    """``old`` and what is done now; what was done first keeps its time."""
    new = {
        grade.exercise.number: {"time": taken.isoformat(timespec="seconds"), "digest": mark}
        for grade in grades
        if grade.verdict is Verdict.DONE
    }
    return {**new, **old}


def remember(path: Path, place: str, grades: Sequence[Grade], seen: Snapshot) -> None:
    """Add what is done now. A lab that cannot be written to loses nothing but this."""
    if not path.parent.is_dir():
        return
    places = load(path)
    old = places.get(place, {})
    if all(g.exercise.number in old for g in grades if g.verdict is Verdict.DONE):
        return
    places[place] = with_done(old, grades, seen.taken, digest(seen.data))
    kept = dict(list(places.items())[-MOST_PLACES:])
    with contextlib.suppress(OSError):
        _write(path, json.dumps({"version": VERSION, "places": kept}, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    """In one step, so that an interruption leaves the old file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
