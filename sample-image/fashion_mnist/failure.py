"""How the program ends badly: one sentence and the exit code that says what to do next.

The operator reads the exit code of the container: 1 to 127 is permanent (running
it again would fail again), 128 and above is retryable. `train.main` turns these
exceptions into both.
"""

PERMANENT = 1
RETRYABLE = 143  # what a shell reports of a process that SIGTERM ended


class Failure(Exception):
    """Something the user must mend: what, where, and what to do, in one sentence."""

    exit_code = PERMANENT


class Interruption(Failure):
    """Something that may well go better when the replica is started again."""

    exit_code = RETRYABLE
