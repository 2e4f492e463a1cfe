"""Checkpoints: what a run that was cut off goes on from.

A folder of checkpoints belongs to one run. When the run has saved its model it
marks the folder as finished, and a later run with the same folder starts anew
instead of finding itself done at its first step.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

from fashion_mnist import report
from fashion_mnist.files import writing

KEPT = 2
FINISHED = "finished.json"


class Store:
    """The checkpoints of one model, optimizer and step in one folder."""

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        options: tf.train.CheckpointOptions | None = None,
    ):
        self.folder, self.options = folder, options
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        content = tf.train.Checkpoint(model=model, optimizer=optimizer, step=self._step)
        self._manager = tf.train.CheckpointManager(content, str(folder), max_to_keep=KEPT)

    def resume(self, max_steps: int) -> int:
        """Read the last checkpoint, if there is one to go on from.

        Returns: the step to go on with, from 0.
        """
        latest = self._manager.latest_checkpoint
        if latest is None:
            report.say(f"no checkpoint in {self.folder}: training starts at step 0")
            return 0
        if (self.folder / FINISHED).exists():
            report.say(f"the run in {self.folder} is finished: training starts at step 0")
            self._forget()
            return 0
        self._manager.checkpoint.restore(latest, options=self.options).assert_consumed()
        step = int(self._step.numpy())
        report.say(f"resuming at step {step} from {latest}")
        return min(step, max_steps)

    def _forget(self) -> None:
        (self.folder / FINISHED).unlink(missing_ok=True)
        for file in [*self.folder.glob("ckpt-*"), self.folder / "checkpoint"]:
            file.unlink(missing_ok=True)
        self._manager = tf.train.CheckpointManager(
            self._manager.checkpoint, str(self.folder), max_to_keep=KEPT
        )

    def save(self, step: int) -> None:
        """Write a checkpoint of ``step`` trained steps. Raises: Failure on a full volume."""
        self._step.assign(step)
        with writing("a checkpoint", self.folder):
            self._manager.save(checkpoint_number=step, options=self.options)

    def finish(self, step: int) -> None:
        """Say that the run is over and its model saved."""
        with writing("a checkpoint", self.folder):
            (self.folder / FINISHED).write_text(json.dumps({"step": step}) + "\n")
