"""The command line as a whole: exit codes, outputs, and never a traceback."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.validator import world
from tests.validator.api_server import serve
from validator.__main__ import main
from validator.options import parse

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def snapshot_file(tmp_path):
    def write(*changes):
        path = tmp_path / "snapshot.json"
        path.write_text(json.dumps(world.spoiled(*changes).data))
        return str(path)

    return write


def no_operator(data):
    data["operator"]["deployments"] = []


def fifty(data):
    world.master(data)["args"] = ["--max-steps", "50"]


def unserved(data):
    world.forbid("tfjobs", 500)(data)


@pytest.mark.parametrize(
    ("changes", "words", "code"),
    [
        pytest.param([], ["module5"], 0, id="done"),
        pytest.param([fifty], ["module5"], 1, id="wrong"),
        pytest.param([no_operator], ["module5"], 3, id="not started, and 5.1 blocked by it"),
        pytest.param([world.pod_status()], ["module5", "--exercise", "1"], 4, id="converging"),
        pytest.param([no_operator], ["module5", "--exercise", "1"], 5, id="blocked"),
        pytest.param([unserved], ["module5", "--exercise", "1"], 6, id="could not check"),
        pytest.param([fifty], [], 0, id="the overview is always well"),
    ],
)
def test_exit_codes(snapshot_file, capsys, changes, words, code):
    assert main([*words, "--from", snapshot_file(*changes)]) == code
    assert capsys.readouterr().out


@pytest.mark.parametrize("output", ["text", "json", "junit"])
@pytest.mark.parametrize("words", [[], ["module5"]])
def test_without_a_cluster_every_output_says_so(tmp_path, capsys, output, words):
    gone = str(tmp_path / "gone")
    assert main([*words, "--kubeconfig", gone, "--output", output]) == 6
    said = capsys.readouterr().out
    assert "no kubeconfig at" in said
    if output == "json":
        assert json.loads(said)["exit_code"] == 6
    if output == "junit":
        assert ElementTree.fromstring(said).find("testsuite/testcase/error") is not None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file"),
        pytest.param("", id="an empty file"),
        pytest.param("[" * 100_000, id="a nest without an end"),
        pytest.param('{"version": 99}', id="another version"),
        pytest.param('{"version": 1}', id="no sections"),
        pytest.param("\udcff", id="no text"),
    ],
)
def test_a_file_that_is_no_snapshot(tmp_path, capsys, content):
    path = tmp_path / "f"
    if content is not None:
        path.write_text(content, errors="surrogateescape")
    assert main(["module5", "--from", str(path)]) == 6
    assert "is no snapshot" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["module9"], id="a module without exercises"),
        pytest.param(["$(reboot)"], id="a module of shell words"),
        pytest.param(["module5", "--exercise", "7"], id="an exercise that is not there"),
        pytest.param(["--exercise", "1"], id="an exercise without a module"),
        pytest.param(["module5", "module5"], id="two modules"),
        pytest.param(["solve"], id="solve what"),
        pytest.param(["snapshot"], id="a snapshot to nowhere"),
        pytest.param(["module5", "--from", "f", "--watch"], id="watching a file"),
        pytest.param(["module5", "--namespace", "../x"], id="a namespace that is a path"),
        pytest.param(["module5", "--output", "xml"], id="an unknown output"),
    ],
)
def test_usage_errors_exit_with_2(capsys, words):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("spelling", ["1", "5.1"])
def test_an_exercise_may_be_named_with_or_without_its_module(spelling):
    assert parse(["module5", "--exercise", spelling]).exercises == ["5.1"]


@pytest.fixture
def api(tmp_path, monkeypatch):
    """A small API server, its kubeconfig, and recorders instead of kubectl and helm."""
    recorder = '#!/bin/sh\necho "$0 $*" >> $RECORD\n'
    for name in ("kubectl", "helm"):
        (tmp_path / name).write_text(recorder)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    with serve() as server:
        server.kubeconfig(tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        yield server


def recorded(tmp_path):
    record = tmp_path / "record"
    lines = record.read_text().splitlines() if record.exists() else []
    return [line.removeprefix(f"{tmp_path}/") for line in lines]


def installed(api):
    operator = world.operator()
    api.answers["/apis/apps/v1/deployments"] = operator["deployments"]
    api.answers["/api/v1/configmaps"] = operator["configmaps"]


def test_solve_installs_the_operator_with_helm(api, tmp_path):
    assert main(["solve", "module5", "--exercise", "0", "--yes"]) == 0
    assert recorded(tmp_path) == [
        "helm upgrade --install tf-job operator/chart --set cloud=azure"
        " --namespace=learner --kube-context=here"
    ]


@pytest.mark.parametrize(
    ("nodes", "solution"),
    [
        pytest.param(world.done()["objects"]["nodes"], "exercise-1.yaml", id="with GPUs"),
        pytest.param([], "exercise-1-no-gpu.yaml", id="without GPUs"),
    ],
)
def test_solve_applies_the_solution_that_fits_the_cluster(api, tmp_path, nodes, solution):
    installed(api)
    api.answers["/api/v1/nodes"] = nodes
    assert main(["solve", "module5", "--exercise", "1", "--yes"]) == 0
    (line,) = recorded(tmp_path)
    assert line.startswith(f"kubectl apply -f modules/5-tfjob/solution/{solution} ")


def test_solve_replaces_what_is_wrong(api, tmp_path):
    installed(api)
    wrong = world.tfjob()
    wrong["spec"]["replicaSpecs"][0]["replicas"] = 2
    api.answers["/apis/tensorflow.org/v1alpha1/namespaces/learner/tfjobs"] = [wrong]
    main(["solve", "module5", "--exercise", "1", "--yes"])
    assert [line.split()[1] for line in recorded(tmp_path)] == ["delete", "apply"]


def test_solve_asks_first(api, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda question: "no")
    assert main(["solve", "module5", "--exercise", "0"]) == 3
    assert "helm upgrade --install" in capsys.readouterr().out
    assert recorded(tmp_path) == []


def test_solve_names_what_has_to_come_first(api, tmp_path, capsys):
    assert main(["solve", "module5", "--exercise", "1", "--yes"]) == 5
    assert "solve module5 --exercise 0" in capsys.readouterr().out
    assert recorded(tmp_path) == []


def test_reset_deletes_what_the_exercises_made_and_nothing_else(api, tmp_path):
    names = ("module5-ex1", "example-tfjob")
    api.answers["/apis/tensorflow.org/v1alpha1/namespaces/learner/tfjobs"] = [
        world.tfjob(name) for name in names
    ]
    labels = {"owner": "helm", "name": "tf-job", "status": "deployed", "version": "1"}
    api.answers["/api/v1/namespaces/learner/secrets"] = [{"metadata": {"labels": labels}}]
    assert main(["reset", "module5"]) == 0
    where = "--namespace=learner"
    assert recorded(tmp_path) == [
        f"kubectl delete tfjob module5-ex1 {where} --context=here",
        f"helm uninstall tf-job {where} --kube-context=here",
    ]


def test_reset_of_nothing_says_so(api, tmp_path, capsys):
    assert main(["reset", "module5"]) == 0
    assert "Nothing to delete" in capsys.readouterr().out


def test_a_command_that_fails_is_told_in_its_own_words(api, tmp_path, capsys):
    (tmp_path / "helm").write_text("#!/bin/sh\necho 'Error: no chart' >&2; exit 1\n")
    assert main(["solve", "module5", "--exercise", "0", "--yes"]) == 6
    assert "no chart" in capsys.readouterr().err


def test_a_missing_helm_is_told(api, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["solve", "module5", "--exercise", "0", "--yes"]) == 6
    assert "source .lab/activate" in capsys.readouterr().err


def test_a_snapshot_is_graded_as_the_live_cluster_is(api, tmp_path, capsys):
    installed(api)
    file = str(tmp_path / "taken.json")
    assert main(["snapshot", "-o", file]) == 0
    live = main(["module5", "--output", "json"])
    capsys.readouterr()
    assert main(["module5", "--output", "json", "--from", file]) == live


def test_a_snapshot_that_cannot_be_written(api, tmp_path, capsys):
    assert main(["snapshot", "-o", str(tmp_path)]) == 6
    assert "Cannot write" in capsys.readouterr().err


def test_watch_ends_when_it_is_done(api, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda seconds: installed(api))
    assert main(["module5", "--exercise", "0", "--watch"]) == 0
    said = capsys.readouterr().out
    assert said.index("not started") < said.index("done")


def starting(api):
    installed(api)
    deployments = api.answers["/apis/apps/v1/deployments"]
    api.answers["/apis/apps/v1/deployments"] = [one | {"status": {}} for one in deployments]


def test_watch_says_all_at_first_and_last_and_in_between_one_line(api, monkeypatch, capsys):
    steps = iter([lambda api: None, starting, starting, installed])
    monkeypatch.setattr("time.sleep", lambda seconds: next(steps)(api))
    assert main(["module5", "--exercise", "0", "--watch"]) == 0
    said = capsys.readouterr().out.splitlines()
    heads = [line.split(": ")[1] for line in said if line.startswith("5.0")]
    assert heads == ["not started", "converging", "done"]
    between = said.index(next(line for line in said if "converging" in line))
    assert said[between - 1].endswith("4 checks come after this one")
    assert said[between + 1].startswith("5.0")


def test_watch_stops_at_what_cannot_heal(api, capsys):
    installed(api)
    api.answers["/api/v1/configmaps"] = []
    assert main(["module5", "--exercise", "0", "--watch"]) == 1


def test_a_reader_that_leaves_is_no_error(snapshot_file):
    command = f"{sys.executable} -m validator module5 --from {snapshot_file()} | head -c 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_encoding_of_the_terminal_will_do(snapshot_file, encoding):
    command = [sys.executable, "-m", "validator", "module5", "--from", snapshot_file(fifty)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\x1b" not in done.stdout


def test_nothing_slow_is_imported():
    """A cold start fits into a third of a second, as long as none of these creeps in."""
    program = "import sys, validator.__main__; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    slow = {"kubernetes", "requests", "urllib3", "yaml", "asyncio", "cryptography", "tensorflow"}
    assert slow & set(done.stdout.split()) == set()
