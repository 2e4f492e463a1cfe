"""Gang scheduling: all Pods of a job start together, or none starts.

It is off unless the operator's config names a gang scheduler. Then each job has one PodGroup, to
which all its Pods belong. ``resources`` calls this.
"""

from kube_runtime.kube import Json, Resource
from kube_runtime.objects import name_of
from tfjob_api.spec import TfJob

from .config import Config

POD_GROUPS = {
    "kubernetes": Resource("PodGroup", "/apis/scheduling.k8s.io/v1beta1", "podgroups"),
    "volcano": Resource("PodGroup", "/apis/scheduling.volcano.sh/v1beta1", "podgroups"),
}
VOLCANO_GROUP = "scheduling.k8s.io/group-name"


def group_name(job: TfJob) -> str:
    return f"{job.name_prefix}-{job.runtime_id}"


def group_spec(job: TfJob, config: Config) -> Json:
    """The PodGroup's spec, for Kubernetes' own scheduler or for Volcano."""
    policy, most = job.run_policy.scheduling_policy, job.unfinished  # ended Pods do not count
    count = max(1, min(policy.get("minAvailable") or most, most))  # Pods that must fit on the nodes
    priority = policy.get("priorityClass")
    spec: Json = {"priorityClassName": priority} if priority else {}
    if config.gang_scheduling == "kubernetes":
        return {**spec, "schedulingPolicy": {"gang": {"minCount": count}}}
    queue = policy.get("queue")
    return {**spec, "minMember": count, **({"queue": queue} if queue else {})}


def size(spec: Json) -> int:
    """How many Pods start together, by the spec of a PodGroup."""
    gang = (spec.get("schedulingPolicy") or {}).get("gang") or {}
    return spec.get("minMember") or gang.get("minCount") or 0


def view(obj: Json) -> tuple[str, int]:
    """The name and the size of a PodGroup from the API server."""
    return name_of(obj), size(obj.get("spec") or {})


def apply(job: TfJob, config: Config, meta: Json, spec: Json) -> None:
    """Add the job's PodGroup and priority class to a Pod template, in place."""
    if priority := job.run_policy.scheduling_policy.get("priorityClass"):
        spec.setdefault("priorityClassName", priority)
    if config.gang_scheduling == "kubernetes":
        spec["schedulingGroup"] = {"podGroupName": group_name(job)}
    if config.gang_scheduling == "volcano":
        spec.setdefault("schedulerName", "volcano")
        meta["annotations"] = {**(meta.get("annotations") or {}), VOLCANO_GROUP: group_name(job)}
