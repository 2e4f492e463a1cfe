"""Serve one task of a TensorFlow cluster: the program of a default parameter server.

Run in the job's own image from a ConfigMap, so it imports nothing but TensorFlow:
python grpc_tensorflow_server.py --cluster_spec "ps|h:p;h:p,worker|h:p" --job_name ps --task_id 0
"""

import argparse
import os
import signal

TERMINATED = 128 + signal.SIGTERM


def read_cluster(text: str) -> dict[str, list[str]]:
    """Read ``type|host:port;host:port,type|…`` into hosts by type."""
    parts = (part.split("|", 1) for part in text.split(","))
    return {kind: hosts.split(";") for kind, hosts in parts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster_spec", required=True, type=read_cluster)
    parser.add_argument("--job_name", required=True)
    parser.add_argument("--task_id", required=True, type=int)
    options = parser.parse_args()

    # As a container's first process it would ignore SIGTERM, and be killed after the grace period.
    # Before the import, which takes seconds.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(TERMINATED))
    import tensorflow as tf  # type: ignore[import-untyped]

    server = tf.distribute.Server(
        tf.train.ClusterSpec(options.cluster_spec),
        job_name=options.job_name,
        task_index=options.task_id,
    )
    while server:  # not its join(): that waits in C++, where no signal reaches Python
        signal.pause()


if __name__ == "__main__":
    main()
