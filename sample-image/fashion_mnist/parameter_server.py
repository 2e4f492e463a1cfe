"""Training with parameter servers: the chief's loop, and what workers and PS do for it.

The variables live on the parameter servers. The chief hands out steps; whichever
worker is free takes the next one, reads the variables, computes gradients from its
own copy of the data, and writes them back. A worker that dies only loses the step
it was at, which another takes. A parameter server that dies takes the variables
with it: the chief ends as retryable, and its successor reads the last checkpoint.

All files are written by the chief: a PS would write its part on its own disk.
"""

import collections
import concurrent.futures
import logging
import math
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fashion_mnist import connections, data, model, peers, report, stopping, training
from fashion_mnist.checkpoint import Store, next_attempt
from fashion_mnist.cluster import CHIEF, PS, WORKER, Cluster
from fashion_mnist.failure import Interruption, first_line
from fashion_mnist.lost_workers import WORKER as WORKER_DEVICE
from fashion_mnist.lost_workers import LostWorkers
from fashion_mnist.settings import Settings
from fashion_mnist.summaries import Summaries

CHIEF_DEVICE = f"/job:{CHIEF}/replica:0/task:0/device:CPU:0"
# What a chief that was asked to end at the same time needs to read the variables.
SAVED_BY_NOW_SECONDS = 5.0
# Steps handed out and not yet answered, for each worker: one at work, one at hand.
AHEAD = 2
ASK_SECONDS = 0.2  # from one look at whether this process is asked to end to the next
INDEX_FILE = "worker-index"
CHANCE_LOSS = math.log(len(data.CLASSES))  # of guessing, before the first answer
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.FailedPreconditionError,
    tf.errors.DeadlineExceededError,
)


def serve(settings: Settings, cluster: Cluster) -> None:
    """Be a worker or a parameter server until asked to end.

    Raises: Interruption when asked to end (a replica that is deleted is made again
    while the job runs, and a Job that exits 0 would not be), Failure for bad data.
    """
    if cluster.task_type == WORKER:
        data.load_train(settings.data_dir)  # a sentence here is better than an error in a graph
        _enter_worker_folder(settings, cluster)
    with peers.serving(cluster.address):
        server = tf.distribute.Server(
            tf.train.ClusterSpec(cluster.spec()),
            job_name=cluster.task_type,
            task_index=cluster.task_index,
            protocol="grpc",
        )
    report.say(f"{cluster.name} serves at {server.target.removeprefix('grpc://')}")
    stopping.phase("while serving", stopping.SAVING_SECONDS)
    stopping.wait()
    if cluster.task_type == PS:
        connections.wait_until_none(int(server.target.rpartition(":")[2]), SAVED_BY_NOW_SECONDS)
    raise Interruption(f"{cluster.name} ends: it was asked to.")


def _enter_worker_folder(settings: Settings, cluster: Cluster) -> None:
    """Make a folder of this worker's own the working folder.

    What the chief has this worker compute may name files only as the chief knows
    them. Relative names lead here: to this worker's index and to its data.
    """
    folder = Path(tempfile.mkdtemp(prefix="worker-"))
    (folder / INDEX_FILE).write_text(str(cluster.task_index))
    for name in (data.TRAIN_IMAGES, data.TRAIN_LABELS):
        (folder / name).symlink_to(settings.data_dir / name)
    os.chdir(folder)


def worker_data() -> tf.data.Dataset:
    """Executed on each worker: its index, its images and its labels, the same at every step."""

    def read(name: str, header_bytes: int, shape: list[int]) -> tf.Tensor:
        raw = tf.io.decode_compressed(tf.io.read_file(name), "GZIP")
        body = tf.strings.substr(raw, header_bytes, -1)
        return tf.reshape(tf.io.decode_raw(body, tf.uint8), shape)

    index = tf.strings.to_number(tf.io.read_file(INDEX_FILE), tf.int32)
    images = read(data.TRAIN_IMAGES, 16, [data.TRAIN_COUNT, data.SIDE, data.SIDE, 1])
    labels = read(data.TRAIN_LABELS, 8, [data.TRAIN_COUNT])
    return tf.data.Dataset.from_tensors((index, images, labels)).repeat()


def run_chief(settings: Settings, cluster: Cluster) -> None:
    """Train, test and save. Raises: Interruption if a parameter server is lost."""
    training.require_folders(settings)
    test_examples = data.load_test(settings.data_dir)
    peers.wait_for(cluster.peers(PS, WORKER))
    try:
        network, store = _train(settings, cluster)
    except LOST as error:
        raise Interruption(
            f"A parameter server was lost, and the variables on it ({first_line(error)})."
            f" {next_attempt(settings.checkpoint_dir)}"
        ) from error
    training.conclude(settings, network, test_examples, store)


def _train(settings: Settings, cluster: Cluster) -> tuple[keras.Model, Store]:
    lost = LostWorkers(cluster.count(WORKER))
    tensorflow_log = logging.getLogger("tensorflow")
    tensorflow_log.addFilter(lost)
    tensorflow_log.propagate = False  # it has a handler, and the root's would print all twice
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster.spec()), task_type=CHIEF, task_id=0, rpc_layer="grpc"
    )
    with peers.serving(cluster.address):
        strategy = tf.distribute.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    keras.utils.set_random_seed(settings.seed)
    with strategy.scope():
        network = model.build()
        optimizer = model.build_optimizer(settings.learning_rate, settings.max_steps)
        optimizer.build(network.trainable_variables)
    options = tf.train.CheckpointOptions(experimental_io_device=CHIEF_DEVICE)
    store = Store(settings.checkpoint_dir, network, optimizer, cluster.run_name, options)
    start = store.resume(settings.max_steps)
    progress = training.Progress(settings, Summaries(settings.log_dir, CHIEF), store)
    crew = Crew(coordinator, _step_on_worker(strategy, network, optimizer), settings, lost)
    crew.loop(start, progress)
    crew.say_who_did_what(cluster.count(WORKER))
    local = _on_chief(network)
    progress.summaries.histograms(settings.max_steps, local)
    return local, store


def _on_chief(network: keras.Model) -> keras.Model:
    """A copy with its variables on the chief, to test and save without any other replica."""
    local = model.build()
    local.set_weights([np.array(value) for value in network.get_weights()])
    return local


def _step_on_worker(strategy, network, optimizer):
    @tf.function
    def step(iterator, indices, seed):
        index, images, labels = next(iterator)

        def learn():
            batch = model.flip_half(model.scale(tf.gather(images, indices)), seed)
            return model.learn(network, optimizer, batch, tf.gather(labels, indices))

        loss, accuracy = strategy.run(learn)
        return index, loss, accuracy

    return step


def _lost_worker(error: tf.errors.OpError) -> int | None:
    """The index of the worker that the error says cannot be reached, if it is one."""
    said = WORKER_DEVICE.search(str(error))
    return int(said[1]) if said and "/job:ps" not in str(error) else None


class Crew:
    """The workers, as the chief sees them: steps go out, answers come back in order."""

    def __init__(self, coordinator, step_on_worker, settings: Settings, lost: LostWorkers):
        self._coordinator, self._step, self._settings = coordinator, step_on_worker, settings
        self._lost = lost
        self._waiter = concurrent.futures.ThreadPoolExecutor(1)
        self._data = iter(coordinator.create_per_worker_dataset(worker_data))
        self._steps_by_worker: collections.Counter[int] = collections.Counter()
        self._last_answer = [CHANCE_LOSS, 1 / len(data.CLASSES)]

    def loop(self, start: int, progress: training.Progress) -> None:
        """Hand out the steps from ``start``. Raises: LOST errors, Interruption after SIGTERM."""
        stopping.phase("in a step that did not end in time", stopping.SAVING_SECONDS)
        ahead = AHEAD * self._coordinator.strategy.extended._num_workers
        handed_out: collections.deque = collections.deque()
        for step in range(start, self._settings.max_steps):
            if len(handed_out) == ahead:
                self._collect(handed_out, progress)
            handed_out.append((step, self._hand_out(step)))
        while handed_out:
            self._collect(handed_out, progress)

    def _hand_out(self, step: int):
        self._lost.handed_out = step
        indices, seed = training.step_input(self._settings, data.TRAIN_COUNT, step)
        return self._coordinator.schedule(self._step, args=(self._data, indices, seed))

    def _collect(self, handed_out: collections.deque, progress: training.Progress) -> None:
        step, answer = handed_out.popleft()
        try:
            index, *self._last_answer = self._wait_for(answer, step, progress)
            self._steps_by_worker[int(index)] += 1
            self._lost.took(int(index), step)
        except LOST as error:
            # A worker that dies after its step takes the answer with it, but what it learned is
            # on the parameter servers. Steps that were not done yet are handed out again.
            if (lost := _lost_worker(error)) is None:
                raise
            self._lost.lost(lost)
        progress.done(step + 1, *map(float, self._last_answer))

    def _wait_for(self, answer, step: int, progress: training.Progress) -> list:
        """The answer, which may never come. Raises: Interruption once asked to end."""
        fetching = self._waiter.submit(answer.fetch)
        while True:
            if stopping.asked():
                raise training.asked_to_end(progress, step)
            if concurrent.futures.wait([fetching], ASK_SECONDS).done:
                return fetching.result()

    def say_who_did_what(self, workers: int) -> None:
        for index in range(workers):
            report.worker_share(index, self._steps_by_worker[index])
