"""Checks of a training on several replicas, and of one that loses a worker on its way."""

from __future__ import annotations

from datetime import datetime, timedelta

from validator import evidence
from validator.engine import Check, Seen
from validator.snapshot import (
    Object,
    Unreadable,
    condition,
    listed,
    mapping,
    name_of,
    parse_time,
    text,
    time_at,
)
from validator.tfjobs import (
    main_container,
    option,
    pod_spec,
    replica_specs,
    replica_type,
    tf_config,
)
from validator.verdicts import Finding, converging, could_not_check

# Options with which programs of 2017 were told who is who.
CLUSTER_OPTIONS = ("--cluster_spec", "--cluster-spec", "--worker_hosts", "--ps_hosts")
_READS = frozenset({"tfjobs", "jobs", "pods", "events", "logs"})
# A worker that dies takes the answer of its step along, so some steps are nobody's.
_NOBODYS_STEPS = 0.01
# Times of conditions and events are whole seconds.
_ROUNDING = timedelta(seconds=1.5)
# Events are forgotten after an hour; a bit before, they no longer prove that nothing happened.
_EVENTS_LAST = timedelta(minutes=50)


def default_ps() -> Check:
    """Its PS has no template."""

    def judge(seen: Seen) -> Finding | None:
        for spec in replica_specs(seen.object):
            if replica_type(spec) == "PS" and mapping(spec, "template"):
                return seen.wrong(
                    "template",
                    "the entry of the PS has a template",
                    "a default PS: an entry of type PS without a template",
                    "Delete `template` from the entry with tfReplicaType: PS.",
                )
        return None

    return Check("ps", "The PS has no template, so the operator supplies the program.", judge)


def no_addresses_by_hand() -> Check:
    """Nothing in the manifest says who is who."""

    def judge(seen: Seen) -> Finding | None:
        for spec in replica_specs(seen.object):
            container = main_container(pod_spec(spec))
            names = {text(variable, "name") for variable in listed(container, "env")}
            by_hand = [o for o in CLUSTER_OPTIONS if option(container, o)]
            by_hand += ["TF_CONFIG"] if "TF_CONFIG" in names else []
            if by_hand:
                return seen.wrong(
                    by_hand[0].strip("-").replace("_", "-").lower(),
                    f"{by_hand[0]} in the manifest of the {replica_type(spec)}",
                    "no addresses by hand: the operator sets TF_CONFIG",
                    f"Delete {by_hand[0]}.",
                )
        return None

    title = "The manifest contains no addresses: the operator sets TF_CONFIG."
    return Check("addresses", title, judge)


def tf_config_agrees(**wanted: int) -> Check:
    """The TF_CONFIG of its MASTER has so many addresses of each type."""
    asked = ", ".join(f"{count} {kind}" for kind, count in wanted.items())

    def judge(seen: Seen) -> Finding | None:
        if not seen.pod:
            # Why its Pods are gone is another check's.
            return None
        cluster = mapping(tf_config(seen.pod), "cluster")
        sizes = {
            "MASTER" if kind.upper() == "CHIEF" else kind.upper(): len(hosts)
            for kind, hosts in cluster.items()
            if isinstance(hosts, list)
        }
        if sizes == wanted:
            return None
        found = ", ".join(f"{count} {kind}" for kind, count in sizes.items())
        return seen.wrong(
            "other",
            f"TF_CONFIG of the MASTER has {found or 'no addresses'}",
            f"{asked}, as in the manifest",
            "Let the operator set TF_CONFIG.",
        )

    return Check("tf-config", f"TF_CONFIG of its MASTER names {asked}.", judge, _READS)


def workers_took_steps(count: int) -> Check:
    """Each worker took steps, and together they took all."""

    def judge(seen: Seen) -> Finding | None:
        training = _training(seen)
        shares = training.worker_steps
        idle = [index for index in range(count) if shares.get(index, 0) < 1]
        if idle and training.cut and not shares:
            raise Unreadable("the shares of the workers", 0, "the log was cut")
        if idle and idle[0] in shares:
            return _too_late(seen, idle[0])
        if idle and training.lost:
            return seen.wrong(
                "lost",
                f"the MASTER's log has no steps of worker {idle[0]}, and a worker was lost",
                "a line `worker n took … steps` for each worker, with 1 or more",
                "Run it again.",
            )
        if idle:
            return seen.wrong(
                "idle",
                f"worker {idle[0]} took no steps, by the MASTER's log",
                "a line `worker n took … steps` for each worker, with 1 or more",
                "Set the sample image on MASTER and WORKER, without `command`.",
            )
        total, all_steps = sum(shares.values()), training.last_step - training.start
        if abs(total - all_steps) > max(5, _NOBODYS_STEPS * all_steps):
            return seen.wrong(
                "sum",
                f"the workers' shares add up to {total}, and {all_steps} steps were taken",
                "shares that add up to the steps of the training",
                "Let the image's own program write the log.",
            )
        return None

    title = "Each of its workers took steps, and together they took all."
    return Check("workers", title, judge, _READS)


def _too_late(seen: Seen, worker: int) -> Finding:
    """It was there, and came too late for a step: a busy cluster's doing, not the learner's."""
    return could_not_check(
        "too-late",
        f"worker {worker} took 0 steps: it was ready only when the others had taken all",
        "a worker that takes steps",
        "Run it again, when the cluster is less busy:",
        *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
    )


def worker_replaced() -> Check:
    """A worker's Pod went while the training ran, and its replacement ran.

    What lasts proves it before what expires: the TfJob's condition Restarting and
    the chief's log stay, events are forgotten after an hour. Two of the three.
    """

    def judge(seen: Seen) -> Finding | None:
        training = _training(seen)
        times = [step.time for step in training.steps if step.time]
        if not times:
            return None
        first, last = times[0] - _ROUNDING, times[-1] + _ROUNDING
        recovered = _recovered(seen.object)
        made = _replacements(seen)
        proofs = [
            bool(recovered and first <= recovered <= last),
            any(first <= time <= last for time in training.lost),
            any(first <= time <= last for time in made),
        ]
        # It was over before all replicas ran again; of several losses, one may be made up.
        not_back = condition(seen.object, "Restarting").get("reason") == "Finished"
        if sum(proofs) >= 2 and not (not_back and len(made) < 2):
            return None
        return _not_replaced(seen, proofs, made, training, last)

    title = "One worker's Pod was deleted after the first steps, and its replacement ran."
    return Check("replaced", title, judge, _READS)


def delete_a_worker(seen: Seen, finding: Finding) -> Finding:
    """What to do while 6.2 trains undisturbed, in place of waiting."""
    workers = [p for p in seen.pods if text(p, "metadata", "labels", "job_type") == "WORKER"]
    chief = _chief(seen)
    if not chief or not workers or condition(seen.object, "Restarting"):
        return finding
    try:
        training = _training(seen)
    except Unreadable:
        return finding
    if not training.steps or training.lost or _replacements(seen):
        return finding
    return converging(
        "delete-a-worker",
        finding.found,
        "a worker's Pod deleted while it trains",
        "Delete the Pod of one worker, and see the training go on:",
        f"$ kubectl delete pod {name_of(workers[-1])}",
        since=finding.since,
        late=finding.late,
    )


def _not_replaced(
    seen: Seen,
    proofs: list[bool],
    made: list[datetime],
    training: evidence.Training,
    last: datetime,
) -> Finding:
    expired = seen.cluster.taken - last > _EVENTS_LAST
    if any(proofs) and (expired or training.cut or not seen.cluster.items_if_readable("events")):
        return could_not_check(
            "expired",
            "a worker was lost while it trained; whether its replacement ran cannot be seen any "
            "more",
            "two of: the TfJob's condition Restarting, the chief's log, the events",
            "If the check has not said done before, run the exercise again:",
            *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
        )
    cause, found = "none", "no worker was lost while the training ran"
    if condition(seen.object, "Restarting").get("reason") == "Finished":
        cause, found = "not-back", "a worker was lost, and its replacement did not run in time"
    elif any(proofs):
        cause, found = "unclear", "only one sign that a worker was lost while the training ran"
    elif made and min(made) > last:
        cause, found = "too-late", "a worker's Pod was replaced, but after the last step"
    elif made:
        cause, found = "too-early", "a worker's Pod was replaced, but not while the training ran"
    elif _replacements(seen, "master"):
        cause, found = "chief", "the MASTER's Pod was replaced, and no worker's"
    return seen.wrong(
        cause,
        found,
        "one worker's Pod deleted once the MASTER's log shows steps, and replaced",
        "Run it again, with more steps if it ends too soon. Delete the Pod of one worker as soon "
        "as the log of the MASTER shows steps; with --watch, the validator says when.",
    )


def _recovered(tfjob: Object) -> datetime | None:
    """When all replicas ran again after one was lost; None if that is not known."""
    said = condition(tfjob, "Restarting")
    if said.get("status") != "False" or said.get("reason") != "Recovered":
        return None
    return time_at(said, "lastTransitionTime")


def _replacements(seen: Seen, role: str = "worker") -> list[datetime]:
    """When the Pods after the first of each such replica were made, by the events of their Jobs.

    The Jobs of workers may be gone at the end. A replica has a Job of its own, or is one index of
    an Indexed Job: its Pods' names say which one it is, all but their last part.
    """
    runtime = text(seen.object, "status", "runtimeId")
    jobs = f"{seen.subject.name[:40]}-{role}-{runtime}"
    made: dict[str, list[datetime]] = {}
    for event in seen.cluster.items_if_readable("events"):
        job, kind = (text(event, "involvedObject", key) for key in ("name", "kind"))
        time = parse_time(text(event, "lastTimestamp") or text(event, "eventTime"))
        about_job = kind == "Job" and (job == jobs or job.startswith(f"{jobs}-"))
        if about_job and text(event, "reason") == "SuccessfulCreate" and time:
            replica = text(event, "message").rpartition("-")[0] or job
            made.setdefault(replica, []).append(time)
    return [time for times in made.values() for time in sorted(times)[1:]]


def _chief(seen: Seen) -> Object:
    kinds = ("MASTER", "CHIEF")
    return next((p for p in seen.pods if text(p, "metadata", "labels", "job_type") in kinds), {})


def _training(seen: Seen) -> evidence.Training:
    pod = _chief(seen)
    return evidence.read(seen.log(pod, text(main_container(mapping(pod, "spec")), "name")))
