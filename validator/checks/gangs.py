"""Checks of a gang: a PodGroup, its members, and that they started together or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from validator.checks.gpus import NOTHING_LOST
from validator.checks.lab import POD_GROUPS
from validator.engine import Check, Need, Seen
from validator.hints import one_line
from validator.snapshot import (
    Object,
    Snapshot,
    at,
    condition,
    created,
    is_true,
    text,
    time_at,
)
from validator.subjects import TfJob
from validator.tfjobs import gpus, main_container
from validator.verdicts import Finding, blocked, converging, could_not_check

SCHEDULED = "PodGroupInitiallyScheduled"
# Times are whole seconds.
TOGETHER = timedelta(seconds=2)
_READS = frozenset({"podgroups", "pods", "jobs"})
_HOLDER_FIRST = (
    "Make the holder first, so that two GPUs are taken:",
    "$ kubectl apply -f {checkout}/modules/9-going-further/manifests/holder.yaml",
)


class Gang(TfJob):
    """A TfJob with a PodGroup of its name, whose condition stays when the TfJob is deleted."""

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        *delete, apply = super().redo(cluster, item, file)
        group = f"$ kubectl delete podgroup {self.name} --ignore-not-found"
        return (*delete, group, apply)


def need_pod_groups() -> Need:
    """The cluster serves PodGroups, and its scheduler heeds them."""

    def judge(cluster: Snapshot) -> Finding | None:
        if cluster.serves_group(POD_GROUPS) or not cluster.data.get("groups"):
            return None
        return blocked(
            "none",
            f"this cluster does not serve {POD_GROUPS} (feature gate GenericWorkload)",
            "a cluster with PodGroups, as the workshop's own is",
            NOTHING_LOST,
        )

    return Need("gang", judge, frozenset({"groups"}))


def a_gpu_each() -> Check:
    """Every replica asks for one GPU."""

    def judge(seen: Seen) -> Finding | None:
        for role, pod in seen.templates:
            asked = sum(gpus(main_container(pod)).values())
            if asked != 1:
                return seen.wrong(
                    "count",
                    f"the {role} asks for {asked} GPUs",
                    "1 GPU for each replica",
                    f"Set `resources: {{limits: {{nvidia.com/gpu: 1}}}}` on the {role}.",
                )
        return None

    return Check("gpus", "Each of its replicas asks for one GPU.", judge)


def gang_of(count: int) -> Check:
    """There is a PodGroup of the exercise's name: all of so many Pods, or none."""

    def judge(seen: Seen) -> Finding | None:
        name = seen.subject.name
        group = seen.cluster.find("podgroups", name)
        if group is None:
            return None if seen.ended == "well" else _no_group(seen, name)
        least = at(group, "spec", "schedulingPolicy", "gang", "minCount")
        if least == count:
            return None
        return seen.wrong(
            "basic" if least is None else "count",
            f"PodGroup {name} has "
            + ("no gang: its Pods start one by one" if least is None else f"minCount {least}"),
            f"schedulingPolicy: {{gang: {{minCount: {count}}}}}",
            f"Set it, for all {count} replicas. (A PodGroup's policy cannot be changed.)",
        )

    return Check("group", f"Its PodGroup wants {count} Pods or none.", judge, _READS)


def _no_group(seen: Seen, name: str) -> Finding:
    return seen.wrong(
        "none",
        f"there is no PodGroup {name} of {POD_GROUPS}",
        f"a PodGroup named {name}, beside the TfJob",
        f"Write `apiVersion: {POD_GROUPS}`, `kind: PodGroup` and this name into your manifest. "
        "(The PodGroups of other projects have another API group.)",
    )


def all_in_the_group() -> Check:
    """The template of every replica names the PodGroup."""

    def judge(seen: Seen) -> Finding | None:
        name = seen.subject.name
        named = {role: text(pod, "schedulingGroup", "podGroupName") for role, pod in seen.templates}
        outside = [role for role, group in named.items() if group != name]
        if not outside:
            return None
        other = named[outside[0]]
        cause = "other" if other else "none" if len(outside) == len(named) else "some"
        return seen.wrong(
            cause,
            f"the {outside[0]} is in {f'the group {other}' if other else 'no group'}",
            f"schedulingGroup: {{podGroupName: {name}}} in each template",
            f"Write `schedulingGroup: {{podGroupName: {name}}}` under template.spec of each "
            "replica.",
        )

    return Check("members", "All of its replicas are in the group.", judge)


def gang_waits(seen: Seen, finding: Finding) -> Finding:
    """What to do while none of the gang has a node, in place of the scheduler's words."""
    group = seen.cluster.find("podgroups", seen.subject.name) or {}
    said = condition(group, SCHEDULED)
    if said.get("status") != "False":
        return _old_group(seen, group, _first_made(seen)) or finding
    return converging(
        "gang-waits",
        f"none of its Pods has a node: {one_line(text(said, 'message'))[:200]}",
        "room for all three",
        "Delete the holder:",
        "$ kubectl delete job module9-ex4-holder",
        since=created(seen.object),
    )


def together() -> Check:
    """Its Pods found their node in the same moment."""

    def judge(seen: Seen) -> Finding | None:
        times = sorted(t for pod in seen.pods if (t := _scheduled(pod)))
        if not times or times[-1] - times[0] <= TOGETHER:
            return None
        return seen.wrong(
            "apart",
            f"its Pods found their node {(times[-1] - times[0]).total_seconds():.0f} s apart",
            "Pods that start together",
            "Let all of them be in the group.",
        )

    return Check("together", "Its Pods found their node in the same moment.", judge, _READS)


def waited() -> Check:
    """The group did not fit at first: its Pods were there, and none had a node."""

    def judge(seen: Seen) -> Finding | None:
        group = seen.cluster.find("podgroups", seen.subject.name)
        made = _first_made(seen)
        if group is None or made is None:
            return could_not_check(
                "gone",
                "the PodGroup is gone, or the Pods are: it cannot be seen whether they waited",
                "a PodGroup, and its Pods",
                "If the check has not said done before, run it again:",
                *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
            )
        return (
            _group_came_later(seen, group, made)
            or _old_group(seen, group, made)
            or _at_once(seen, group, made)
        )

    title = "They waited as long as there was no room for all."
    return Check("waited", title, judge, _READS)


def _group_came_later(seen: Seen, group: Object, made: datetime) -> Finding | None:
    began = created(group)
    if began is None or began <= made + TOGETHER:
        return None
    return seen.wrong(
        "late-group",
        "the PodGroup was made after the Pods: they waited for it, and not for GPUs",
        "a PodGroup that is there before the Pods",
        "Apply the PodGroup first.",
    )


def _first_made(seen: Seen) -> datetime | None:
    return min((t for pod in seen.pods if (t := created(pod))), default=None)


def _old_group(seen: Seen, group: Object, made: datetime | None) -> Finding | None:
    """The scheduler writes the condition once: it says nothing of Pods made afterwards."""
    since = time_at(condition(group, SCHEDULED), "lastTransitionTime")
    if not (is_true(group, SCHEDULED) and since and made and since < made):
        return None
    return seen.wrong(
        "old-group",
        "the PodGroup is of an earlier try: its Pods had a node before these Pods were made",
        "a PodGroup that is made with the TfJob",
        *_HOLDER_FIRST,
    )


def _at_once(seen: Seen, group: Object, made: datetime) -> Finding | None:
    since = time_at(condition(group, SCHEDULED), "lastTransitionTime")
    if is_true(group, SCHEDULED) and since and since > made + TOGETHER:
        return None
    return seen.wrong(
        "not",
        "its Pods started at once: there was room for all",
        "Pods that wait until the holder is gone",
        *_HOLDER_FIRST,
    )


def _scheduled(pod: Object) -> datetime | None:
    return time_at(condition(pod, "PodScheduled"), "lastTransitionTime")
