"""The children of an active job: which exist, and which to create, change or delete.

``reconcile`` combines the results into a Plan.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from . import gang, parameter_server, restart, status, tensorboard
from .observed import Children, Job, Pod
from .plan import Deletion, JobPatch
from .resources import Creation, Factory
from .spec import FOREVER, ReplicaSpec, TfJob


def observed_replicas(
    job: TfJob, replica: ReplicaSpec, observed: Children
) -> Iterator[tuple[Job | None, Pod | None]]:
    """The Job and the newest Pod of each replica index, in order, for both layouts."""
    if not job.is_indexed(replica):
        for index in range(replica.replicas):
            child = observed.jobs.get(job.child_name(replica.type, index))
            yield child, observed.newest_pod(child) if child else None
        return
    shared = observed.jobs.get(job.indexed_job_name(replica.type))
    pods = observed.newest_pods(shared) if shared else {}
    for index in range(replica.replicas):
        yield _view_of_index(shared, index) if shared else None, pods.get(index)


def _view_of_index(shared: Job, index: int) -> Job:
    """An Indexed Job as if it ran one index only. ``reconcile`` judges the failure of the whole."""
    done = index in (shared.completed or ())
    return replace(shared, succeeded=done, failed=0, failure="", completed=None)


def waiting(job: TfJob, observed: Children, now: datetime) -> tuple[str, str] | None:
    """(reason, message) of the first Pod that cannot run, beginning with the chief's."""
    for replica in sorted(job.replicas, key=lambda each: each.type != job.chief[0]):
        for index, (child, pod) in enumerate(observed_replicas(job, replica, observed)):
            name = child.name if child else job.child_name(replica.type, index)
            pod = pod or observed.leftovers.get(name)
            if pod and (found := restart.waiting_reason(pod, now)):
                return found[0], f"{replica.type} {index}: {found[1]}"
    return None


def seconds_until_stuck(observed: Children, now: datetime) -> float:
    """Seconds until the next of the Pods that are being deleted counts as stuck."""
    deleting = [pod for pods in observed.pods.values() for pod in pods if pod.deleting]
    deleting += observed.leftovers.values()
    left = [restart.seconds_until_stuck(pod, now) for pod in deleting]
    return min((seconds for seconds in left if seconds > 0), default=FOREVER)


def missing(observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """Series of children to create: first those that all Pods need, then one series per replica."""
    job = factory.job
    shared: list[Creation] = []
    if factory.config.gang_scheduling and gang.group_name(job) not in observed.pod_groups:
        shared.append(factory.pod_group())
    cluster = factory.cluster
    if cluster.has_indexed and cluster.config_map not in observed.config_maps:
        shared.append(factory.cluster_config())
    if cluster.has_indexed and cluster.host_service not in observed.services:
        shared.append(factory.job_service())
    if shared:
        yield tuple(shared)
    for replica in job.replicas:
        config_map = _ps_config_map(job, observed) if replica.is_default_ps else ""
        if config_map is None and replica.replicas:
            yield (factory.ps_config(),)  # the next pass knows its name, and creates the Jobs
        find = _missing_indexed if job.is_indexed(replica) else _missing_replicas
        yield from find(replica, observed, factory, config_map)


def _ps_config_map(job: TfJob, observed: Children) -> str | None:
    """Name of the default parameter server's ConfigMap, if it exists under one of its names."""
    names = parameter_server.config_map_names(job)
    return next((name for name in names if name in observed.config_maps), None)


def _missing_indexed(
    replica: ReplicaSpec, observed: Children, factory: Factory, config_map: str | None
) -> Iterator[tuple[Creation, ...]]:
    """The Indexed Job of a type, unless all its replicas are done, or its ConfigMap is missing."""
    job = factory.job
    is_done = len(status.completed(job.status, replica.type)) >= replica.replicas
    is_present = job.indexed_job_name(replica.type) in observed.jobs
    if is_done or is_present or config_map is None:
        return
    if child := _unless_leftover(factory.indexed_job(replica, config_map), observed):
        yield (child,)


def _missing_replicas(
    replica: ReplicaSpec, observed: Children, factory: Factory, config_map: str | None
) -> Iterator[tuple[Creation, ...]]:
    """A Service and a Job per replica. No Job if the replica is done, or its ConfigMap missing."""
    job = factory.job
    done = status.completed(job.status, replica.type) if replica.restart_policy != "Always" else ()
    for index in range(replica.replicas):
        name, series = job.child_name(replica.type, index), []
        if name not in observed.services:
            series.append(factory.service(replica, index))
        if name not in observed.jobs and index not in done and config_map is not None:
            child = _unless_leftover(factory.batch_job(replica, index, config_map), observed)
            series += [child] if child else []
        if series:
            yield tuple(series)


def _unless_leftover(child: Creation, observed: Children) -> Creation | None:
    """The creation of a Job, unless a Pod of its predecessor is still being deleted.

    If that Pod is not being deleted, its Job exists too, but has lost its labels: repair the Job.
    """
    leftover = observed.leftovers.get(child.name)
    if leftover is None:
        return child
    return None if leftover.deleting else replace(child, only_repair=True)


def missing_board(observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """TensorBoard's Deployment and Service, as two independent series."""
    if factory.job.tensorboard is None:
        return
    name = tensorboard.name(factory.job)
    if name not in observed.deployments:
        yield (factory.tensorboard_deployment(),)
    if name not in observed.services:
        yield (factory.tensorboard_service(),)


def surplus(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Jobs and Services of workers above the present number of replicas."""
    wanted = {job.child_name(replica.type, index) for replica, index in job.tasks}
    prefix = f"{job.indexed_job_name('WORKER')}-"
    present = [child for child in observed.jobs.values() if not child.deleting]
    found = job_deletions(present, foreground=True) + named_deletions("Service", observed.services)
    for deletion in found:
        if deletion.name.startswith(prefix) and deletion.name not in wanted:
            yield deletion


def resizes(job: TfJob, observed: Children) -> Iterator[JobPatch]:
    """Patches of Indexed Jobs whose number of replicas has changed."""
    for replica in job.replicas:
        child = observed.jobs.get(job.indexed_job_name(replica.type))
        is_other = child is not None and child.completions != replica.replicas
        if child and job.is_indexed(replica) and is_other and not child.is_finished:
            count = {"completions": replica.replicas, "parallelism": replica.replicas}
            yield JobPatch(child.name, child.uid, count)


def pods_to_delete(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Pods to retry although a side-car still runs. Their Jobs count each as failed."""
    for replica in job.replicas:
        for _, pod in observed_replicas(job, replica, observed):
            if pod and restart.must_delete_pod(pod, replica.restart_policy):
                yield Deletion("Pod", pod.name, pod.uid)


def seconds_to_reruns(job: TfJob, observed: Children, now: datetime) -> dict[str, float]:
    """Seconds until a Job that has succeeded is deleted so that a new one runs, by its name."""
    seconds: dict[str, float] = {}
    for replica in job.replicas:
        if job.is_indexed(replica):
            continue
        for index, (child, pod) in enumerate(observed_replicas(job, replica, observed)):
            if child is None or child.deleting:
                continue
            if restart.is_false_success(child, pod):
                seconds[child.name] = 0.0
            elif (replica.type, index) != job.chief:
                left = restart.seconds_to_rerun(child, replica.restart_policy, now)
                seconds[child.name] = left
    return seconds


def job_deletions(jobs: Iterable[Job], *, foreground: bool = False) -> tuple[Deletion, ...]:
    return tuple(Deletion("Job", child.name, child.uid, foreground) for child in jobs)


def named_deletions(kind: str, uids: Mapping[str, str]) -> tuple[Deletion, ...]:
    """Deletions of objects of a kind, given as UID by name."""
    return tuple(Deletion(kind, name, uid) for name, uid in uids.items())
