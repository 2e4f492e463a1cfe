"""The simulated nvidia-smi, built and run as containers run it."""

import subprocess

import pytest

from cluster.programs import binaries
from cluster.workshop import table

MEMORY = f"{table.GPUS.memory_mib} MiB"


@pytest.fixture(scope="module")
def program():
    return binaries.ensure(["nvidia-smi"]) / "nvidia-smi"


def nvidia_smi(program, *arguments, **environment):
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("environment", "cards"),
    [
        pytest.param({}, [0, 1, 2, 3], id="all of the node without a plugin, as in 2017"),
        pytest.param(
            {"NVIDIA_VISIBLE_DEVICES": "GPU-SIMULATED-1,GPU-SIMULATED-3"}, [1, 3], id="the plugin's"
        ),
        pytest.param({"NVIDIA_VISIBLE_DEVICES": "2"}, [2], id="by number"),
        pytest.param({"NVIDIA_VISIBLE_DEVICES": "all"}, [0, 1, 2, 3], id="all by hand"),
        pytest.param({"SIMULATED_GPU_5": "80GiB"}, [5], id="a claim's"),
        pytest.param(
            {
                "SIMULATED_GPU_5": "80GiB",
                "SIMULATED_GPU_4": "40GiB",
                "NVIDIA_VISIBLE_DEVICES": "GPU-SIMULATED-0",
            },
            [0, 4, 5],
            id="both ways in one container",
        ),
    ],
)
def test_it_lists_the_cards_of_the_container(program, environment, cards):
    said = nvidia_smi(program, "-L", **environment).stdout.splitlines()
    assert [line.split("UUID: ")[1] for line in said] == [f"GPU-SIMULATED-{c})" for c in cards]
    assert [line.split(":")[0] for line in said] == [f"GPU {i}" for i in range(len(cards))]
    table = nvidia_smi(program, **environment).stdout
    assert table.count("MiB /") == len(cards)
    assert "SIMULATED" in table
    assert {len(line) for line in table.splitlines()} == {79}


@pytest.mark.parametrize("visible", ["void", "none", "", "GPU-of-another-node"])
@pytest.mark.parametrize("arguments", [[], ["-L"], ["--query-gpu=name", "--format=csv"]])
def test_a_container_that_was_given_none_has_none(program, arguments, visible):
    done = nvidia_smi(program, *arguments, NVIDIA_VISIBLE_DEVICES=visible)
    assert done.stdout == "No devices were found (SIMULATED)\n"
    assert done.returncode == 6


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        pytest.param("csv", ["name, memory.total [MiB]", f"Simulated GPU, {MEMORY}"], id="csv"),
        pytest.param("csv,noheader", [f"Simulated GPU, {MEMORY}"], id="no header"),
        pytest.param(
            "csv,noheader,nounits",
            [f"Simulated GPU, {table.GPUS.memory_mib}"],
            id="no units",
        ),
    ],
)
def test_a_query_prints_csv_and_says_beside_it_that_it_is_simulated(program, options, lines):
    query = ("--query-gpu=name,memory.total", f"--format={options}")
    done = nvidia_smi(program, *query, NVIDIA_VISIBLE_DEVICES="0")
    assert done.stdout.splitlines() == lines
    assert "SIMULATED" in done.stderr


def test_it_knows_as_many_cards_as_the_plugin_has(program):
    query = ("--query-gpu=memory.total", "--format=csv,noheader")
    assert nvidia_smi(program, *query).stdout.splitlines() == [MEMORY] * table.GPUS.count


@pytest.mark.parametrize(
    "arguments", [["--query-gpu=colour", "--format=csv"], ["--query-gpu=name"], ["--reset"]]
)
def test_what_it_does_not_know_is_refused(program, arguments):
    done = nvidia_smi(program, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "SIMULATED" in done.stderr
