"""The command line as a whole: exit codes, outputs, and never a traceback."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.validator import world
from tests.validator.api_server import serve
from validator import __main__ as program
from validator.__main__ import main
from validator.options import parse

CHECKOUT = Path(__file__).resolve().parents[2]
TFJOBS = "/apis/tensorflow.org/v1alpha1/namespaces/learner/tfjobs"


@pytest.fixture
def snapshot_file(tmp_path):
    def write(*changes):
        path = tmp_path / "snapshot.json"
        path.write_text(json.dumps(world.spoiled(*changes).data))
        return str(path)

    return write


@pytest.fixture(autouse=True)
def progress(tmp_path, monkeypatch):
    """The learner's progress, in a file of the test's own."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("WORKSHOP_PROGRESS", str(path))
    return path


def no_operator(data):
    data["operator"]["deployments"] = []


def not_begun(data):
    no_operator(data)
    world.no_tfjob(data)


def fifty(data):
    world.master(data)["args"] = ["--max-steps", "50"]


def at_work(data):
    world.pod_status()(data)


@pytest.mark.parametrize(
    ("changes", "words", "code"),
    [
        pytest.param([], ["module5", "--exercise", "1"], 0, id="done"),
        pytest.param([fifty], ["module5"], 1, id="wrong"),
        pytest.param([not_begun], ["module5"], 3, id="not started, and 5.1 blocked by it"),
        pytest.param([at_work], ["module5", "--exercise", "1"], 4, id="converging"),
        pytest.param([not_begun], ["module5", "--exercise", "1"], 5, id="blocked"),
        pytest.param(
            [world.forbid("tfjobs", 500)], ["module5", "--exercise", "1"], 6, id="could not check"
        ),
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
    if output == "text":
        assert said.count("no kubeconfig at") == 1
    if output == "json":
        assert json.loads(said)["exit_code"] == 6
    if output == "junit":
        assert ElementTree.fromstring(said).find("testsuite/testcase/error") is not None


def test_the_json_of_the_overview_has_the_exit_code_of_the_process(snapshot_file, capsys):
    code = main(["--output", "json", "--from", snapshot_file(fifty)])
    assert json.loads(capsys.readouterr().out)["exit_code"] == code == 0


@pytest.mark.parametrize(
    ("part", "cluster"),
    [
        pytest.param("grade", True, id="while it grades"),
        pytest.param("_text", True, id="while it reports"),
        pytest.param("_text", False, id="while it reports that there is no cluster"),
    ],
)
def test_what_nobody_foresaw_is_never_the_learners_fault(
    snapshot_file, monkeypatch, capsys, part, cluster
):
    def broken(*_):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(program, part, broken)
    source = ["--from", snapshot_file()] if cluster else ["--kubeconfig", "/nonexistent"]
    assert main(["module5", *source]) == 6
    said = capsys.readouterr().err
    assert said.startswith("Could not check: division by zero (ZeroDivisionError).")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file"),
        pytest.param("", id="an empty file"),
        pytest.param("[" * 100_000, id="a nest without an end"),
        pytest.param('{"version": 99}', id="another version"),
        pytest.param('{"version": 2}', id="no sections"),
        pytest.param("\udcff", id="no text"),
    ],
)
def test_a_file_that_is_not_a_snapshot(tmp_path, capsys, content):
    path = tmp_path / "f"
    if content is not None:
        path.write_text(content, errors="surrogateescape")
    assert main(["module5", "--from", str(path)]) == 6
    # The path may be so long that the sentence takes two lines.
    assert "is not a snapshot" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["module10"], id="a module without exercises"),
        pytest.param(["$(reboot)"], id="a module of shell words"),
        pytest.param(["module5", "--exercise", "7"], id="an exercise that is not there"),
        pytest.param(["--exercise", "1"], id="an exercise without a module"),
        pytest.param(["module5", "module5"], id="two modules"),
        pytest.param(["solve"], id="solve what"),
        pytest.param(["snapshot"], id="a snapshot to nowhere"),
        pytest.param(["snapshot", "module5", "-o", "f"], id="a snapshot of one module"),
        pytest.param(["module5", "--from", "f", "--watch"], id="watching a file"),
        pytest.param(["module5", "--from", "f", "--namespace", "x"], id="a file's namespace"),
        pytest.param(["module5", "--from", "f", "--kubeconfig", "x"], id="a file and a cluster"),
        pytest.param(["--watch"], id="watching the overview"),
        pytest.param(["module5", "--timeout", "5"], id="a time limit without a watch"),
        pytest.param(["module5", "--watch", "--timeout", "soon"], id="a time that is no number"),
        pytest.param(["module5", "--namespace", "../x"], id="a namespace that is a path"),
        pytest.param(["module5", "--output", "xml"], id="an unknown output"),
        pytest.param(["module5", "--output", "csv"], id="a table of one learner"),
        pytest.param(["grade"], id="a class of nobody"),
        pytest.param(["grade", "f", "--all-namespaces"], id="a class from files and a cluster"),
        pytest.param(["grade", "f", "--output", "junit"], id="JUnit of a class"),
        pytest.param(["module5", "--operator"], id="the operator without reset"),
        pytest.param(["module5", "--name", "Ann"], id="a name without a snapshot"),
        pytest.param(["module5", "-o", "f"], id="a file for a check"),
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
    monkeypatch.delenv("WORKSHOP_REGISTRY", raising=False)
    with serve() as server:
        server.kubeconfig(tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        yield server


def recorded(tmp_path):
    record = tmp_path / "record"
    lines = record.read_text().splitlines() if record.exists() else []
    return [line.removeprefix(f"{tmp_path}/") for line in lines]


def installed(api, namespace="default"):
    operator = world.operator()
    api.answers["/apis/apps/v1/deployments"] = operator["deployments"]
    for plural in ("pods", "configmaps"):
        api.answers[f"/api/v1/namespaces/{namespace}/{plural}"] = operator[plural]
    api.answers[f"/api/v1/namespaces/{namespace}/secrets"] = operator["helm"]
    (lease,) = operator["leases"]
    # The server's clock is today's.
    lease["spec"]["renewTime"] = datetime.now(UTC).isoformat()
    api.answers[f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"] = [lease]


def test_solve_installs_the_operator_with_helm(api, tmp_path):
    assert main(["solve", "module5", "--exercise", "0", "--yes"]) == 0
    (line,) = recorded(tmp_path)
    assert line.startswith("helm upgrade --install tf-job ")
    assert line.endswith(
        "operator/chart --set cloud=azure --wait --namespace=learner --kube-context=here"
    )


@pytest.mark.parametrize(
    ("nodes", "solution"),
    [
        pytest.param(world.done()["objects"]["nodes"], "exercise-1.yaml", id="with GPUs"),
        pytest.param([world.node(cpu="4")], "exercise-1-no-gpu.yaml", id="without GPUs"),
    ],
)
def test_solve_applies_the_solution_that_fits_the_cluster(api, tmp_path, nodes, solution):
    installed(api)
    api.answers["/api/v1/nodes"] = nodes
    assert main(["solve", "module5", "--exercise", "1", "--yes"]) == 0
    (line,) = recorded(tmp_path)
    assert f"modules/5-tfjob/solution/{solution} " in line
    assert line.startswith("kubectl apply -f ")


def applied(api, tmp_path):
    """Let the recorder keep what was applied, too, and run solve of 5.1. Returns: the manifest."""
    (tmp_path / "kubectl").write_text(f'#!/bin/sh\ncp "$3" {tmp_path}/applied.yaml\n')
    assert main(["solve", "module5", "--exercise", "1", "--yes"]) == 0
    return (tmp_path / "applied.yaml").read_text()


def test_solve_asks_for_the_gpu_that_the_cluster_has(api, tmp_path):
    installed(api)
    api.answers["/api/v1/nodes"] = [world.node("node", **{"nvidia.com/gpu": "2"})]
    manifest = applied(api, tmp_path)
    assert "nvidia.com/gpu: 1" in manifest
    assert world.GPU not in manifest


def test_solve_names_the_image_as_the_learners_registry_has_it(api, tmp_path, monkeypatch):
    installed(api)
    monkeypatch.setenv("WORKSHOP_REGISTRY", "registry.example/class")
    assert "image: registry.example/class/fashion-mnist:" in applied(api, tmp_path)


def test_solve_replaces_what_is_wrong(api, tmp_path):
    installed(api)
    wrong = world.tfjob()
    wrong["spec"]["replicaSpecs"][0]["replicas"] = 2
    api.answers[TFJOBS] = [wrong]
    main(["solve", "module5", "--exercise", "1", "--yes"])
    assert [line.split()[1] for line in recorded(tmp_path)] == ["delete", "apply"]


def test_a_kubeconfig_is_named_from_the_current_folder(api, tmp_path, monkeypatch):
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    recorder = '#!/bin/sh\ntest -f "$KUBECONFIG" && echo "$0 $*" >> $RECORD\n'
    (tmp_path / "helm").write_text(recorder)
    words = ["--exercise", "0", "--yes", "--kubeconfig", "../kubeconfig"]
    assert main(["solve", "module5", *words]) == 0
    assert "--kubeconfig=../kubeconfig" in recorded(tmp_path)[0]


def test_solve_asks_first(api, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda question: "no")
    assert main(["solve", "module5", "--exercise", "0"]) == 3
    assert "helm upgrade --install" in capsys.readouterr().out
    assert recorded(tmp_path) == []


def test_solve_names_what_has_to_come_first(api, tmp_path, capsys):
    assert main(["solve", "module5", "--exercise", "1", "--yes"]) == 5
    assert "solve module5 --exercise 0" in capsys.readouterr().out
    assert recorded(tmp_path) == []


RELEASE = {"owner": "helm", "name": "tf-job", "status": "deployed", "version": "1"}


@pytest.fixture
def mine(api):
    """A learner's namespace with the exercise, something else, and the operator's release."""
    api.answers[TFJOBS] = [world.tfjob(name) for name in ("module5-ex1", "example-tfjob")]
    secret = {"metadata": {"labels": RELEASE, "name": "x", "namespace": "learner"}}
    api.answers["/api/v1/namespaces/learner/secrets"] = [secret]
    return api


def test_reset_deletes_what_the_exercises_made_and_nothing_else(mine, tmp_path):
    assert main(["reset", "module5", "--yes"]) == 0
    assert recorded(tmp_path) == [
        "kubectl delete tfjob module5-ex1 --namespace=learner --context=here"
    ]


def test_reset_uninstalls_the_operator_only_when_told_to(mine, tmp_path):
    assert main(["reset", "module5", "--operator", "--yes"]) == 0
    assert recorded(tmp_path)[-1] == (
        "helm uninstall tf-job --namespace=learner --kube-context=here"
    )


def test_reset_shows_what_it_deletes_and_asks(mine, tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "n")
    assert main(["reset", "module5"]) == 0
    said = capsys.readouterr().out
    assert "kubectl delete tfjob module5-ex1" in said
    assert "Nothing was changed" in said
    assert len(asked) == 1
    assert recorded(tmp_path) == []


def test_beside_kubeflow_reset_names_the_group(mine, tmp_path):
    mine.answers["/apis"] = json.dumps({"groups": [{"name": "kubeflow.org"}]})
    main(["reset", "module5", "--yes"])
    assert recorded(tmp_path)[0].startswith("kubectl delete tfjobs.tensorflow.org module5-ex1 ")


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
    assert main(["snapshot", "-o", file, "--name", "Ann"]) == 0
    live = main(["module5", "--output", "json"])
    capsys.readouterr()
    assert main(["module5", "--output", "json", "--from", file]) == live
    assert json.loads(Path(file).read_text())["identity"]["name"] == "Ann"


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("", id="a folder"),
        pytest.param("gone/me.json", id="a folder that is not there"),
    ],
)
def test_a_snapshot_that_cannot_be_written(api, tmp_path, capsys, target):
    assert main(["snapshot", "-o", str(tmp_path / target)]) == 6
    assert "Cannot write" in capsys.readouterr().err


def test_a_full_disk_is_told(api, capsys):
    """/dev/full takes nothing, and stays the device that it is."""
    assert main(["snapshot", "-o", "/dev/full"]) == 6
    assert "Cannot write /dev/full" in capsys.readouterr().err
    assert Path("/dev/full").is_char_device()


def test_what_cannot_be_written_leaves_the_old_snapshot(api, tmp_path, monkeypatch, capsys):
    old = tmp_path / "me.json"
    old.write_text("old")

    def full(self, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["snapshot", "-o", str(old)]) == 6
    assert old.read_bytes() == b"old"
    assert "No space left on device" in capsys.readouterr().err


def test_a_class_is_graded_from_files(snapshot_file, tmp_path, capsys):
    good = snapshot_file()
    (tmp_path / "bad.json").write_text("{}")
    code = main(["grade", good, str(tmp_path / "bad.json"), "--output", "json"])
    assert code == 6
    assert "5.1" in capsys.readouterr().out


def test_a_class_as_a_page(snapshot_file, tmp_path):
    page = tmp_path / "class.html"
    assert main(["grade", snapshot_file(), "--output", "html", "-o", str(page)]) == 0
    assert page.read_text().lower().startswith("<!doctype html>")


def test_progress_outlives_the_clean_up(api, capsys, progress):
    installed(api)
    main([])
    assert "done on" not in capsys.readouterr().out
    api.answers.clear()
    main([])
    said = capsys.readouterr().out
    assert "5.0  Install the operator: done on " in said
    assert "Next: 5.0" not in said
    assert main(["module5", "--exercise", "0"]) == 3


def test_progress_in_one_namespace_says_nothing_of_another(api, capsys):
    installed(api)
    main(["module5", "--exercise", "0"])
    api.answers.clear()
    main(["--namespace", "another"])
    assert "done on" not in capsys.readouterr().out


@pytest.mark.parametrize("written", ["", "[]", '{"places": 5}', "\x00"])
def test_a_broken_progress_file_breaks_nothing(api, capsys, progress, written):
    installed(api)
    progress.write_text(written)
    assert main([]) == 0
    assert "5.0  Install the operator: done" in capsys.readouterr().out


def test_a_graded_file_is_no_progress(snapshot_file, progress):
    main(["module5", "--from", snapshot_file()])
    assert not progress.exists()


def test_a_reader_that_leaves_is_no_error(snapshot_file):
    command = f"{sys.executable} -m validator module5 --from {snapshot_file()} | head -c 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_nor_is_it_where_there_is_no_cluster(tmp_path):
    command = f"{sys.executable} -m validator module5 --kubeconfig {tmp_path}/gone | true"
    command += "; exit ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", command], cwd=CHECKOUT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_encoding_of_the_terminal_will_do(snapshot_file, encoding):
    command = [sys.executable, "-m", "validator", "module5", "--from", snapshot_file(fifty)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\x1b" not in done.stdout


def test_paths_are_seen_from_the_current_folder(snapshot_file, tmp_path):
    command = [sys.executable, "-m", "validator", "module5", "--exercise", "1"]
    command += ["--from", snapshot_file(fifty)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    (apply,) = [line for line in done.stdout.splitlines() if "kubectl apply" in line]
    path = tmp_path / apply.split()[-1]
    assert path.resolve() == CHECKOUT / "my-module5-ex1.yaml"


def test_nothing_slow_is_imported():
    """A cold start is as quick as kubectl's, as long as none of these creeps in."""
    program = "import sys, validator.__main__; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    slow = {"kubernetes", "requests", "urllib3", "yaml", "asyncio", "cryptography", "tensorflow"}
    slow |= {"http.client", "concurrent.futures", "logging", "email", "subprocess", "tempfile"}
    assert slow & set(done.stdout.split()) == set()
