"""A TfJob from the API server's JSON, with defaults, validated.

``parse`` never raises, so one bad object never stops the others: an invalid spec becomes
``TfJob.problem``, a sentence for the user.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import ValidationError, convert, structs

from .spec import CHIEF_TYPES, CONTAINER, MAX_NAME_PREFIX, ReplicaSpec, Spec, TfJob

MAX_REPLICAS = 2_000  # of all types together; more were never measured
POD_LEVEL_RESOURCES = re.compile("cpu|memory|hugepages-.*")  # allowed in a Pod's spec.resources


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
    replica_specs = tuple(
        structs.replace(each, replicas=spec.workers) if each.type == "WORKER" else each
        for each in spec.replica_specs
    )
    return structs.replace(spec, replica_specs=replica_specs)


def runtime_id(uid: str) -> str:
    """Four characters of [0-9a-z], a hash of the UID: the same after every restart."""
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest())
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in range(4))


def _problems(job: TfJob) -> Iterator[str]:
    """What is wrong with the spec, most important first; each sentence begins with its field."""
    yield from _name_problems(job)
    if not job.replica_specs:
        yield "spec.replicaSpecs: is empty, so there is nothing to run; add a MASTER"
    for place, replica in enumerate(job.replica_specs):
        yield from _replica_problems(replica, f"spec.replicaSpecs[{place}]")
    yield from _chief_problems(job)
    if (total := sum(replica.replicas for replica in job.replica_specs)) > MAX_REPLICAS:
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
        missing = f"ReplicaType: {replica.type}, Replica is missing Template"  # the words of 2017
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
    counts = {replica.type: replica.replicas for replica in job.replica_specs}
    name, index = job.chief
    if len(counts) < len(job.replica_specs):
        yield "spec.replicaSpecs: a tfReplicaType stands there twice"
    if all(kind in counts for kind in CHIEF_TYPES):
        yield "spec.replicaSpecs: MASTER and CHIEF are the same role; keep one of them"
    if name not in counts:
        yield f"spec.replicaSpecs: has no {name}, so nothing decides when the job is done"
    elif not 0 <= index < counts[name]:
        yield f"spec.terminationPolicy.chief: {name} {index} is not among the replicas"
