"""The command line: train the sample model.

    python -m fashion_mnist.train --max-steps 500
    python -m fashion_mnist.train --help

Alone, 2,500 steps (the default) take ... see sample-image/README.md.
"""

import os
import sys

# TensorFlow greets at length on the standard error; its warnings and errors stay.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from fashion_mnist import settings
from fashion_mnist.failure import Failure


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for. Returns: the exit code (see `failure`)."""
    options = settings.parse(arguments)
    # Only now: the import takes seconds, and a wrong option should not.
    from fashion_mnist import stopping, training

    stopping.listen()
    try:
        training.run(options)
    except Failure as failure:
        print(failure, file=sys.stderr, flush=True)
        return failure.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
