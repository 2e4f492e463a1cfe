"""The children of an active job: which exist, and which to create, change or delete."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from kube_runtime import changes
from kube_runtime.changes import Creation, Deletion, SpecPatch
from kube_runtime.kube import Json
from kube_runtime.times import FOREVER
from tfjob_api import reasons
from tfjob_api.spec import ReplicaSpec, TfJob

from . import gang, parameter_server, restart, tensorboard
from .observed import Children, Job, Pod
from .resources import Factory


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica: its spec and index, its Job, and its newest Pod. None: there is none."""

    spec: ReplicaSpec
    index: int
    job: Job | None
    pod: Pod | None

    @property
    def task(self) -> tuple[str, int]:
        return self.spec.type, self.index


def observed_replicas(job: TfJob, observed: Children) -> list[Replica]:
    """All replicas of a job, by type and index, for both layouts."""
    found: list[Replica] = []
    for spec in job.replica_specs:
        find = _with_shared_job if job.is_indexed(spec) else _with_own_jobs
        found += find(spec, job.child_name(spec.type, None), observed)
    return found


def _with_own_jobs(spec: ReplicaSpec, name: str, observed: Children) -> Iterator[Replica]:
    for index in range(spec.replicas):
        child = observed.jobs.get(f"{name}-{index}")
        yield Replica(spec, index, child, observed.newest_pod(child) if child else None)


def _with_shared_job(spec: ReplicaSpec, name: str, observed: Children) -> Iterator[Replica]:
    shared = observed.jobs.get(name)
    if shared is None:
        yield from (Replica(spec, index, None, None) for index in range(spec.replicas))
        return
    pods, completed = observed.newest_pods(shared), shared.completed or ()
    done, active = _view_of_index(shared, succeeded=True), _view_of_index(shared, succeeded=False)
    for index in range(spec.replicas):
        yield Replica(spec, index, done if index in completed else active, pods.get(index))


def _view_of_index(shared: Job, *, succeeded: bool) -> Job:
    """An Indexed Job as if it ran one index only. ``outcome`` judges the failure of the whole."""
    return replace(shared, succeeded=succeeded, failed=0, failure="", completed=None)


def blocked(replicas: Iterable[Replica], observed: Children) -> str:
    """Why the Job controller cannot create the next Pod of the first such replica, or ""."""
    for child, pod in ((each.job, each.pod) for each in replicas if each.job):
        at, why = observed.warnings.get(child.uid, ("", "")) if child.starts_pods else ("", "")
        if why and (pod is None or (pod.phase == "Failed" and pod.created < at)):
            return why
    return ""


def waiting(
    job: TfJob, replicas: Iterable[Replica], observed: Children, now: datetime
) -> tuple[bool, str, str]:
    """The condition Waiting, of the first Pod that cannot run, beginning with the chief's."""
    for replica in sorted(replicas, key=lambda each: each.spec.type != job.chief[0]):
        child = replica.job
        pod = replica.pod or observed.leftovers.get(job.job_name(replica.spec, replica.index))
        found = pod and restart.waiting_reason(pod, now)
        is_held = child and child.suspended and not (child.deleting or job.run_policy.suspend)
        if child and is_held and not replica.pod and replica.task not in job.completed:
            found = reasons.JOB_SUSPENDED, f"somebody has set spec.suspend of Job {child.name}"
        if found:
            # Of a deleted Indexed Job each replica finds the same leftover: name that Pod's index.
            index = (pod and pod.index) or replica.index
            return True, found[0], f"{replica.spec.type} {index}: {found[1]}"
    return reasons.NO_POD_WAITS


def seconds_until_stuck(observed: Children, now: datetime) -> float:
    """Seconds until the next of the Pods that are being deleted counts as stuck."""
    deleting = [pod for pods in observed.pods.values() for pod in pods if pod.deleting]
    deleting += observed.leftovers.values()
    left = [restart.seconds_until_stuck(pod, now) for pod in deleting]
    return min((seconds for seconds in left if seconds > 0), default=FOREVER)


def missing(observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """Series of children to create: first those that all Pods need, then one series per replica."""
    job, cluster = factory.job, factory.cluster
    shared: list[Creation] = []
    if factory.config.gang_scheduling and gang.group_name(job) not in observed.pod_groups:
        shared.append(factory.pod_group())
    if cluster.has_indexed and cluster.config_map not in observed.config_maps:
        shared.append(factory.cluster_config())
    if cluster.has_indexed and cluster.host_service not in observed.services:
        shared.append(factory.job_service())
    if shared:
        yield tuple(shared)
    for spec in job.replica_specs:
        config_map = _ps_config_map(job, observed) if spec.is_default_ps else ""  # "": no need
        if config_map is None and spec.replicas:
            yield (factory.ps_config(),)  # the next pass knows its name, and creates the Jobs
        yield from _missing_of(spec, observed, factory, config_map)


def _ps_config_map(job: TfJob, observed: Children) -> str | None:
    """Name of the default parameter server's ConfigMap; None: it exists under neither name."""
    names = parameter_server.config_map_names(job)
    return next((name for name in names if name in observed.config_maps), None)


def _missing_of(
    spec: ReplicaSpec, observed: Children, factory: Factory, config_map: str | None
) -> Iterator[tuple[Creation, ...]]:
    """A Service and a Job per replica, or one Indexed Job without a Service.

    No Job if its replicas are done, or if the ConfigMap of its Pods is missing.
    """
    job, is_indexed = factory.job, factory.job.is_indexed(spec)
    if is_indexed and all((spec.type, i) in job.completed for i in range(spec.replicas)):
        return
    for index in (None,) if is_indexed else range(spec.replicas):
        name, series = job.child_name(spec.type, index), []
        if index is not None and name not in observed.services:
            series.append(factory.service(spec, index))
        is_missing = name not in observed.jobs and (spec.type, index) not in job.completed
        if is_missing and config_map is not None:
            series += _unless_leftover(factory.batch_job(spec, index, config_map), observed)
        if series:
            yield tuple(series)


def _unless_leftover(child: Creation, observed: Children) -> Iterator[Creation]:
    """The creation of a Job, unless a Pod of its predecessor is still there.

    If that Pod has an owner and is not being deleted, its Job exists without labels: repair it.
    """
    leftover = observed.leftovers.get(child.name)
    if leftover is None:
        yield child
    elif leftover.has_owner and not leftover.deleting:
        yield replace(child, only_repair=True)


def missing_board(observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """TensorBoard's Deployment and Service, as two independent series."""
    if factory.job.tensorboard is None:
        return
    name = tensorboard.name(factory.job)
    if name not in observed.deployments:
        yield (factory.tensorboard_deployment(),)
    if name not in observed.services:
        yield (factory.tensorboard_service(),)


def board_changes(observed: Children, factory: Factory) -> Iterator[SpecPatch]:
    """Patches that bring TensorBoard to the TfJob's spec, which may change during a suspension."""
    uids = {"Deployment": observed.deployments, "Service": observed.services}
    for (creation,) in missing_board(Children(), factory):
        if uid := uids[creation.kind].get(creation.name):
            spec = creation.build()["spec"]
            yield SpecPatch(creation.kind, creation.name, uid, spec, written_by_user=True)


def gang_changes(new: Json, observed: Children, factory: Factory) -> Iterator[SpecPatch]:
    """A patch of the gang's size: once a replica has ended, the scheduler must not wait for it."""
    job, config, name = factory.job, factory.config, gang.group_name(factory.job)
    if config.gang_scheduling and name in observed.pod_groups:
        spec = gang.group_spec(job.with_status(new), config)
        if gang.size(spec) != observed.gang_sizes.get(name):
            yield SpecPatch("PodGroup", name, observed.pod_groups[name], spec)


def surplus(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Jobs and Services of workers above the present number of replicas, or of another layout.

    An Indexed Job that has ended with fewer replicas than the spec says goes too: it starts no Pod.
    """
    wanted = {job.job_name(spec, index): spec.replicas for spec, index in job.each_replica}
    worker = job.child_name("WORKER", None)
    for child in observed.jobs.values():
        count = wanted.get(child.name, 0)
        is_small = child.is_indexed and child.succeeded and child.completions < count
        is_surplus = child.name.startswith(worker) and child.name not in wanted
        if (is_small or is_surplus) and not child.deleting:
            yield Deletion("Job", child.name, child.uid, foreground=True)
    for name, uid in observed.services.items():
        if name.startswith(worker) and name not in wanted:
            yield Deletion("Service", name, uid)


def resizes(job: TfJob, observed: Children) -> Iterator[SpecPatch]:
    """Patches of Indexed Jobs whose number of replicas has changed. A patch to 0 would end one."""
    for spec in filter(job.is_indexed, job.replica_specs):
        child = observed.jobs.get(job.child_name(spec.type, None))
        if child and child.completions != spec.replicas > 0 and not child.is_finished:
            count = {"completions": spec.replicas, "parallelism": spec.replicas}
            yield SpecPatch("Job", child.name, child.uid, count)


def suspensions(job: TfJob, replicas: Iterable[Replica]) -> Iterator[SpecPatch]:
    """Patches of Jobs that would run a replica again after its success, since a side-car failed."""
    for replica in replicas:
        child, is_done = replica.job, replica.task in job.completed
        is_quiet = job.is_indexed(replica.spec) or restart.ends_well(replica.pod)
        if child and child.starts_pods and not child.deleting and is_done and not is_quiet:
            yield SpecPatch("Job", child.name, child.uid, {"suspend": True})


def pods_to_delete(replicas: Iterable[Replica]) -> Iterator[Deletion]:
    """Pods to retry although a side-car still runs. Their Jobs count each as failed."""
    for replica in replicas:
        pod = replica.pod
        if pod and restart.must_delete_pod(pod, replica.spec.restart_policy):
            yield Deletion("Pod", pod.name, pod.uid)


def seconds_to_reruns(job: TfJob, replicas: Iterable[Replica], now: datetime) -> dict[str, float]:
    """Seconds until a Job that has succeeded is deleted so that a new one runs, by its name."""
    seconds: dict[str, float] = {}
    for replica in replicas:
        child = replica.job
        if child is None or child.deleting or job.is_indexed(replica.spec):
            continue
        if restart.is_false_success(child, replica.pod):
            seconds[child.name] = 0.0
        elif replica.task != job.chief:
            seconds[child.name] = restart.seconds_to_rerun(child, replica.spec.restart_policy, now)
    return seconds


def job_deletions(jobs: Iterable[Job], *, foreground: bool = False) -> tuple[Deletion, ...]:
    return tuple(Deletion("Job", child.name, child.uid, foreground) for child in jobs)


def all_but_jobs(observed: Children, kept: str = "") -> Iterator[Deletion]:
    """Deletions of all but Jobs and Pods. ``kept``: the name of a TensorBoard that stays."""
    yield from changes.deletions("Service", observed.services, kept)
    yield from changes.deletions("ConfigMap", observed.config_maps)
    yield from changes.deletions("PodGroup", observed.pod_groups)
    yield from changes.deletions("Deployment", observed.deployments, kept)
