"""Repeating a command in a notebook: which command, and when it fits."""

import io

import pytest

from modules import again, here
from modules.again import main, shows, step_of
from modules.here import Here

BLOCK = "$ kubectl get pods \\\n>   --all\none-x7k2p   Running   7s\nin default namespace\n"


def test_the_command_of_a_block_is_found():
    assert step_of(BLOCK).command == "kubectl get pods \\\n  --all"


@pytest.mark.parametrize(
    ("output", "known", "fits"),
    [
        pytest.param("one-b2wmz   Running   9s\nin mine namespace", {"one"}, True, id="as shown"),
        pytest.param("one-b2wmz   Pending   9s\nin mine namespace", {"one"}, False, id="not yet"),
        pytest.param("one-b2wmz   Running   9s\nin mine namespace", set(), False, id="no workload"),
    ],
)
def test_an_output_fits_as_it_does_in_the_tests_of_the_pages(output, known, fits):
    assert shows(BLOCK, output, Here({"mine": "default"}), known) == fits


@pytest.mark.parametrize(
    ("output", "code"),
    [
        pytest.param("one-b2wmz   1/1\n", 0, id="a workload that a page names"),
        pytest.param("two-b2wmz   1/1\n", 1, id="another"),
    ],
)
def test_the_command_line_compares_a_file(monkeypatch, tmp_path, output, code):
    (tmp_path / "1-x").mkdir()
    (tmp_path / "1-x" / "README.md").write_text("kubectl create job one --image=x")
    (tmp_path / "output").write_text(output)
    monkeypatch.setattr(again, "PAGES", tmp_path)
    monkeypatch.setattr(here, "look", Here)
    monkeypatch.setattr("sys.stdin", io.StringIO("$ kubectl get pods\none-x7k2p   1/1\n"))
    assert main(["fits", str(tmp_path / "output")]) == code
