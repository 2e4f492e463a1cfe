"""The command line: train the sample model.

    python -m fashion_mnist.train --max-steps 500
    python -m fashion_mnist.train --help

What it writes, prints and ends with: sample-image/README.md.
"""

import os
import sys

from fashion_mnist import stopping

if __name__ == "__main__":
    stopping.listen()  # before NumPy and TensorFlow, which start threads and take seconds

# TensorFlow greets at length on the standard error; its warnings and errors stay.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# TensorFlow has oneDNN's kernels off where a processor has AVX2 and no AVX-512. They are faster
# there, too: a worker's step takes a quarter less processor time.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from fashion_mnist import cluster, report, settings
from fashion_mnist.failure import exit_code_of


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for. Returns: its exit code."""
    options = settings.parse(arguments)
    return exit_code_of(lambda: run(options, cluster.read(os.environ)))


def run(options: settings.Settings, replica: cluster.Cluster | None) -> None:
    """Do the part of this replica, or train alone. Raises: Failure."""
    # Only now: importing TensorFlow takes seconds, and a wrong option should not.
    from fashion_mnist import training

    if replica is None:
        return training.run(options)
    report.say(f"{replica.name} of the cluster {replica}")
    if replica.task_type == cluster.EVALUATOR:
        from fashion_mnist import evaluator

        return evaluator.run(options, replica)
    if replica.shape is cluster.Shape.ALONE:
        return training.run(options, replica.run_name)
    if replica.shape is cluster.Shape.ALL_REDUCE:
        from fashion_mnist import all_reduce

        return all_reduce.run(options, replica)
    from fashion_mnist import parameter_server

    if replica.task_type == cluster.CHIEF:
        return parameter_server.run_chief(options, replica)
    return parameter_server.serve(options, replica)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: TensorFlow's threads may wait for replicas that have ended already.
    os._exit(code)
