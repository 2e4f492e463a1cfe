"""Checkpoints: a run that was cut off goes on, one that is over does not."""

import numpy as np
import pytest
import tensorflow as tf

from fashion_mnist import checkpoint, evaluator, model
from fashion_mnist.checkpoint import Store
from fashion_mnist.failure import Failure


@pytest.fixture(scope="module")
def trained():
    """A network and its optimizer, neither as new."""
    network = model.build()
    optimizer = model.build_optimizer(0.01, 100)
    optimizer.build(network.trainable_variables)
    optimizer.iterations.assign(7)
    return network, optimizer


def fresh_store(folder, run="j-master-76no-0:2222"):
    network = model.build()
    optimizer = model.build_optimizer(0.01, 100)
    optimizer.build(network.trainable_variables)
    return Store(folder, network, optimizer, run), network, optimizer


def test_a_first_run_starts_at_step_0_and_says_so(tmp_path, capsys):
    assert fresh_store(tmp_path)[0].resume(100) == 0
    assert "no checkpoint in" in capsys.readouterr().out


def test_a_run_that_was_cut_off_goes_on_with_all_that_it_had(tmp_path, trained, capsys):
    Store(tmp_path, *trained).save(7)
    store, network, optimizer = fresh_store(tmp_path)
    assert store.resume(100) == 7
    for mine, theirs in zip(network.get_weights(), trained[0].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert int(optimizer.iterations) == 7
    assert "resuming at step 7 from" in capsys.readouterr().out


def test_a_run_after_one_that_is_over_starts_at_step_0(tmp_path, trained, capsys):
    before = Store(tmp_path, *trained)
    before.save(100)
    before.finish()
    after = fresh_store(tmp_path)[0]
    assert after.resume(100) == 0
    assert "is finished: training starts at step 0" in capsys.readouterr().out
    assert not list(tmp_path.glob("ckpt-*"))
    after.save(3)
    assert fresh_store(tmp_path)[0].resume(100) == 3


def test_a_run_that_was_killed_before_its_model_was_saved_is_not_over(tmp_path, trained):
    Store(tmp_path, *trained).save(100)
    assert fresh_store(tmp_path)[0].resume(100) == 100


def test_only_the_last_checkpoints_are_kept(tmp_path, trained):
    store = Store(tmp_path, *trained)
    for step in range(5):
        store.save(step)
    assert sorted(path.name for path in tmp_path.glob("*.index")) == [
        "ckpt-3.index",
        "ckpt-4.index",
    ]


DATA, INDEX = "data-00000-of-00001", "index"


def cut_in_half(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        pytest.param(DATA, cut_in_half, id="data are cut short"),
        pytest.param(DATA, lambda file: file.unlink(), id="data are missing"),
        pytest.param(INDEX, cut_in_half, id="index is cut short"),
        pytest.param(INDEX, lambda file: file.write_bytes(b""), id="index is empty"),
        pytest.param(INDEX, lambda file: file.unlink(), id="index is missing"),
    ],
)
def test_a_run_goes_on_from_the_checkpoint_before_one_whose(
    part, damage, tmp_path, trained, capsys
):
    store = Store(tmp_path, *trained)
    store.save(7)
    store.save(9)
    damage(tmp_path / f"ckpt-9.{part}")
    assert evaluator._restore(f"{tmp_path}/ckpt-9", model.build()) is None
    store, network, optimizer = fresh_store(tmp_path)
    assert store.resume(100) == 7
    for mine, theirs in zip(network.get_weights(), trained[0].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert int(optimizer.iterations) == 7
    unread, resumed = capsys.readouterr().out.splitlines()
    assert unread.startswith(f"cannot read the checkpoint {tmp_path}/ckpt-9: ")
    assert resumed == f"resuming at step 7 from {tmp_path}/ckpt-7"


def test_without_a_whole_checkpoint_the_run_ends_with_one_sentence(tmp_path, trained, capsys):
    store = Store(tmp_path, *trained)
    store.save(7)
    cut_in_half(tmp_path / f"ckpt-7.{DATA}")
    with pytest.raises(Failure, match=f"{tmp_path}: no checkpoint .* --checkpoint-dir") as end:
        fresh_store(tmp_path)[0].resume(100)
    assert end.value.exit_code < 128


def test_a_checkpoint_of_another_model_is_one_sentence(tmp_path, capsys):
    other = tf.train.Checkpoint(a=tf.Variable(1.0))
    tf.train.CheckpointManager(other, str(tmp_path), max_to_keep=2).save(4)
    with pytest.raises(Failure, match="no checkpoint there can be read"):
        fresh_store(tmp_path)[0].resume(100)
    assert "ckpt-4: it is of another model\n" in capsys.readouterr().out


def test_an_empty_list_of_checkpoints_is_one_sentence(tmp_path, trained):
    store = Store(tmp_path, *trained, "this")
    store.resume(10)
    store.save(7)
    (tmp_path / "checkpoint").write_bytes(b"")
    with pytest.raises(Failure, match=r"its file `checkpoint` is damaged; .* --checkpoint-dir"):
        fresh_store(tmp_path)
    assert checkpoint.latest(tmp_path, "this") is None


def test_a_mark_that_is_no_object_marks_nothing(tmp_path, trained):
    Store(tmp_path, *trained).save(7)
    (tmp_path / "run.json").write_text("[]")
    assert not checkpoint.is_finished(tmp_path)
    assert fresh_store(tmp_path)[0].resume(100) == 7


def test_a_lost_replica_is_not_a_damaged_checkpoint(tmp_path, trained, monkeypatch):
    store = Store(tmp_path, *trained)
    store.save(7)

    def lose(*_, **__):
        raise tf.errors.UnavailableError(None, None, "Socket closed")

    monkeypatch.setattr(store._content, "restore", lose)
    with pytest.raises(tf.errors.UnavailableError):
        store.resume(100)


def test_an_evaluator_looks_at_its_own_run_alone(tmp_path, trained):
    store = Store(tmp_path, *trained, "this")
    store.resume(10)
    store.save(1)
    assert checkpoint.latest(tmp_path, "this").endswith("ckpt-1")
    assert checkpoint.latest(tmp_path, "other") is None
    store.finish()
    assert checkpoint.is_finished(tmp_path, "this")
    assert not checkpoint.is_finished(tmp_path, "other")


def test_a_folder_that_became_a_file_is_one_sentence(tmp_path, trained):
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match="Cannot write a checkpoint to"):
        Store(tmp_path / "file", *trained).save(1)
