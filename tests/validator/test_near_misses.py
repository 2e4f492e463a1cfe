"""What resembles the object that an exercise asks for."""

import pytest

from validator.near_misses import edit_distance, resembles


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        pytest.param("", "", 0, id="nothing"),
        pytest.param("abc", "abc", 0, id="the same"),
        pytest.param("abc", "ac", 1, id="a letter too many"),
        pytest.param("ac", "abc", 1, id="a letter too few"),
        pytest.param("abc", "axc", 1, id="another letter"),
        pytest.param("abc", "acb", 1, id="two swapped"),
        pytest.param("abc", "cab", 2, id="one moved by two"),
        pytest.param("", "abc", 3, id="all missing"),
    ],
)
def test_edit_distance(one, other, edits):
    assert edit_distance(one, other) == edits == edit_distance(other, one)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        pytest.param("module5-ex1", True, id="itself"),
        pytest.param("module5-ex-1", True, id="a hyphen more"),
        pytest.param("module-5-ex-1", True, id="other separators"),
        pytest.param("moduel5-ex1", True, id="two letters swapped"),
        pytest.param("module5ex1", True, id="no hyphen"),
        pytest.param("example-tfjob", False, id="the page's example"),
        pytest.param("my-training", False, id="a name of its own"),
    ],
)
def test_resemblance(name, near):
    assert resembles(name, "module5-ex1") is near
