"""What the user wants: one TfJob, parsed from JSON, with defaults, validated.

``parse`` never raises, so one bad object never stops the others: an invalid spec becomes
``TfJob.problem``, a sentence for the user. All other modules read these classes.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert, field, structs

Json = dict[str, Any]
FOREVER = math.inf  # a delay in seconds that never ends

CHIEF_TYPES = ("MASTER", "CHIEF")
CONTAINER = "tensorflow"
MANAGED_BY = "tensorflow.org/tfjob-operator"
MAX_NAME_PREFIX = 40  # characters of the TfJob's name in a child's name, which has at most 63
MAX_REPLICAS = 2_000  # of all types together
INDEXED_ABOVE = 20  # replicas of one type; above it one Indexed Job runs them all
POD_LEVEL_RESOURCES = re.compile("cpu|memory|hugepages-.*")  # allowed in a Pod's spec.resources


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
    replicas: tuple[ReplicaSpec, ...] = field(name="replicaSpecs", default=())
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
        return next((each.type for each in self.replicas if each.type in CHIEF_TYPES), "MASTER"), 0

    @property
    def tasks(self) -> Iterator[tuple[ReplicaSpec, int]]:
        """Every replica, as (replica spec, index)."""
        return ((replica, index) for replica in self.replicas for index in range(replica.replicas))


class TfJob(Spec, frozen=True, kw_only=True, rename=None):
    """One TfJob. ``problem`` is "" when the spec is valid."""

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
    def labels(self) -> dict[str, str]:
        """Labels of all its children."""
        return {"tensorflow.org": "", "runtime_id": self.runtime_id, "tf_job_name": self.name}

    @property
    def name_prefix(self) -> str:
        """The part of its name that the names of its children begin with."""
        return self.name[:MAX_NAME_PREFIX]

    def with_status(self, status: Json) -> "TfJob":
        return structs.replace(self, status=status)

    def child_name(self, replica_type: str, index: int) -> str:
        """Name of a replica's Service and Job; in an Indexed Job, its Pod's host name."""
        return f"{self.indexed_job_name(replica_type)}-{index}"

    def indexed_job_name(self, replica_type: str) -> str:
        """Name of the Indexed Job of one replica type."""
        return f"{self.name_prefix}-{replica_type.lower()}-{self.runtime_id}"

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


def parse(obj: Mapping[str, Any]) -> TfJob:
    """Parse one TfJob from the API server's JSON."""
    meta = obj["metadata"]
    job = TfJob(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        runtime_id=runtime_id(meta["uid"]),
        generation=meta.get("generation", 1),
        resource_version=meta.get("resourceVersion", ""),
        deleting="deletionTimestamp" in meta,
        status=obj.get("status") or {},
    )
    try:
        spec = _with_workers(convert(obj.get("spec") or {}, Spec))
        chosen_id = spec.user_runtime_id or spec.user_runtime_id_camel or job.runtime_id
        job = structs.replace(job, **structs.asdict(spec), runtime_id=chosen_id)
        return structs.replace(job, problem=next(_problems(job), ""))
    except (ValidationError, TypeError, ValueError, AttributeError, KeyError) as error:
        return structs.replace(job, problem=f"spec: cannot be read ({error})")


def _with_workers(spec: Spec) -> Spec:
    """Apply ``spec.workers``, which kubectl scale writes, to the WORKER replica spec."""
    if spec.workers is None or not spec.dynamic_workers:
        return spec
    replicas = tuple(
        structs.replace(each, replicas=spec.workers) if each.type == "WORKER" else each
        for each in spec.replicas
    )
    return structs.replace(spec, replicas=replicas)


def runtime_id(uid: str) -> str:
    """Four characters of [0-9a-z], a hash of the UID: the same after every restart."""
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest())
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in range(4))


def _problems(job: TfJob) -> Iterator[str]:
    """What is wrong with the spec, most important first; each sentence begins with its field."""
    yield from _name_problems(job)
    if not job.replicas:
        yield "spec.replicaSpecs: is empty, so there is nothing to run; add a MASTER"
    for place, replica in enumerate(job.replicas):
        yield from _replica_problems(replica, f"spec.replicaSpecs[{place}]")
    yield from _chief_problems(job)
    if (total := sum(replica.replicas for replica in job.replicas)) > MAX_REPLICAS:
        yield f"spec.replicaSpecs: have {total} replicas together; at most {MAX_REPLICAS} can run"
    if job.tensorboard is not None and not job.tensorboard.get("logDir"):
        yield "spec.tensorboard.logDir: is missing; name the folder that holds the summaries"


def _name_problems(job: TfJob) -> Iterator[str]:
    name, field_ = job.name, "metadata.name"
    if "." in name:
        yield f"{field_}: {name!r} has a dot, which no Service name may have"
    elif not name[:1].isalpha():
        yield f"{field_}: {name!r} begins with a digit, which no Service name may"
    elif len(name) > 63:
        yield f"{field_}: has {len(name)} characters, and a label holds at most 63"
    elif job.name_prefix.endswith("-"):
        prefix = f"its first {MAX_NAME_PREFIX} characters end in '-'"
        yield f"{field_}: {prefix}, so no child can be named by it"
    if not re.fullmatch("[0-9a-z]{4}", job.runtime_id):
        yield f"spec.RuntimeId: {job.runtime_id!r} is not 4 characters of 0-9 and a-z"


def _replica_problems(replica: ReplicaSpec, where: str) -> Iterator[str]:
    if replica.type in CHIEF_TYPES and replica.replicas != 1:
        yield f"{where}.replicas: is {replica.replicas}, and the {replica.type} must be exactly 1"
    containers = ((replica.template or {}).get("spec") or {}).get("containers") or []
    if not replica.template and replica.type != "PS":
        missing = f"ReplicaType: {replica.type}, Replica is missing Template"
        yield f"{where}.template: is missing ({missing})"
    elif replica.template and CONTAINER not in [each.get("name") for each in containers]:
        yield f"{where}.template.spec.containers: none is named {CONTAINER!r}, and one must be"
    for resource in _misplaced_resources(replica):
        yield (
            f"{where}.template.spec.resources: {resource} stands beside containers; move it into "
            f"the resources of the container {CONTAINER!r}"
        )


def _misplaced_resources(replica: ReplicaSpec) -> list[str]:
    """Resources in the Pod's spec.resources that only a container may request, such as GPUs."""
    asked = ((replica.template or {}).get("spec") or {}).get("resources") or {}
    names = {*(asked.get("limits") or {}), *(asked.get("requests") or {})}
    return sorted(name for name in names if not POD_LEVEL_RESOURCES.fullmatch(name))


def _chief_problems(job: TfJob) -> Iterator[str]:
    counts = {replica.type: replica.replicas for replica in job.replicas}
    name, index = job.chief
    if len(counts) < len(job.replicas):
        yield "spec.replicaSpecs: a tfReplicaType stands there twice"
    if all(kind in counts for kind in CHIEF_TYPES):
        yield "spec.replicaSpecs: MASTER and CHIEF are the same role; keep one of them"
    if name not in counts:
        yield f"spec.replicaSpecs: has no {name}, so nothing decides when the job is done"
    elif not 0 <= index < counts[name]:
        yield f"spec.terminationPolicy.chief: {name} {index} is not among the replicas"


def parse_time(text: str) -> datetime:
    """Read an API timestamp (RFC 3339, UTC)."""
    return datetime.fromisoformat(text)


def seconds_left(since: str | None, seconds: int | None, now: datetime) -> float:
    """Seconds until ``since`` plus ``seconds``; FOREVER if either is missing."""
    if not since or seconds is None:
        return FOREVER
    return (parse_time(since) - now).total_seconds() + seconds
