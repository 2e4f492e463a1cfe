"""Training by all-reduce: a chief and workers, no parameter server.

Every replica has all the variables. At each step each takes its share of the
batch, the gradients are averaged over the network, and all apply the same ones,
so the variables stay equal without ever being sent. Only at the start the chief's
are sent to all, since it alone may have read a checkpoint. Each replica normalises
by what it sees of the batch; the running means that are saved are the chief's.

All replicas wait for the slowest: when one is lost the others end as retryable,
and all of them go on from the chief's last checkpoint. A replica that is asked to
end says so in its share of the next step, so that all end at the same step and the
chief can save it.
"""

import contextlib

import keras
import tensorflow as tf

from fashion_mnist import data, model, peers, report, stopping, training
from fashion_mnist.checkpoint import Store, next_attempt
from fashion_mnist.cluster import CHIEF, WORKER, Cluster
from fashion_mnist.failure import Failure, Interruption, first_line
from fashion_mnist.settings import Settings
from fashion_mnist.summaries import Summaries

MEAN, SUM = tf.distribute.ReduceOp.MEAN, tf.distribute.ReduceOp.SUM


def run(settings: Settings, cluster: Cluster) -> None:
    """Be the chief or a worker of a run. Raises: Failure, Interruption if a replica is lost."""
    require_shares(settings, cluster)
    if cluster.task_type == CHIEF:
        training.require_folders(settings)
    examples = data.load_train(settings.data_dir)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster.spec()),
        task_type=cluster.task_type,
        task_id=cluster.task_index,
        rpc_layer="grpc",
    )
    peers.wait_for_names(cluster.peers(CHIEF, WORKER))
    # TensorFlow waits without end for a replica that was lost just now.
    stopping.phase("before all replicas were connected", limit_seconds=peers.PATIENCE_SECONDS)
    try:
        with peers.serving(cluster.address):
            strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
        Replica(settings, cluster, strategy).train(examples)
    except tf.errors.OpError as error:
        is_chief = cluster.task_type == CHIEF
        folder = settings.checkpoint_dir if is_chief else "the chief's checkpoint folder"
        raise Interruption(
            f"Another replica was lost, and all-reduce needs all of them ({first_line(error)})."
            f" {next_attempt(folder)}"
        ) from error


def require_shares(settings: Settings, cluster: Cluster) -> None:
    """Refuse a batch of which a replica would get no image: its mean is not a number."""
    replicas = cluster.count(CHIEF) + cluster.count(WORKER)
    if settings.batch_size < replicas:
        raise Failure(
            f"Cannot share --batch-size {settings.batch_size} among {replicas} replicas: each needs"
            " an image at least; enlarge the batch, or run fewer replicas."
        )


class Replica:
    """One replica: its copy of the model, and the group that it averages with."""

    def __init__(self, settings: Settings, cluster: Cluster, strategy):
        self._settings, self._cluster, self._strategy = settings, cluster, strategy
        keras.utils.set_random_seed(settings.seed)
        self._network = model.build()
        self._optimizer = model.build_optimizer(settings.learning_rate, settings.max_steps)
        self._optimizer.build(self._network.trainable_variables)
        self._is_chief = cluster.task_type == CHIEF
        self._somebody_leaves = False

    def train(self, examples: data.Examples) -> None:
        """Do this replica's part of all steps; the chief also tests and saves."""
        settings = self._settings
        if not self._is_chief:
            start = self._share_start(0)
            self._loop(examples, start, training.Steps(settings))
            stopping.phase("while the chief tests and saves the model")
            self._meet()
            report.say(f"{self._cluster.name} ends: all {settings.max_steps} steps are done")
            return
        test_examples = data.load_test(settings.data_dir)
        store = Store(
            settings.checkpoint_dir, self._network, self._optimizer, self._cluster.run_name
        )
        start = self._share_start(store.resume(settings.max_steps))
        summaries = Summaries(settings.log_dir, CHIEF)
        progress = training.Progress(settings, summaries, store)
        self._loop(examples, start, progress)
        summaries.histograms(settings.max_steps, self._network)
        training.conclude(settings, self._network, test_examples, store)
        with contextlib.suppress(tf.errors.OpError):  # the model is saved, whoever is lost now
            self._meet()

    def _loop(self, examples: data.Examples, start: int, steps: training.Steps) -> None:
        step_function = self._make_step(examples)
        training.loop(step_function, start, self._settings, steps, lambda: self._somebody_leaves)

    def _meet(self) -> None:
        """Wait for each other at the end: who left while the chief tests would seem lost."""
        self._from_chief([tf.zeros([])])

    def _share_start(self, start: int) -> int:
        """Give every replica the chief's variables. Returns: the chief's step."""
        variables = [*self._network.variables, *self._optimizer.variables]
        kept = [variable for variable in variables if variable.dtype == "float32"]
        own = [float(start), *kept]
        step, *values = self._from_chief([tf.convert_to_tensor(value) for value in own])
        for variable, value in zip(kept, values, strict=True):
            variable.assign(value)
        self._optimizer.iterations.assign(int(step))
        return int(step)

    def _from_chief(self, values: list[tf.Tensor]) -> list[tf.Tensor]:
        """The chief's values, since all others count as zero."""
        offered = values if self._is_chief else [0 * value for value in values]
        return tf.function(lambda: self._over_all(SUM, offered))()

    def _make_step(self, examples: data.Examples) -> training.StepFunction:
        images, labels = tf.constant(examples.images), tf.constant(examples.labels)
        replicas = self._strategy.num_replicas_in_sync
        share = self._settings.batch_size // replicas
        rank = 0 if self._is_chief else self._cluster.task_index + 1

        @tf.function
        def traced(indices, seed, leaves):
            batch = model.flip_half(model.scale(tf.gather(images, indices)), seed)
            own_labels = tf.gather(labels, indices)
            share_that_leaves = []

            def mean_of_all(values: list[tf.Tensor]) -> list[tf.Tensor]:
                *means, leaving = self._over_all(MEAN, [*values, leaves])
                share_that_leaves.append(leaving)
                return means

            learned = model.learn(self._network, self._optimizer, batch, own_labels, mean_of_all)
            return *learned, *share_that_leaves

        def step_function(step: int):
            indices, seed = training.step_input(self._settings, len(examples.labels), step)
            leaves = tf.constant(float(stopping.asked()))
            own_indices = indices[rank * share : (rank + 1) * share]
            loss, accuracy, share_that_leaves = traced(own_indices, seed, leaves)
            self._somebody_leaves = float(share_that_leaves) > 0
            return loss, accuracy

        return step_function

    def _over_all(self, operation: tf.distribute.ReduceOp, values: list[tf.Tensor]):
        """The sum or mean over the replicas, of each tensor of each; all of them call it.

        Only this happens under the strategy. Keras's optimizer would take variables
        made there for ones that it has to update everywhere.
        """

        def reduce():
            # The reduction asks each tensor for its device, which a captured one does not know.
            placed = [tf.identity(value) for value in values]
            return tf.distribute.get_replica_context().all_reduce(operation, placed)

        return self._strategy.run(reduce)
