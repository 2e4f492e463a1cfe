import pytest

from kube_runtime import indexes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("", set(), id="none"),
        pytest.param("3", {3}, id="one"),
        pytest.param("0-2,5", {0, 1, 2, 5}, id="a run and one"),
        pytest.param("1,3,5", {1, 3, 5}, id="no run"),
    ],
)
def test_indexes_are_read_and_written_as_in_a_jobs_status(text, found):
    assert indexes.read(text) == found
    assert indexes.write(found) == text
