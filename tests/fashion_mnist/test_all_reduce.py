"""All-reduce: the replicas train as one, and end together."""

OPTIONS = ("--max-steps", 20, "--batch-size", 32, "--log-every", 1)


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
