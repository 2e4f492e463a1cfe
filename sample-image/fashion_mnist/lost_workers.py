"""Workers that are lost and come back, told in the log in the program's own words.

TensorFlow notices a loss when a step fails, gives the step to another worker, and says so in
some twenty lines of ERROR that look like the end of the training. They become one WARNING.
"""

import logging
import re
import threading

from fashion_mnist import report
from fashion_mnist.failure import first_line

WORKER = re.compile(r"/job:worker/replica:0/task:(\d+)")
FAILED = "Worker %s failed with"  # how TensorFlow's message begins before its values are filled in


class LostWorkers(logging.Filter):
    """Which workers are lost. A filter of TensorFlow's log, since only the log has every loss."""

    def __init__(self, workers: int):
        super().__init__()
        self._workers = workers
        self._lost_at: dict[int, int] = {}
        self._lock = threading.Lock()  # TensorFlow has a thread for each worker
        self.handed_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Take a loss from TensorFlow's message, and shorten the message to one line."""
        if isinstance(record.msg, str) and record.msg.startswith(FAILED) and record.args:
            device, error, *_ = record.args
            if named := WORKER.search(str(device)):
                self.lost(int(named[1]))
            reason = f"{type(error).__name__}: {first_line(error)}"
            record.msg, record.args = f"{FAILED} %s", (device, reason)
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True

    def lost(self, index: int) -> None:
        """Say that this worker is lost, once until it is back."""
        with self._lock:
            if index in self._lost_at:
                return
            self._lost_at[index] = self.handed_out
        report.worker_lost(index, self._workers)

    def took(self, index: int, step: int) -> None:
        """Say that this worker is back, if it took a step that was handed out after its loss."""
        with self._lock:
            if step <= self._lost_at.get(index, step):
                return
            del self._lost_at[index]
        report.worker_back(index)
