"""The program as Kubernetes sees it: its log, its files, its exit code. Each run is a process."""

import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fashion_mnist import data, predict

SHORT = ("--max-steps", 100, "--batch-size", 16, "--log-every", 1)


def test_five_hundred_steps_reach_the_promised_accuracy_and_the_saved_model_has_it(
    start, tmp_path, data_dir, capsys
):
    run = start("--max-steps", 500, "--save-dir", tmp_path / "save")
    assert run.wait() == 0, run.log
    assert sorted(run.losses) == list(range(50, 501, 50))
    assert run.losses[500] < run.losses[50] / 2
    reported = float(run.log.split("test accuracy ")[1].split(" on 10000 images")[0])
    assert reported >= 0.80
    assert f"saved model to {tmp_path}/save/model\n" in run.log
    assert predict.main([f"{tmp_path}/save/model", "--test"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^test accuracy .*$", said, re.M)[0] in run.log
    assert int(re.search(r"^(\d) of 5 images are right$", said, re.M)[1]) >= 4
    assert {folder.name for folder in (tmp_path / "save/logs").iterdir()} == {"chief", "test"}
    chief = EventAccumulator(f"{tmp_path}/save/logs/chief").Reload()
    assert {"loss", "accuracy"} <= set(chief.Tags()["tensors"])
    content = chief.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"learning_rate" in content
    assert b"batch_size" in content


def test_the_same_seed_gives_the_same_first_hundred_losses_and_another_others(start, tmp_path):
    runs = [
        start(*SHORT, "--seed", seed, "--save-dir", tmp_path / name, name=name)
        for name, seed in (("one", 5), ("same", 5), ("other", 6))
    ]
    assert [run.wait() for run in runs] == [0, 0, 0]
    one, same, other = (run.losses for run in runs)
    assert len(one) == 100
    assert one == same
    assert one != other


def test_sigterm_saves_a_checkpoint_from_which_the_next_attempt_goes_on(start, tmp_path):
    options = ("--max-steps", 100_000, "--batch-size", 16, "--log-every", 1)
    first = start(*options, "--save-dir", tmp_path / "save", name="first")
    first.wait_for("step 5/")
    assert first.terminate() == 143
    assert "checkpoint saved in" in first.log
    reached = max(first.losses)
    second = start(*options, "--save-dir", tmp_path / "save", name="second")
    second.wait_for_steps()
    assert f"resuming at step {reached} from" in second.log
    assert min(second.losses) == reached + 1


def test_sigterm_right_after_the_start_of_a_container_is_not_lost(start, tmp_path):
    """The first process of a process namespace, as in a container, with the image's entry point."""
    container = ("unshare", "--pid", "--fork", "--kill-child", "env", "--block-signal=TERM")
    run = start("--save-dir", tmp_path / "save", prefix=container)
    first_process = child_of(run.process.pid, "env", Path(sys.executable).name)
    # Before that, the kernel gives the first process of a namespace no signal at all.
    while not has_in_mask(first_process, signal.SIGTERM, "SigBlk", "SigCgt"):
        time.sleep(0.001)
    os.kill(first_process, signal.SIGTERM)
    assert run.wait() == 143
    assert "Asked to end before the training began: there is nothing to save." in run.log


def child_of(pid: int, *names: str) -> int:
    """The process that ``pid`` has started, once it runs one of the programs ``names``."""
    while True:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if Path(Path(f"/proc/{child}/cmdline").read_text().split("\0")[0]).name in names:
                return int(child)


def has_in_mask(pid: int, number: int, *masks: str) -> bool:
    """Whether a process blocks (SigBlk) or handles (SigCgt) a signal, by proc(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = [int(line.split()[1], 16) for line in lines if line.startswith(masks)]
    return any(mask >> (number - 1) & 1 for mask in found)


@pytest.mark.parametrize("option", ["--save-dir", "--log-dir", "--checkpoint-dir"])
def test_a_folder_that_cannot_be_written_is_one_sentence_and_permanent(start, tmp_path, option):
    run = start("--save-dir", tmp_path / "save", option, "/proc/nothing")
    assert run.wait() == 1
    assert "Cannot write into /proc/nothing: No such file or directory" in run.log
    assert option in run.log
    assert "Traceback" not in run.log


def test_a_damaged_data_file_is_one_sentence_and_permanent(start, tmp_path, data_dir):
    copy = shutil.copytree(data_dir, tmp_path / "data")
    whole = (copy / data.TEST_LABELS).read_bytes()
    (copy / data.TEST_LABELS).write_bytes(gzip.compress(gzip.decompress(whole)[:5000]))
    run = start("--data-dir", copy, "--save-dir", tmp_path / "save")
    assert run.wait() == 1
    assert f"Cannot use the data file {copy}/{data.TEST_LABELS}" in run.log
    assert "Traceback" not in run.log


def test_a_bad_tf_config_is_one_sentence_and_permanent(start):
    run = start(tf_config='{"cluster": {"worker": ["h:1"]}, "task": {"type": "worker"}}')
    assert run.wait() == 1
    assert run.log == (
        "Cannot use TF_CONFIG: `cluster` has 0 chiefs; exactly one MASTER is needed;"
        " the operator writes it from the TfJob's spec.\n"
    )


@pytest.mark.parametrize(
    ("replicas", "kind"),
    [
        pytest.param(("chief", "ps", "worker"), "ps", id="a PS"),
        pytest.param(("chief", "ps", "worker"), "chief", id="the chief of parameter servers"),
        pytest.param(("chief", "worker"), "worker", id="a worker of all-reduce"),
    ],
)
def test_a_port_that_is_taken_is_one_sentence_and_permanent_for(replicas, kind, start, tmp_path):
    with contextlib.ExitStack() as listeners:
        servers = {
            each: listeners.enter_context(socket.create_server(("127.0.0.1", 0)))
            for each in replicas
        }
        addresses = {
            each: [f"localhost:{server.getsockname()[1]}"] for each, server in servers.items()
        }
        config = {"cluster": addresses, "task": {"type": kind, "index": 0}}
        run = start("--save-dir", tmp_path / "save", tf_config=json.dumps(config))
        assert run.wait() == 1, run.log
    assert f"Cannot serve at {addresses[kind][0]}: another program listens at port" in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("kib", [pytest.param(200, id="200 KiB"), pytest.param(1800, id="1.8 MB")])
def test_a_full_volume_is_one_sentence_and_permanent(start, tmp_path, kib):
    """A checkpoint takes 1.2 MB: the first volume has no room for one, the second for no two."""
    full = tmp_path / "volume"
    full.mkdir()
    mounted = f'mount -t tmpfs -o size={kib}k full "{full}" && exec "$@"'
    run = start(
        *("--max-steps", 30, "--batch-size", 16, "--checkpoint-every", 10, "--save-dir", full),
        prefix=("unshare", "--mount", "sh", "-c", mounted, "sh"),
    )
    assert run.wait() == 1, run.log
    assert "no space is left on the volume" in run.log
    assert "Traceback" not in run.log


def test_a_master_alone_in_its_cluster_trains_alone(make_cluster, tmp_path):
    run = make_cluster(master=1)("master", 0, *SHORT, "--save-dir", tmp_path / "save")
    assert run.wait() == 0
    assert "chief of the cluster chief localhost:" in run.log
    assert len(run.losses) == 100
