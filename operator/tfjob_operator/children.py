"""What the children of an active job are, and which are missing, too many, or to be changed.

``reconcile`` asks in this order: what is there for each replica, what to make, what to change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from . import gang, parameter_server, restart, status, tensorboard
from .observed import Children, Job, Pod
from .plan import Deletion, JobPatch
from .resources import Creation, Factory
from .spec import FOREVER, Replica, TfJob


def replicas(
    job: TfJob, replica: Replica, observed: Children
) -> Iterator[tuple[Job | None, Pod | None]]:
    """For each replica index its Job, as if it had one of its own, and its newest Pod."""
    if not job.is_indexed(replica):
        for index in range(replica.replicas):
            child = observed.jobs.get(job.child(replica.type, index))
            yield child, observed.newest_pod(child) if child else None
        return
    shared = observed.jobs.get(job.indexed_job(replica.type))
    pods = observed.newest_pods(shared) if shared else {}
    for index in range(replica.replicas):
        yield _part(shared, index) if shared else None, pods.get(index)


def _part(shared: Job, index: int) -> Job:
    """An Indexed Job as one of its indexes sees it; ``_failures`` looks at the Job as a whole."""
    done = index in (shared.completed or ())
    return replace(shared, succeeded=done, failed=0, failure="", completed=None)


def waiting(job: TfJob, observed: Children, now: datetime) -> tuple[str, str] | None:
    """Why the chief's Pod does not run, or else the first other Pod that does not."""
    for replica in sorted(job.replicas, key=lambda each: each.type != job.chief[0]):
        for index, (child, pod) in enumerate(replicas(job, replica, observed)):
            name = child.name if child else job.child(replica.type, index)
            pod = pod or observed.leftovers.get(name)
            found = restart.waits_for(pod, now) if pod else None
            if found:
                return found[0], f"{replica.type} {index}: {found[1]}"
    return None


def seconds_until_stuck(observed: Children, now: datetime) -> float:
    """When the next Pod that is being deleted should be gone."""
    going = [pod for pods in observed.pods.values() for pod in pods if pod.deleting]
    going += observed.leftovers.values()
    left = [restart.seconds_until_stuck(pod, now) for pod in going]
    return min((seconds for seconds in left if seconds > 0), default=FOREVER)


def missing(job: TfJob, observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """Series of children to make: what the Jobs need, then per replica its Service and its Job."""
    shared: list[Creation] = []
    if factory.config.gang_scheduling and gang.group_name(job) not in observed.pod_groups:
        shared.append(factory.pod_group())
    if factory.cluster.has_indexed and factory.cluster.config_map not in observed.config_maps:
        shared.append(factory.cluster_config())
    if factory.cluster.has_indexed and factory.cluster.host_service not in observed.services:
        shared.append(factory.job_service())
    if shared:
        yield tuple(shared)
    for replica in job.replicas:
        config_map = _ps_config_map(job, observed) if replica.is_default_ps else None
        if replica.is_default_ps and replica.replicas and config_map is None:
            yield (factory.ps_config(),)  # its Jobs follow when its name is known
            yield from _missing_services(job, replica, observed, factory)
        elif job.is_indexed(replica):
            yield from _missing_indexed(job, replica, observed, factory, config_map or "")
        else:
            yield from _missing_replicas(job, replica, observed, factory, config_map or "")


def _ps_config_map(job: TfJob, observed: Children) -> str | None:
    """The ConfigMap of the default parameter servers, under whichever name it could be made."""
    names = parameter_server.config_map_names(job)
    return next((name for name in names if name in observed.config_maps), None)


def _missing_indexed(
    job: TfJob, replica: Replica, observed: Children, factory: Factory, config_map: str
) -> Iterator[tuple[Creation, ...]]:
    name = job.indexed_job(replica.type)
    is_done = len(status.completed(job.status, replica.type)) >= replica.replicas
    if not is_done and name not in observed.jobs:
        yield from _after_leftovers(factory.indexed_job(replica, config_map), observed)


def _missing_replicas(
    job: TfJob, replica: Replica, observed: Children, factory: Factory, config_map: str
) -> Iterator[tuple[Creation, ...]]:
    """No Job is made before the Pod of its predecessor is gone, nor for a replica that is done."""
    done = status.completed(job.status, replica.type) if replica.restart_policy != "Always" else ()
    for index in range(replica.replicas):
        name, series = job.child(replica.type, index), []
        if name not in observed.services:
            series.append(factory.service(replica, index))
        if name not in observed.jobs and index not in done:
            child = factory.batch_job(replica, index, config_map)
            series += [each for found in _after_leftovers(child, observed) for each in found]
        if series:
            yield tuple(series)


def _after_leftovers(child: Creation, observed: Children) -> Iterator[tuple[Creation, ...]]:
    """The Job, if no Pod of its predecessor is left.

    A Pod that nobody deletes belongs to a Job that exists, and that lost its labels by hand.
    """
    leftover = observed.leftovers.get(child.name)
    if leftover is None:
        yield (child,)
    elif not leftover.deleting:
        yield (replace(child, only_repair=True),)


def _missing_services(
    job: TfJob, replica: Replica, observed: Children, factory: Factory
) -> Iterator[tuple[Creation, ...]]:
    if not job.is_indexed(replica):
        for index in range(replica.replicas):
            if job.child(replica.type, index) not in observed.services:
                yield (factory.service(replica, index),)


def missing_board(observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """TensorBoard's Deployment and Service, which do not wait for each other."""
    if factory.job.tensorboard is None:
        return
    name = tensorboard.name(factory.job)
    if name not in observed.deployments:
        yield (factory.tensorboard_deployment(),)
    if name not in observed.services:
        yield (factory.tensorboard_service(),)


def surplus(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Children of workers that the spec no longer has."""
    wanted = {job.child(replica.type, index) for replica, index in job.tasks}
    prefix = job.child("WORKER", 0)[:-1]
    present = [child for child in observed.jobs.values() if not child.deleting]
    found = deletions(present, foreground=True) + named("Service", observed.services)
    for deletion in found:
        if deletion.name.startswith(prefix) and deletion.name not in wanted:
            yield deletion


def resizes(job: TfJob, observed: Children) -> Iterator[JobPatch]:
    """Indexed Jobs whose number of replicas has changed."""
    for replica in job.replicas:
        child = observed.jobs.get(job.indexed_job(replica.type))
        is_other = child is not None and child.completions != replica.replicas
        if child and job.is_indexed(replica) and is_other and not child.is_finished:
            count = {"completions": replica.replicas, "parallelism": replica.replicas}
            yield JobPatch(child.name, child.uid, count)


def pods_to_delete(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Pods whose program is to be tried again while a side-car runs on. Each counts as failed."""
    for replica in job.replicas:
        for _, pod in replicas(job, replica, observed):
            if pod and restart.must_be_replaced(pod, replica.restart_policy):
                yield Deletion("Pod", pod.name, pod.uid)


def reruns(job: TfJob, observed: Children, now: datetime) -> tuple[list[Job], float]:
    """Jobs of replicas that run again although their Job ended well (without them, new ones are
    made), and in how many seconds there will be another."""
    seconds: dict[str, float] = {}
    for replica in job.replicas:
        if job.is_indexed(replica):
            continue
        for index, (child, pod) in enumerate(replicas(job, replica, observed)):
            if child is None or child.deleting:
                continue
            if restart.must_run_again(child, pod):
                seconds[child.name] = 0.0
            elif (replica.type, index) != job.chief:
                left = restart.seconds_to_rerun(child, replica.restart_policy, now)
                seconds[child.name] = left
    due = [observed.jobs[name] for name, left in seconds.items() if left <= 0]
    return due, min((left for left in seconds.values() if left > 0), default=FOREVER)


def deletions(jobs: Iterable[Job], *, foreground: bool = False) -> tuple[Deletion, ...]:
    return tuple(Deletion("Job", child.name, child.uid, foreground) for child in jobs)


def named(kind: str, uids: Mapping[str, str]) -> tuple[Deletion, ...]:
    """Deletions of objects of which only name and UID are known."""
    return tuple(Deletion(kind, name, uid) for name, uid in uids.items())
