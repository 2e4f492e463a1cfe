"""Progress: what was done once stays known, and nothing breaks it."""

import json
from datetime import UTC, datetime

import pytest

from tests.validator import tiny
from validator import progress
from validator.snapshot import Snapshot

FIRST = Snapshot(tiny.data(taken="2026-11-25T10:00:00Z"))
LATER = Snapshot(tiny.data(taken="2026-12-24T10:00:00Z"))
DONE = tiny.graded(None, number="5.1")
WRONG = tiny.graded(tiny.finding(), number="5.2")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.json"


def test_what_is_done_is_remembered_with_its_day(path):
    progress.remember(path, "here", [DONE, WRONG], FIRST)
    assert progress.days(path, "here") == {"5.1": "25 Nov 2026"}


def test_what_was_done_first_keeps_its_day(path):
    progress.remember(path, "here", [DONE], FIRST)
    progress.remember(path, "here", [DONE, tiny.graded(None, number="5.2")], LATER)
    assert progress.days(path, "here") == {"5.1": "25 Nov 2026", "5.2": "24 Dec 2026"}


def test_what_is_no_longer_done_stays_known(path):
    progress.remember(path, "here", [DONE], FIRST)
    progress.remember(path, "here", [tiny.graded(None, number="5.2")], LATER)
    assert progress.days(path, "here") == {"5.1": "25 Nov 2026", "5.2": "24 Dec 2026"}


def test_one_place_says_nothing_of_another(path):
    progress.remember(path, "here", [DONE], FIRST)
    assert progress.days(path, "there") == {}


def test_the_oldest_places_are_forgotten(path):
    for number in range(progress.MOST_PLACES + 1):
        progress.remember(path, f"place {number}", [DONE], FIRST)
    assert len(progress.load(path)) == progress.MOST_PLACES
    assert progress.days(path, "place 0") == {}


def test_no_file_is_made_where_there_is_no_lab(tmp_path):
    progress.remember(tmp_path / "no" / "progress.json", "here", [DONE], FIRST)
    assert not (tmp_path / "no").exists()


def test_nor_where_nothing_is_done(path):
    progress.remember(path, "here", [WRONG], FIRST)
    assert not path.exists()


def test_a_lab_that_cannot_be_written_to_stops_nothing(tmp_path):
    path = tmp_path / "progress.json"
    path.mkdir()
    progress.remember(path, "here", [DONE], FIRST)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b'{"places": ', id="a file that was cut"),
        pytest.param(b"[]", id="another shape"),
        pytest.param(b'{"places": {"here": []}}', id="a list of exercises"),
        pytest.param(b'{"places": {"here": {"5.1": {"time": "x"}}}}', id="a part is missing"),
        pytest.param(b"[" * 100_000, id="without an end"),
    ],
)
def test_a_file_that_cannot_be_understood_counts_as_none(path, content):
    path.write_bytes(content)
    assert progress.days(path, "here") == {}
    progress.remember(path, "here", [DONE], FIRST)
    assert progress.days(path, "here") == {"5.1": "25 Nov 2026"}


def test_a_time_that_is_none_has_no_day(path):
    entry = {"5.1": {"time": "yesterday", "digest": "x"}}
    path.write_text(json.dumps({"places": {"here": entry}}))
    assert progress.days(path, "here") == {}


def test_the_digest_is_that_of_the_content_alone():
    data = tiny.data(tiny.tfjob())
    same = dict(reversed(data.items())) | {"identity": {"name": "ann"}}
    assert progress.digest(data) == progress.digest(same)
    assert progress.digest(data) != progress.digest(tiny.data(tiny.tfjob("other")))


def test_with_done_takes_only_what_is_done():
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert progress.with_done({}, [DONE, WRONG], noon, "mark") == {
        "5.1": {"time": "2026-11-25T12:00:00+00:00", "digest": "mark"}
    }
