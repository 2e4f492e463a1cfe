"""What a page says that one waits, and what was measured."""

import pytest

from modules import times
from modules.times import differs, measured, note, stated_minutes
from modules.workplace import CHECKOUT

TIME = "**Time:** 30 minutes; 4 of them waiting (measured on two cores)"


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        pytest.param(f"# T\n\n{TIME}\n\nmore", 4, id="as the form says"),
        pytest.param(f"x\n\n{TIME}.\nThen more.", 4, id="and more in the paragraph"),
        pytest.param("**Time:** about 30\nminutes; about 12\nof them waiting", 12, id="wrapped"),
        pytest.param(f"# T\r\n\r\n{TIME}\r\n", 4, id="with carriage returns"),
        pytest.param(TIME.replace(";", ", and 10 for the bonus;"), 4, id="with a bonus"),
        pytest.param("**Time:** 1 minute; 0 of it waiting", 0, id="none at all"),
        pytest.param("**Time:** 30 minutes, some of them waiting.", None, id="another form"),
        pytest.param(f"The line `{TIME}`", None, id="in prose"),
        pytest.param("# T", None, id="none"),
    ],
)
def test_the_waiting_that_a_page_states_is_read(page, wanted):
    assert stated_minutes(page) == wanted


@pytest.mark.parametrize(
    ("stated", "seconds", "wrong"),
    [
        pytest.param(4, 240, False, id="just right"),
        pytest.param(1, 119, False, id="a minute off is nothing"),
        pytest.param(1, 121, True, id="more than a minute off"),
        pytest.param(20, 24 * 60, False, id="a quarter off is nothing"),
        pytest.param(20, 26 * 60, True, id="more than a quarter off"),
        pytest.param(20, 14 * 60, True, id="less than stated counts too"),
    ],
)
def test_a_difference_that_one_notices_is_marked(stated, seconds, wrong):
    assert differs(stated, seconds) == wrong


@pytest.fixture
def table(tmp_path):
    def show(pages, seconds):
        for name, text in pages.items():
            (tmp_path / "modules" / name).mkdir(parents=True)
            (tmp_path / "modules" / name / "README.md").write_text(text)
        file = tmp_path / "times.json"
        file.write_text("{}")
        for name, taken in seconds.items():
            note(CHECKOUT / "modules" / name / "README.md", taken, file)
        said = []
        code = times.main(tmp_path / "modules", file, said.append)
        return code, [line.split() for line in said[1:]]

    return show


def test_each_page_is_a_line_with_both_times_and_a_mark(table):
    pages = {"0-intro": TIME, "5-tfjob": TIME, "6-more": TIME}
    assert table(pages, {"0-intro": 240, "5-tfjob": 600}) == (
        0,
        [
            ["0-intro", "4", "min", "4.0", "min"],
            ["5-tfjob", "4", "min", "10.0", "min", "differs"],
            ["6-more", "4", "min", "-"],
        ],
    )


def test_a_page_that_states_no_time_is_a_fault(table):
    code, lines = table({"5-tfjob": "# T"}, {"5-tfjob": 60})
    assert code == 1
    assert lines[0] == ["5-tfjob", "-", "1.0", "min"]
    assert " ".join(lines[1]).startswith("5-tfjob/README.md states no time; write: **Time:**")


def test_a_later_run_counts(tmp_path):
    for seconds in (1, 2):
        note(CHECKOUT / "modules" / "5-tfjob" / "README.md", seconds, tmp_path / "times.json")
    assert measured(tmp_path / "times.json") == {"5-tfjob": 2}


def test_only_pages_of_modules_are_kept(tmp_path):
    note(CHECKOUT / "README.md", 1, tmp_path / "times.json")
    assert measured(tmp_path / "times.json") == {}
