"""Checkpoints: what a run that was cut off goes on from.

A folder of checkpoints belongs to one run, which `run.json` beside them names. When
the run has saved its model it is marked as finished, and a later run with the same
folder starts at step 0 instead of finding itself done at its first step.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

from fashion_mnist import report
from fashion_mnist.failure import Failure, first_line
from fashion_mnist.files import LOST_REPLICA, writing

KEPT = 2
RUN_FILE = "run.json"
# What TensorFlow raises for a file that is missing, cut short or empty, or of another model.
UNREADABLE = (tf.errors.OpError, IndexError, ValueError, AssertionError)


class Store:
    """The checkpoints of one model, optimizer and step in one folder.

    ``run``: a name of the run, the same when it is started again after a failure.
    Raises: Failure if the list of checkpoints in ``folder`` is damaged.
    """

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        run: str = "alone",
        options: tf.train.CheckpointOptions | None = None,
    ):
        self.folder, self._run, self._options = folder, run, options
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._content = tf.train.Checkpoint(model=model, optimizer=optimizer, step=self._step)
        self._manager = self._make_manager()

    def _make_manager(self) -> tf.train.CheckpointManager:
        try:
            return tf.train.CheckpointManager(self._content, str(self.folder), max_to_keep=KEPT)
        except ValueError as error:
            raise self._cannot_go_on("its file `checkpoint` is damaged") from error

    def resume(self, max_steps: int) -> int:
        """Read the last checkpoint, if there is one to go on from.

        Returns: the step to go on with, from 0.
        Raises: Failure if there are checkpoints and none can be read.
        """
        step = self._restore()
        self._mark(finished=False)
        return min(step, max_steps)

    def _restore(self) -> int:
        if self._manager.latest_checkpoint is None:
            report.say(f"no checkpoint in {self.folder}: training starts at step 0")
            return 0
        if is_finished(self.folder):
            report.say(f"the run in {self.folder} is finished: training starts at step 0")
            self._forget()
            return 0
        path = self._read_newest()
        step = int(self._step.numpy())
        report.say(f"resuming at step {step} from {path}")
        return step

    def _read_newest(self) -> str:
        """Read the newest checkpoint that is whole. Returns: its path. Raises: Failure."""
        for path in reversed(self._manager.checkpoints):
            try:
                self._content.restore(path, options=self._options).assert_consumed()
                return path
            except LOST_REPLICA:
                raise
            except UNREADABLE as error:
                # TensorFlow lists all variables that it misses.
                is_other = isinstance(error, AssertionError)
                why = "it is of another model" if is_other else first_line(error)
                report.say(f"cannot read the checkpoint {path}: {why}")
        raise self._cannot_go_on("no checkpoint there can be read")

    def _cannot_go_on(self, why: str) -> Failure:
        return Failure(
            f"Cannot go on from {self.folder}: {why}; delete what is there to start at step 0, or"
            " name another folder with --checkpoint-dir."
        )

    def _forget(self) -> None:
        for file in [*self.folder.glob("ckpt-*"), self.folder / "checkpoint"]:
            file.unlink(missing_ok=True)
        self._manager = self._make_manager()

    def save(self, step: int) -> None:
        """Write a checkpoint of ``step`` trained steps. Raises: Failure on a full volume."""
        self._step.assign(step)
        with writing("a checkpoint", self.folder):
            self._manager.save(checkpoint_number=step, options=self._options)

    def finish(self) -> None:
        """Say that the run is over and its model saved."""
        self._mark(finished=True)

    def _mark(self, finished: bool) -> None:
        content = json.dumps({"run": self._run, "finished": finished}) + "\n"
        with writing("a checkpoint", self.folder):
            unfinished = self.folder / f".{RUN_FILE}"
            unfinished.write_text(content)
            unfinished.replace(self.folder / RUN_FILE)


def next_attempt(folder: Path | str) -> str:
    """What becomes of the run when this replica has ended before its time."""
    return (
        f"If {folder} is on a volume, the next attempt goes on from the last checkpoint there;"
        " if not, the folder is lost with the Pod, and training starts at step 0."
    )


def is_finished(folder: Path, run: str | None = None) -> bool:
    """Whether the run of these checkpoints is over (and is the run of this name)."""
    marked = _read_mark(folder)
    return bool(marked.get("finished")) and run in (None, marked.get("run"))


def latest(folder: Path, run: str) -> str | None:
    """The newest checkpoint of the run of this name."""
    if _read_mark(folder).get("run") != run:
        return None
    try:
        return tf.train.latest_checkpoint(str(folder))
    except ValueError:  # the list of checkpoints is damaged
        return None


def _read_mark(folder: Path) -> dict:
    try:
        mark = json.loads((folder / RUN_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}
