"""Predicting with a saved model: pictures that a log can hold, and a sentence for what is wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from fashion_mnist import data, model, predict


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A model that has learned nothing."""
    classifier = model.Classifier(model.build())
    return model.save(classifier, tmp_path_factory.mktemp("saved") / "model")


def test_each_image_is_shown_with_the_answer_and_the_truth(saved, data_dir, capsys):
    assert predict.main([str(saved), "--images", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"loaded model {saved}\n")
    assert "image 0: the model says " in out
    assert ", it is Ankle boot: " in out
    assert ", it is Pullover: " in out
    assert "of 2 images are right\n" in out
    assert "test accuracy" not in out
    assert out.isascii()


def test_the_accuracy_alone_can_be_asked_for(saved, data_dir, capsys):
    assert predict.main([str(saved), "--images", "0", "--test"]) == 0
    loaded, accuracy = capsys.readouterr().out.splitlines()
    assert loaded == f"loaded model {saved}"
    assert accuracy.startswith("test accuracy 0.")
    assert accuracy.endswith(" on 10000 images")


def test_the_model_may_be_on_a_volume_that_is_mounted_read_only(saved, data_dir):
    read_only = 'mount --bind -o ro "$1" "$1" && shift && exec "$@"'
    command = (sys.executable, "-m", "fashion_mnist.predict", str(saved), "--images", "1")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", read_only, "sh", str(saved), *command],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(predict.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    assert f"loaded model {saved}\n" in done.stdout


def without_a_model(folder: Path, saved: Path) -> Path:
    folder.mkdir()
    return folder


def cut_short(folder: Path, saved: Path) -> Path:
    shutil.copytree(saved, folder)
    (folder / "saved_model.pb").write_bytes(b"\1\2\3")
    return folder


def of_something_else(folder: Path, saved: Path) -> Path:
    module = tf.Module()
    module.__call__ = tf.function(lambda x: x, input_signature=[tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(module, str(folder))
    return folder


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(lambda folder, saved: folder, "there is no such folder", id="is not there"),
        pytest.param(without_a_model, "no file saved_model.pb in it", id="holds no model"),
        pytest.param(
            lambda folder, saved: saved.parent, "name the folder", id="is the one above the model"
        ),
        pytest.param(cut_short, "it is damaged or not one of fashion_mnist.train", id="is damaged"),
        pytest.param(of_something_else, "not one of fashion_mnist.train", id="has another model"),
    ],
)
def test_one_sentence_says_what_is_wrong_with_a_folder_that(
    make, why, tmp_path, saved, data_dir, capsys
):
    assert predict.main([str(make(tmp_path / "model", saved))]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert why in err
    assert err.count("\n") == 1


def test_a_folder_that_may_not_be_read_is_one_sentence(saved, open_folder, another_user, capsys):
    shutil.copytree(saved, open_folder / "model")
    os.chmod(open_folder / "model", 0o700)
    with another_user():
        assert predict.main([f"{open_folder}/model"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"Cannot load a model from {open_folder}/model: Permission denied; ")
    assert err.count("\n") == 1


def test_missing_data_are_one_sentence(saved, tmp_path, capsys):
    assert predict.main([str(saved), "--data-dir", str(tmp_path)]) == 1
    assert f"Cannot use the data file {tmp_path}/{data.TEST_IMAGES}" in capsys.readouterr().err


@pytest.mark.parametrize("count", ["-1", "10001", "five"])
def test_a_wrong_number_of_images_ends_with_code_2(count, saved, capsys):
    with pytest.raises(SystemExit) as end:
        predict.main([str(saved), "--images", count])
    assert end.value.code == 2
    assert "a whole number from 0 to 10000" in capsys.readouterr().err
