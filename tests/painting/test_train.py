"""The painter as a user sees it: its log, its summaries, the sweep's observation, bad options."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from painting import picture, train

STEP_LINE = re.compile(r"^step (\d+)/(\d+) loss (\d\.\d{5})$", re.MULTILINE)


def losses(log: str) -> list[float]:
    return [float(loss) for _, _, loss in STEP_LINE.findall(log)]


def paint(folder: Path, *options: object) -> int:
    return train.main(["--log-dir", str(folder), *map(str, options)])


def test_a_rate_of_0_1_paints_a_flat_picture_and_0_01_a_night_sky(tmp_path, capsys):
    options = ("--hidden-layers", 7, "--max-steps", 600)
    assert paint(tmp_path / "flat", "--learning-rate", 0.1, *options) == 0
    flat = losses(capsys.readouterr().out)
    assert paint(tmp_path / "sky", "--learning-rate", 0.01, *options) == 0
    sky = losses(capsys.readouterr().out)
    assert flat[-1] == pytest.approx(flat[0], rel=0.02)
    assert sky[-1] < 0.005 < 0.1 < flat[-1]


def test_the_log_ends_with_the_painting_as_characters_and_where_it_is(tmp_path, capsys):
    assert paint(tmp_path, "--max-steps", 25) == 0
    out = capsys.readouterr().out
    steps = [int(step) for step, _, _ in STEP_LINE.findall(out)]
    assert steps == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 25]
    assert len(out.split("\n\n")[1].splitlines()) == 32
    assert out.endswith(f"\npainted {tmp_path}/painting.png\n")
    picture.require_png(tmp_path / "painting.png")


def test_tensorboard_has_losses_pictures_and_hyper_parameters_in_one_run(tmp_path, capsys):
    assert paint(tmp_path, "--max-steps", 10, "--learning-rate", 0.02, "--hidden-layers", 2) == 0
    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0, "images": 0}).Reload()
    assert [event.step for event in events.Tensors("loss")] == list(range(1, 11))
    shown = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("loss")]
    assert shown == pytest.approx(losses(capsys.readouterr().out), abs=1e-5)
    assert [event.step for event in events.Tensors("painting")] == list(range(1, 11))
    session = hyper_parameters(events)
    assert session == {"learning_rate": pytest.approx(0.02), "hidden_layers": 2}


def hyper_parameters(events: EventAccumulator) -> dict[str, float]:
    """What HParams shows of the only run in a folder."""
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    return {name: value.number_value for name, value in start.hparams.items()}


def test_the_same_seed_paints_the_same_and_another_does_not(tmp_path, capsys):
    painted = []
    for seed in (3, 3, 4):
        assert paint(tmp_path, "--max-steps", 3, "--seed", seed) == 0
        painted.append((losses(capsys.readouterr().out), (tmp_path / "painting.png").read_bytes()))
    assert painted[0] == painted[1] != painted[2]


def test_a_picture_of_ones_own_is_painted(tmp_path, capsys):
    (tmp_path / "white.png").write_bytes(
        tf.io.encode_png(tf.fill([5, 5, 3], tf.constant(255, tf.uint8))).numpy()
    )
    options = ("--picture", tmp_path / "white.png", "--max-steps", 200, "--learning-rate", 0.01)
    assert paint(tmp_path, *options) == 0
    assert "@" * 64 in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(["--learning-rate", "0"], "a number above 0", id="no learning"),
        pytest.param(["--hidden-layers", "0"], "from 1 to 50", id="no hidden layer"),
        pytest.param(["--hidden-layers", "1000"], "from 1 to 50", id="too many layers"),
        pytest.param(["--max-steps", "1.5"], "a whole number from 1", id="half a step"),
        pytest.param(["--max-steps", str(2**31)], "a whole number from 1 to", id="too many steps"),
        pytest.param(["--seed", "-1"], "a whole number from 0", id="a seed below 0"),
        pytest.param(["--picture", "/proc/nothing"], "No such file", id="no picture"),
        pytest.param(["--picture", "/proc"], "Is a directory", id="a folder for a picture"),
        pytest.param(["--picture", __file__], "not a PNG", id="a text for a picture"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_says_why(arguments, why, capsys):
    with pytest.raises(SystemExit) as end:
        train.main(arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert arguments[0] in error
    assert why in error


def test_a_log_folder_that_cannot_be_written_is_one_sentence(capsys):
    assert paint(Path("/proc/nothing")) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Cannot write into /proc/nothing: ")
    assert err.count("\n") == 1


def test_sigterm_ends_it_at_once_and_as_retryable(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-m", "painting.train", "--log-dir", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(train.__file__).parents[1])},
    )
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
    while not children.read_text():  # the second process: now the first one listens
        pass
    program.send_signal(signal.SIGTERM)
    assert program.communicate(timeout=60)[1].endswith("there is nothing to save.\n")
    assert program.returncode == 143
