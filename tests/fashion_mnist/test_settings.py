"""The command line: defaults that work in a container, and sentences for what is wrong."""

from pathlib import Path

import pytest

from fashion_mnist import settings


def test_everything_is_written_below_tmp_unless_told_otherwise():
    defaults = settings.parse([])
    folders = (defaults.save_dir, defaults.log_dir, defaults.checkpoint_dir)
    assert all(folder.is_relative_to("/tmp") for folder in folders)


def test_logs_and_checkpoints_go_below_the_save_folder():
    parsed = settings.parse(["--save-dir", "/data"])
    assert parsed.log_dir == Path("/data/logs")
    assert parsed.checkpoint_dir == Path("/data/checkpoints")


def test_each_folder_can_be_given():
    parsed = settings.parse(["--log-dir", "/a", "--checkpoint-dir", "/b", "--data-dir", "/c"])
    assert (parsed.log_dir, parsed.checkpoint_dir, parsed.data_dir) == (
        Path("/a"), Path("/b"), Path("/c"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--max-steps", "0"], id="no steps"),
        pytest.param(["--max-steps", str(2**31)], id="more steps than TensorFlow counts"),
        pytest.param(["--log-every", str(10**320)], id="a number that is no float"),
        pytest.param(["--save-dir", "dir\udcff"], id="a folder whose name is not UTF-8"),
        pytest.param(["--max-steps", "many"], id="a word for a number"),
        pytest.param(["--batch-size", "60001"], id="a batch larger than the data"),
        pytest.param(["--learning-rate", "0"], id="no learning"),
        pytest.param(["--learning-rate", "nan"], id="a rate that is no number"),
        pytest.param(["--seed", "-1"], id="a seed below 0"),
        pytest.param(["--max-step5", "1"], id="an option that is none"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_says_which(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        settings.parse(arguments)
    assert end.value.code == 2
    assert arguments[0] in capsys.readouterr().err
