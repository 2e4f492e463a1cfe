"""All-reduce: the replicas train as one, and end together."""

import re
import time

import pytest

from fashion_mnist import all_reduce, peers
from fashion_mnist.cluster import Cluster
from fashion_mnist.failure import Failure
from fashion_mnist.settings import Settings

GRACE_SECONDS = 30  # which Kubernetes gives a Pod
OPTIONS = ("--max-steps", 20, "--batch-size", 32, "--log-every", 1)


def test_a_batch_smaller_than_the_number_of_replicas_is_one_sentence():
    hosts = {"chief": ("a:1",), "worker": ("b:1", "c:1")}
    with pytest.raises(Failure, match="Cannot share --batch-size 2 among 3 replicas") as end:
        all_reduce.run(Settings(batch_size=2), Cluster(hosts))
    assert end.value.exit_code < 128


def test_two_replicas_train_alike_and_an_evaluator_sees_it(make_cluster, tmp_path):
    replica = make_cluster(chief=1, worker=1)
    folder = ("--save-dir", tmp_path / "save")
    evaluator = replica("evaluator", 0, *OPTIONS, *folder)
    worker = replica("worker", 0, *OPTIONS, "--save-dir", "/proc/nothing")
    chief = replica("chief", 0, *OPTIONS, *folder)
    assert [chief.wait(), worker.wait(), evaluator.wait()] == [0, 0, 0], chief.log + worker.log
    assert len(chief.losses) == 20
    assert chief.losses == worker.losses
    assert "worker 0 ends: all 20 steps are done" in worker.log
    accuracy = chief.log.split("test accuracy ")[1].split()[0]
    assert f"checkpoint at step 20 has test accuracy {accuracy} on 10000 images" in evaluator.log
    assert "evaluator ends: the run is finished" in evaluator.log
    runs = {folder.name for folder in (tmp_path / "save/logs").iterdir()}
    assert runs == {"chief", "test", "evaluator"}


def test_a_replica_that_loses_another_ends_as_retryable(make_cluster, tmp_path):
    replica = make_cluster(chief=1, worker=1)
    options = ("--max-steps", 100_000, "--batch-size", 32, "--log-every", 1)
    chief = replica("chief", 0, *options, "--save-dir", tmp_path / "save")
    worker = replica("worker", 0, *options)
    chief.wait_for("step 5/")
    worker.kill()
    assert chief.wait() >= 128, chief.log


def test_all_end_at_the_same_step_when_one_is_asked_to_end(make_cluster, tmp_path):
    replica = make_cluster(chief=1, worker=1)
    options = ("--max-steps", 100_000, "--batch-size", 32, "--log-every", 1)
    chief = replica("chief", 0, *options, "--save-dir", tmp_path / "save")
    worker = replica("worker", 0, *options)
    chief.wait_for("step 5/")
    asked_at = time.monotonic()
    assert [worker.terminate(), chief.wait()] == [143, 143], chief.log
    assert time.monotonic() - asked_at < GRACE_SECONDS
    last = max(chief.losses)
    assert f"Asked to end at step {last}: the chief has the checkpoint." in worker.log
    assert f"Another replica was asked to end at step {last}: checkpoint saved in" in chief.log
    assert (tmp_path / f"save/checkpoints/ckpt-{last}.index").exists()


def test_sigterm_ends_a_replica_that_waits_inside_tensorflow_for_another(make_cluster, tmp_path):
    chief = make_cluster(chief=1, worker=1)("chief", 0, *OPTIONS, "--save-dir", tmp_path / "save")
    chief.wait_for("chief of the cluster")
    [address] = re.findall(r"chief (localhost:\d+)", chief.log)
    peers.wait_for({"chief": address})  # TensorFlow's server answers: now it waits for the worker
    asked_at = time.monotonic()
    assert chief.terminate() == 143
    assert time.monotonic() - asked_at < GRACE_SECONDS
    assert "Asked to end before all replicas were connected." in chief.log
