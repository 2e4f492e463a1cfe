"""The data are the published ones, damage is noticed, and the order depends on seed and step."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from fashion_mnist import data
from fashion_mnist.failure import Failure

# MD5 of each file in Debian's package, from its control archive (md5sums).
DIGESTS = {
    data.TRAIN_IMAGES: "cf8536b0aa1a6ac5fa3f23001093305c",
    data.TRAIN_LABELS: "10bea18fdb374794d4bb42e356e600c9",
    data.TEST_IMAGES: "f78720b4224f21cce2f2ccf2d7a94c9a",
    data.TEST_LABELS: "0d30e22e447f3c33dab9ed536400ac01",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_file_is_the_one_that_debian_publishes(data_dir, name):
    assert hashlib.md5((data_dir / name).read_bytes()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize(
    ("load", "count"),
    [
        pytest.param(data.load_train, 60_000, id="60,000 to train on, 6,000 of each class"),
        pytest.param(data.load_test, 10_000, id="10,000 to test on, 1,000 of each class"),
    ],
)
def test_there_are_as_many_examples_as_published(data_dir, load, count):
    examples = load(data_dir)
    assert examples.images.shape == (count, 28, 28, 1)
    assert np.bincount(examples.labels).tolist() == [count // 10] * 10


def test_the_first_training_example_is_the_published_ankle_boot(data_dir):
    examples = data.load_train(data_dir)
    assert data.CLASSES[examples.labels[0]] == "Ankle boot"
    assert examples.images[0].sum() == 76247


def idx(magic=2049, count=3, body=b"\0\1\2") -> bytes:
    return gzip.compress(struct.pack(">II", magic, count) + body)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"not gzip", "not a whole gzip file", id="is no gzip file"),
        pytest.param(idx()[:-9], "cut short", id="was cut short while it was copied"),
        pytest.param(idx(magic=2051), "header says [2051, 3]", id="holds images, not labels"),
        pytest.param(idx(count=4), "header says [2049, 4]", id="says it has another count"),
        pytest.param(idx(body=b"\0\1"), "length", id="has fewer bytes than it says"),
        pytest.param(idx(body=b"\0\1\2\3"), "length", id="has more bytes than it says"),
        pytest.param(gzip.compress(b"\0"), "header says [0, 0]", id="has no header"),
    ],
)
def test_one_sentence_says_what_is_wrong_with_a_file_that(tmp_path, content, why):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(Failure) as failure:
        data.read_idx(path, data.LABELS_MAGIC, (3,))
    assert why in str(failure.value)
    assert str(path) in str(failure.value)
    assert failure.value.exit_code < 128


def test_a_flipped_byte_does_not_go_unnoticed(tmp_path):
    content = bytearray(idx())
    content[-10] ^= 0xFF
    (tmp_path / "labels.gz").write_bytes(content)
    with pytest.raises(Failure):
        data.read_idx(tmp_path / "labels.gz", data.LABELS_MAGIC, (3,))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Failure, match="No such file"):
        data.load_train(tmp_path)


def test_a_pass_over_the_data_uses_every_example_once():
    batches = [data.batch_indices(100, 20, seed=1, step=step) for step in range(5)]
    assert sorted(np.concatenate(batches)) == list(range(100))


def test_the_second_pass_has_another_order():
    first, second = (data.batch_indices(100, 100, seed=1, step=step) for step in (0, 1))
    assert first.tolist() != second.tolist()


def test_the_order_follows_from_seed_and_step_alone():
    wanted = data.batch_indices(100, 30, seed=7, step=8).tolist()
    data.batch_indices(100, 30, seed=7, step=0)
    assert data.batch_indices(100, 30, seed=7, step=8).tolist() == wanted
    assert data.batch_indices(100, 30, seed=8, step=8).tolist() != wanted


def test_every_batch_is_whole_even_where_the_data_do_not_divide():
    assert {len(data.batch_indices(100, 30, seed=1, step=step)) for step in range(10)} == {30}
