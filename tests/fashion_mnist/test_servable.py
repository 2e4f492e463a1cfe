"""A folder of numbered versions: the highest that can be loaded is served."""

import os
import shutil

import pytest

from fashion_mnist import servable
from fashion_mnist.failure import Failure
from fashion_mnist.servable import Servable
from fashion_mnist.tensors import InvalidArgument

NO_VERSIONS = "No versions of servable toy found under base path"


def add_version(base_path, number, half_plus_three):
    shutil.copytree(half_plus_three / "123", base_path / str(number))


def test_the_loaded_model_answers_as_published(half_plus_three):
    loaded = servable.load(123, half_plus_three / "123")
    assert loaded.predict({"instances": [1.0, 2.0, 5.0]}) == {"predictions": [3.5, 4.0, 5.5]}
    assert loaded.predict({"inputs": [1.0]}) == {"outputs": [3.5]}
    named = {"signature_name": "serving_default", "instances": [{"x": 1.0}]}
    assert loaded.predict(named) == {"predictions": [3.5]}


@pytest.mark.parametrize("name", ["regress", "", 7, None, []])
def test_a_signature_that_is_none_is_refused(name, half_plus_three):
    loaded = servable.load(123, half_plus_three / "123")
    with pytest.raises(InvalidArgument, match="ignature"):
        loaded.predict({"signature_name": name, "instances": [1.0]})


def test_metadata_are_the_signatures_as_protocol_buffers_write_them(half_plus_three):
    signature = servable.load(123, half_plus_three / "123").metadata["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["x"] == {
        "dtype": "DT_FLOAT",
        "name": "serving_default_x:0",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
    }


def test_only_folders_with_a_whole_number_for_a_name_are_versions(tmp_path):
    for name in ("1", "20", "3", "v4", "0.5", "-6", "7 ", "٨"):
        (tmp_path / name).mkdir()
    (tmp_path / "9").touch()
    assert list(servable.versions(tmp_path)) == [20, 3, 1]
    assert servable.versions(tmp_path / "nothing") == {}


def test_that_there_is_no_version_is_said_once_until_there_was_one(
    tmp_path, half_plus_three, capsys
):
    toy = Servable("toy", tmp_path)
    toy.refresh()
    toy.refresh()
    assert capsys.readouterr().out.count(f"{NO_VERSIONS} {tmp_path}") == 1
    assert toy.loaded is None
    assert toy.states() == {}
    add_version(tmp_path, 1, half_plus_three)
    toy.refresh()
    toy.refresh()
    assert capsys.readouterr().out == (
        "Successfully loaded servable version {name: toy version: 1}\n"
    )
    shutil.rmtree(tmp_path / "1")
    toy.refresh()
    assert NO_VERSIONS in capsys.readouterr().out
    assert toy.loaded is None


def test_the_highest_version_is_served_and_a_higher_one_takes_over(tmp_path, half_plus_three):
    add_version(tmp_path, 9, half_plus_three)
    toy = Servable("toy", tmp_path)
    toy.refresh()
    assert toy.states()[9]["state"] == "AVAILABLE"
    add_version(tmp_path, 10, half_plus_three)
    toy.refresh()
    assert list(toy.states()) == [10]


def test_a_version_that_cannot_be_loaded_leaves_the_one_before_and_is_said_once(
    tmp_path, half_plus_three, capsys
):
    add_version(tmp_path, 1, half_plus_three)
    (tmp_path / "2").mkdir()
    toy = Servable("toy", tmp_path)
    toy.refresh()
    toy.refresh()
    assert capsys.readouterr().out.count(f"Cannot load {tmp_path}/2: there is no file") == 1
    assert {number: state["state"] for number, state in toy.states().items()} == {
        2: "END", 1: "AVAILABLE",
    }  # fmt: skip
    assert "saved_model.pb" in toy.states()[2]["status"]["error_message"]
    shutil.copytree(tmp_path / "1", tmp_path / "2", dirs_exist_ok=True)  # now it is whole
    toy.refresh()
    assert list(toy.states()) == [2]


def test_a_version_that_may_not_be_read_leaves_the_one_before(
    open_folder, half_plus_three, another_user, capsys
):
    add_version(open_folder, 1, half_plus_three)
    add_version(open_folder, 2, half_plus_three)
    os.chmod(open_folder / "2", 0o700)
    toy = Servable("toy", open_folder)
    with another_user():
        toy.refresh()
    assert f"Cannot load {open_folder}/2: Permission denied.\n" in capsys.readouterr().out
    assert toy.loaded.number == 1


def test_a_link_to_where_nobody_may_look_is_no_version(open_folder, half_plus_three, another_user):
    add_version(open_folder, 1, half_plus_three)
    (open_folder / "closed/model").mkdir(parents=True)
    os.chmod(open_folder / "closed", 0o700)
    (open_folder / "2").symlink_to(open_folder / "closed/model")
    with another_user():
        assert list(servable.versions(open_folder)) == [1]


def test_a_damaged_model_is_one_sentence(tmp_path, half_plus_three):
    add_version(tmp_path, 1, half_plus_three)
    (tmp_path / "1/saved_model.pb").write_bytes(b"\1\2\3")
    with pytest.raises(Failure, match=r"Cannot load .*/1: .*; it is damaged\.$"):
        servable.load(1, tmp_path / "1")
