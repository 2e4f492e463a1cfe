"""What the user wants: one TfJob, with the defaults of its fields."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta, Struct, field, structs

from kube_runtime import conditions, indexes
from kube_runtime.kube import Json, Resource

from . import reasons

TFJOBS = Resource("TfJob", "/apis/tensorflow.org/v1alpha1", "tfjobs")
CHIEF_TYPES = ("MASTER", "CHIEF")
CONTAINER = "tensorflow"
MANAGED_BY = "tensorflow.org/tfjob-operator"
MAX_NAME_PREFIX = 40  # characters of the TfJob's name in a child's name, which has at most 63
INDEXED_ABOVE = 20  # replicas of one type; above it one Indexed Job runs them all


class ReplicaSpec(Struct, frozen=True, dict=True):
    """One entry of spec.replicaSpecs: a replica type, its count and its template."""

    type: Literal["MASTER", "CHIEF", "WORKER", "PS", "EVALUATOR"] = field(
        name="tfReplicaType", default="MASTER"
    )
    replicas: Annotated[int, Meta(ge=0)] = 1
    port: int = field(name="tfPort", default=2222)
    template: Json | None = None
    user_restart_policy: Literal["", "ExitCode", "OnFailure", "Never", "Always"] = field(
        name="restartPolicy", default=""
    )
    layout: Literal["", "PerReplica", "Indexed"] = ""

    @property
    def is_default_ps(self) -> bool:
        return self.type == "PS" and not self.template

    @cached_property
    def restart_policy(self) -> str:
        return self.user_restart_policy or ("OnFailure" if self.is_default_ps else "ExitCode")


class RunPolicy(Struct, frozen=True, rename="camel"):
    """spec.runPolicy, as in TFJob 1.9."""

    clean_pod_policy: str = "Running"
    ttl_seconds_after_finished: int | None = None
    active_deadline_seconds: int | None = None
    suspend: bool = False
    backoff_limit: int = 6
    managed_by: str = ""
    scheduling_policy: Json = {}


class Spec(Struct, frozen=True, dict=True, rename="camel"):
    """The TfJob's spec, with defaults. RuntimeId may be spelled runtimeId as well."""

    user_runtime_id: str = field(name="RuntimeId", default="")
    user_runtime_id_camel: str = field(name="runtimeId", default="")
    tf_image: str = ""
    replica_specs: tuple[ReplicaSpec, ...] = field(name="replicaSpecs", default=())
    tensorboard: Json | None = None
    termination_policy: Json = {}
    run_policy: RunPolicy = RunPolicy()
    success_policy: str = ""
    dynamic_workers: bool = field(name="enableDynamicWorker", default=False)
    workers: Annotated[int, Meta(ge=0)] | None = None

    @cached_property
    def chief(self) -> tuple[str, int]:
        """(type, index) of the replica whose end decides the job."""
        if "chief" in self.termination_policy:
            given = self.termination_policy["chief"]
            return given.get("replicaName") or "MASTER", given.get("replicaIndex", 0)
        types = (each.type for each in self.replica_specs if each.type in CHIEF_TYPES)
        return next(types, "MASTER"), 0

    @property
    def each_replica(self) -> Iterator[tuple[ReplicaSpec, int]]:
        """Every replica, as (replica spec, index)."""
        return ((each, index) for each in self.replica_specs for index in range(each.replicas))


class TfJob(Spec, frozen=True, kw_only=True, rename=None):
    """One TfJob. ``problem`` is a sentence for the user, "" when the spec is valid."""

    namespace: str
    name: str
    uid: str
    runtime_id: str
    generation: int
    resource_version: str
    deleting: bool
    status: Json
    problem: str = ""

    @property
    def reference(self) -> Json:
        """How events and owner references name it."""
        kind = {"apiVersion": TFJOBS.api_version, "kind": TFJOBS.kind}
        return {**kind, "namespace": self.namespace, "name": self.name, "uid": self.uid}

    @property
    def labels(self) -> dict[str, str]:
        """Labels of all its children."""
        return {"tensorflow.org": "", "runtime_id": self.runtime_id, "tf_job_name": self.name}

    def replica_labels(self, replica_type: str, index: int | None) -> dict[str, str]:
        """Labels of a replica's Service, Job and Pod. An Indexed Job has no index."""
        task = {"job_type": replica_type, **({} if index is None else {"task_index": str(index)})}
        return {**self.labels, **task}

    @property
    def name_prefix(self) -> str:
        """The part of its name that the names of its children begin with."""
        return self.name[:MAX_NAME_PREFIX]

    def child_name(self, replica_type: str, index: int | None) -> str:
        """Name of a replica's Service, Job and host; without an index, of the Indexed Job."""
        name = f"{self.name_prefix}-{replica_type.lower()}-{self.runtime_id}"
        return name if index is None else f"{name}-{index}"

    def is_indexed(self, replica: ReplicaSpec) -> bool:
        """Whether one Indexed Job runs all replicas of this type.

        Never for the chief's type, which needs a Job of its own, and never for Always: an Indexed
        Job cannot run a succeeded index again. With dynamic workers the count does not choose
        the layout, because a change of layout would replace all Jobs.
        """
        if replica.type == self.chief[0] or replica.restart_policy == "Always":
            return False
        is_big = replica.replicas > INDEXED_ABOVE and not self.dynamic_workers
        return replica.layout == "Indexed" or (is_big and not replica.layout)

    @property
    def children_in_words(self) -> str:
        """What is created for its replicas."""
        shared = [each for each in self.replica_specs if self.is_indexed(each)]
        count = sum(each.replicas for each in self.replica_specs if each not in shared)
        found = [f"a Service and a Job for each of {count} replicas"]
        found += [f"one Job for the {each.replicas} replicas of {each.type}" for each in shared]
        return ", and ".join(found)

    @property
    def scale_status(self) -> Json:
        """The status behind the scale subresource, which kubectl scale and autoscalers read."""
        if not self.dynamic_workers:
            return {}
        count = sum(each.replicas for each in self.replica_specs if each.type == "WORKER")
        selector = f"tf_job_name={self.name},runtime_id={self.runtime_id},job_type=WORKER"
        return {"workers": count, "workerSelector": selector}

    def job_name(self, replica: ReplicaSpec, index: int) -> str:
        """Name of the Job that runs a replica: its own, or the Indexed Job of its type."""
        return self.child_name(replica.type, None if self.is_indexed(replica) else index)

    def with_status(self, status: Json) -> "TfJob":
        return structs.replace(self, status=status)

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended. It stays so, unless it failed for its spec."""
        return self.status.get("phase") in ("CleanUp", "Done", "Failed")

    @property
    def failed_for_its_spec(self) -> bool:
        """Whether the job failed only because its spec was invalid; a new spec may start it."""
        reason = conditions.find(self.status, "Failed").get("reason")
        return reason in (reasons.INVALID_SPEC, reasons.INVALID_TEMPLATE)

    @cached_property
    def completed(self) -> frozenset[tuple[str, int]]:
        """The tasks, as (type, index), that have succeeded and do not run again."""
        texts = self.status.get("completedIndexes") or {}
        once = [each.type for each in self.replica_specs if each.restart_policy != "Always"]
        return frozenset(task for task in indexes.read_all(texts) if task[0] in once)

    @property
    def kept_indexes(self) -> Json:
        """completedIndexes after a suspension: an Indexed Job that has not ended runs all again."""
        texts, kept = self.status.get("completedIndexes") or {}, {}
        for each in filter(lambda each: each.type in texts, self.replica_specs):
            is_done = all((each.type, i) in self.completed for i in range(each.replicas))
            if is_done or not self.is_indexed(each):
                kept[each.type] = texts[each.type]
        return {"completedIndexes": kept} if texts else {}

    @property
    def gang_problem(self) -> str:
        """Why gang scheduling could never start its Pods, or "". A job with dynamic workers has no
        such problem, because workers may be added."""
        where, count = (
            "spec.runPolicy.schedulingPolicy.minAvailable",
            sum(1 for _ in self.each_replica),
        )
        least = self.run_policy.scheduling_policy.get("minAvailable") or 0
        if least <= count or self.dynamic_workers:
            return ""
        return f"{where}: is {least}, and the job has {count} replicas"

    @property
    def unfinished(self) -> int:
        """How many replicas have not succeeded."""
        return sum((each.type, index) not in self.completed for each, index in self.each_replica)
