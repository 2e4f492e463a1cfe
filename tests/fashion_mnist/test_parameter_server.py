"""Parameter servers: who did what, and what happens when one of them goes.

Every PS runs in a mount namespace where the folder that the chief saves in is one of its own, as
in a Pod: on a shared disk a checkpoint that a PS writes on its own side would go unnoticed.
"""

import os
import re
import signal
import time

import pytest

OWN_DISK = 'mount -t tmpfs own "$1" && shift && cd / && exec "$@"'
SMALL = ("--batch-size", 32)
GRACE_SECONDS = 30  # which Kubernetes gives a Pod


def own_disk(folder) -> tuple[str, ...]:
    return ("unshare", "--mount", "sh", "-c", OWN_DISK, "sh", str(folder))


def start_servers(replica, workers: int, folder) -> list:
    servers = [replica("ps", 0, prefix=own_disk(folder))]
    return servers + [replica("worker", index) for index in range(workers)]


def test_two_workers_share_the_steps_and_the_chief_says_how(make_cluster, tmp_path):
    replica = make_cluster(master=1, worker=2, ps=1)
    servers = start_servers(replica, 2, tmp_path)
    chief = replica("master", 0, "--max-steps", 200, *SMALL, "--save-dir", tmp_path / "save")
    assert chief.wait() == 0, chief.log
    shares = [int(steps) for steps in re.findall(r"^worker \d took (\d+) steps$", chief.log, re.M)]
    assert len(shares) == 2
    assert sum(shares) == 200
    assert min(shares) > 0
    assert list(chief.losses) == [50, 100, 150, 200]
    assert (tmp_path / "save/model/saved_model.pb").exists()
    assert [server.terminate() for server in servers] == [143, 143, 143]
    assert "ps 0 serves at " in servers[0].log
    assert "worker 1 ends: it was asked to." in servers[2].log


def test_one_worker_trains_as_one_process_alone_does(make_cluster, start, tmp_path):
    """The same batches in the same order from the same weights.

    The chief hands out two steps at a time, but one worker does them in turn. What is
    left is the order in which floats are added: 1 % of the loss is far above it and
    far below what one batch more or less would do.
    """
    options = ("--max-steps", 20, *SMALL, "--log-every", 1)
    replica = make_cluster(master=1, worker=1, ps=1)
    start_servers(replica, 1, tmp_path)
    together = replica("master", 0, *options, "--save-dir", tmp_path / "together")
    alone = start(*options, "--save-dir", tmp_path / "alone")
    assert [together.wait(), alone.wait()] == [0, 0], together.log
    assert together.losses == pytest.approx(alone.losses, rel=0.01)


def test_a_killed_worker_comes_back_and_the_job_ends_well(make_cluster, tmp_path):
    replica = make_cluster(master=1, worker=2, ps=1)
    _, _, victim = start_servers(replica, 2, tmp_path)
    chief = replica("master", 0, "--max-steps", 800, *SMALL, "--save-dir", tmp_path / "save")
    chief.wait_for("step 100/")
    victim.kill()
    chief.wait_for("worker 1 is lost: the others take its steps until it is back\n")
    os.killpg(chief.process.pid, signal.SIGSTOP)  # or the other worker may take all steps first
    replica("worker", 1).wait_for("worker 1 serves at")
    os.killpg(chief.process.pid, signal.SIGCONT)
    assert chief.wait() == 0, chief.log
    assert chief.log.count("worker 1 is lost") == 1
    assert chief.log.count("\nworker 1 is back\n") == 1
    assert "ERROR:tensorflow:Worker" not in chief.log
    assert max(chief.losses) == 800
    assert re.findall(r"^worker 1 took ([1-9]\d*) steps$", chief.log, re.M)


def test_sigterm_to_all_replicas_saves_a_checkpoint_before_the_ps_ends(make_cluster, tmp_path):
    replica = make_cluster(master=1, worker=1, ps=1)
    servers = start_servers(replica, 1, tmp_path)
    options = ("--max-steps", 100_000, *SMALL, "--log-every", 10)
    chief = replica("master", 0, *options, "--save-dir", tmp_path / "save")
    chief.wait_for("step 50/")
    replicas = [*reversed(servers), chief]
    for each in replicas:
        each.process.terminate()
    asked_at = time.monotonic()
    assert [each.wait() for each in replicas] == [143, 143, 143], chief.log
    assert time.monotonic() - asked_at < GRACE_SECONDS
    assert "checkpoint saved in" in chief.log
    assert list((tmp_path / "save/checkpoints").glob("ckpt-*.index"))


def test_sigterm_ends_a_chief_that_waits_for_a_lost_worker_with_a_checkpoint(
    make_cluster, tmp_path
):
    replica = make_cluster(master=1, worker=1, ps=1)
    _, worker = start_servers(replica, 1, tmp_path)
    options = ("--max-steps", 100_000, *SMALL, "--log-every", 10)
    chief = replica("master", 0, *options, "--save-dir", tmp_path / "save")
    chief.wait_for("step 50/")
    worker.kill()
    chief.wait_for("worker 0 is lost: no step is taken until it is back")
    asked_at = time.monotonic()
    assert chief.terminate() == 143, chief.log
    assert time.monotonic() - asked_at < GRACE_SECONDS
    assert "checkpoint saved in" in chief.log


def test_a_lost_ps_ends_the_chief_as_retryable_and_its_successor_goes_on(make_cluster, tmp_path):
    replica = make_cluster(master=1, worker=1, ps=1)
    servers = start_servers(replica, 1, tmp_path)
    options = ("--max-steps", 100_000, *SMALL, "--checkpoint-every", 20, "--log-every", 10)
    first = replica("master", 0, *options, "--save-dir", tmp_path / "save")
    first.wait_for("step 50/")
    servers[0].kill()
    assert first.wait() == 143, first.log
    assert "A parameter server was lost" in first.log
    assert f"If {tmp_path}/save/checkpoints is on a volume" in first.log
    assert "Traceback" not in first.log
    second = replica("master", 0, *options, "--save-dir", tmp_path / "save")
    second.wait_for("waiting for ps 0 at")
    time.sleep(1)
    replica("ps", 0, prefix=own_disk(tmp_path))
    second.wait_for_steps()
    resumed = int(re.search(r"resuming at step (\d+) from", second.log)[1])
    assert resumed >= 40
    assert min(second.losses) > resumed
    assert second.terminate() == 143
    assert "checkpoint saved in" in second.log
