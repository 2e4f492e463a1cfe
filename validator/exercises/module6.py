"""Module 6: one training on several replicas, and one that loses a worker on its way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from validator import diagnosis, evidence, near_misses, tfjobs
from validator.engine import check, exercise
from validator.snapshot import Object, Snapshot, at, listed, mapping, name_of, parse_time, text
from validator.verdicts import Finding, converging, wrong

PAGE = "modules/6-distributed-tensorflow/README.md"
FOLDER = "modules/6-distributed-tensorflow"
FIRST, SECOND = "module6-ex1", "module6-ex2"
NAMES = (FIRST, SECOND)
SHAPE = {"MASTER": 1, "WORKER": 2, "PS": 1}
STEPS = 1000
# Options with which programs of 2017 were told who is who.
CLUSTER_OPTIONS = ("--cluster_spec", "--cluster-spec", "--worker_hosts", "--ps_hosts")

exercise(
    "6.1",
    title="One MASTER, two WORKER, one default PS",
    anchor=f"{PAGE}#exercise-1",
    objects=(("tfjob", FIRST),),
    solution=f"{FOLDER}/solution/exercise-1.yaml",
)
exercise(
    "6.2",
    title="A worker is deleted while it trains",
    anchor=f"{PAGE}#exercise-2",
    objects=(("tfjob", SECOND),),
    solution=f"{FOLDER}/solution/exercise-2.yaml",
)


def both(function: Callable[[Snapshot, str], Finding | None]) -> None:
    """Register a check for 6.1 and for 6.2; ``function`` gets the name of the TfJob."""
    for number, name in (("6.1", FIRST), ("6.2", SECOND)):

        def of_one(cluster: Snapshot, name: str = name) -> Finding | None:
            return function(cluster, name)

        of_one.__name__, of_one.__doc__ = function.__name__, function.__doc__
        check(number, requires=["5.0"])(of_one)


@both
def tfjob_exists(cluster: Snapshot, name: str) -> Finding | None:
    """The exercise's TfJob exists."""
    if cluster.find("tfjobs", name):
        return None
    start = f"complete {FOLDER}/starter/exercise-1.yaml, name it {name} and `kubectl apply -f` it"
    return near_misses.missing(cluster, "tfjobs", name, start, lambda found: False, NAMES)


@both
def has_the_replicas(cluster: Snapshot, name: str) -> Finding | None:
    """It has one MASTER, two WORKER and one PS."""
    tfjob = _tfjob(cluster, name)
    if _counts(tfjob) == SHAPE:
        return None
    return wrong(
        found=f"replicaSpecs of {tfjobs.shape(tfjob)}",
        wanted="1 MASTER, 2 WORKER, 1 PS",
        next_step=_again(name, "give spec.replicaSpecs these three entries"),
    )


@both
def parameter_server_is_the_default(cluster: Snapshot, name: str) -> Finding | None:
    """Its PS has no template: the operator brings the parameter server."""
    for spec in tfjobs.replica_specs(_tfjob(cluster, name)):
        if tfjobs.replica_type(spec) == "PS" and mapping(spec, "template"):
            return wrong(
                found="a template in the replica spec of the PS",
                wanted="a default PS: a replica spec of type PS without a template",
                next_step=_again(name, "delete `template` from the entry with tfReplicaType: PS"),
            )
    return None


@both
def no_cluster_spec_by_hand(cluster: Snapshot, name: str) -> Finding | None:
    """Nothing in its manifest says who is who: the operator tells every replica."""
    for spec in tfjobs.replica_specs(_tfjob(cluster, name)):
        container = tfjobs.training_container(tfjobs.pod_spec(spec))
        names = {text(variable, "name") for variable in listed(container, "env")}
        by_hand = [o for o in CLUSTER_OPTIONS if tfjobs.option(container, o)]
        by_hand += ["TF_CONFIG"] if "TF_CONFIG" in names else []
        if by_hand:
            return wrong(
                found=f"{by_hand[0]} in the manifest of the {tfjobs.replica_type(spec)}",
                wanted="no cluster spec by hand: the operator sets TF_CONFIG",
                next_step=_again(name, f"delete {by_hand[0]}"),
            )
    return None


@both
def succeeded(cluster: Snapshot, name: str) -> Finding | None:
    """It succeeded."""
    broken = diagnosis.diagnose(cluster, _tfjob(cluster, name))
    if broken or _chief_pod(cluster, name):
        return _delete_a_worker(cluster, name, broken) if broken else None
    return wrong(
        found=f"TfJob {name} has succeeded, but the MASTER's Pod is gone, and its log with it",
        wanted="the MASTER's Pod, with its log",
        next_step=_again(name, "keep the Pods (no ttlSecondsAfterFinished)"),
    )


@both
def tf_config_agrees(cluster: Snapshot, name: str) -> Finding | None:
    """The TF_CONFIG of its MASTER names one master, two workers and one ps."""
    given = _tf_config(_chief_pod(cluster, name) or {})
    sizes = {kind.upper(): len(hosts) for kind, hosts in mapping(given, "cluster").items()}
    if sizes == SHAPE:
        return None
    return wrong(
        found=f"TF_CONFIG of {', '.join(f'{n} {kind}' for kind, n in sizes.items()) or 'nothing'}",
        wanted="1 MASTER, 2 WORKER, 1 PS in TF_CONFIG, as in the spec",
        next_step=_again(name, "let the operator set TF_CONFIG"),
    )


@check("6.1", requires=["5.0"])
def trained_a_thousand_steps(cluster: Snapshot) -> Finding | None:
    """The training ran for 1,000 steps."""
    training = _training(cluster, FIRST)
    if training.last_step == STEPS:
        return None
    return wrong(
        found=f"step {training.last_step} as the last in the MASTER's log",
        wanted=f"{STEPS} steps",
        next_step=_again(FIRST, f'set args of the MASTER to ["--max-steps", "{STEPS}"]'),
    )


@both
def log_hangs_together(cluster: Snapshot, name: str) -> Finding | None:
    """The MASTER's log is that of a training: steps take time, and the loss falls."""
    pod = _chief_pod(cluster, name) or {}
    problem = evidence.contradiction(_training(cluster, name), pod)
    if not problem:
        return None
    return wrong(
        found=f"{problem}: the container printed words, and did not train",
        wanted="the sample image's own training",
        next_step=_again(name, "take `command` out of the manifest"),
    )


@both
def every_worker_took_steps(cluster: Snapshot, name: str) -> Finding | None:
    """Each of its workers took some of the steps."""
    shares = _training(cluster, name).worker_steps
    idle = [index for index in range(SHAPE["WORKER"]) if shares.get(index, 0) < 1]
    if not idle:
        return None
    return wrong(
        found=f"no steps of worker {idle[0]} in the MASTER's log",
        wanted="a line `worker n took ... steps` for each worker, with 1 or more",
        next_step=_again(name, "set the sample image on MASTER and WORKER"),
    )


@check("6.2", requires=["5.0"])
def a_worker_was_replaced(cluster: Snapshot) -> Finding | None:
    """One worker's Pod was deleted after the first steps, and its replacement ran."""
    first = next((s.time for s in _training(cluster, SECOND).steps), None)
    times = _replacements(cluster)
    if any(first is None or time >= first for time in times):
        return None
    early = "a worker's Pod was replaced before the first step" if times else "no worker was lost"
    return wrong(
        found=f"{early} while TfJob {SECOND} trained",
        wanted="one worker's Pod deleted once the MASTER's log shows steps, and replaced",
        next_step=_again(
            SECOND, "while it trains, `kubectl delete pod` one worker's Pod; to do so,"
        ),
    )


def _delete_a_worker(cluster: Snapshot, name: str, broken: Finding) -> Finding:
    """While 6.2 trains undisturbed, waiting is not what its learner should do."""
    training = diagnosis.newest_pods(cluster, _tfjob(cluster, name))
    workers = [p for p in training if text(p, "metadata", "labels", "job_type") == "WORKER"]
    chief = _chief_pod(cluster, name)
    if name != SECOND or not chief or not workers or _replacements(cluster):
        return broken
    if not evidence.read(cluster.log(chief)).steps:
        return broken
    return converging(
        found=broken.found,
        wanted="a worker's Pod deleted while it trains",
        next_step=f"`kubectl delete pod {name_of(workers[0])}`, and see the job go on",
    )


def _replacements(cluster: Snapshot) -> Sequence[datetime]:
    """When the Pods after the first of each worker's Job were made, by the Jobs' events.

    The Jobs of workers may be gone at the end; what happened to them is told for an hour.
    """
    runtime = text(_tfjob(cluster, SECOND), "status", "runtimeId")
    prefix = f"{SECOND}-worker-{runtime}-"
    made: dict[str, list[datetime]] = {}
    for event in cluster.items("events"):
        job = text(event, "involvedObject", "name")
        time = parse_time(text(event, "lastTimestamp") or text(event, "eventTime"))
        about_job = text(event, "involvedObject", "kind") == "Job" and job.startswith(prefix)
        if about_job and text(event, "reason") == "SuccessfulCreate" and time:
            made.setdefault(job, []).append(time)
    return [time for times in made.values() for time in sorted(times)[1:]]


def _tfjob(cluster: Snapshot, name: str) -> Object:
    return cluster.find("tfjobs", name) or {}


def _counts(tfjob: Object) -> dict[str, int]:
    kinds = tfjobs.replica_specs(tfjob)
    same = {"CHIEF": "MASTER"}
    return {
        same.get(tfjobs.replica_type(k), tfjobs.replica_type(k)): tfjobs.replicas(k) for k in kinds
    }


def _chief_pod(cluster: Snapshot, name: str) -> Object | None:
    pods = diagnosis.newest_pods(cluster, _tfjob(cluster, name))
    kinds = ("MASTER", "CHIEF")
    return next((p for p in pods if text(p, "metadata", "labels", "job_type") in kinds), None)


def _training(cluster: Snapshot, name: str) -> evidence.Training:
    return evidence.read(cluster.log(_chief_pod(cluster, name) or {}))


def _tf_config(pod: Object) -> dict[str, Any]:
    """The TF_CONFIG that the operator appended to the container tensorflow; {} for none."""
    container = tfjobs.training_container(mapping(pod, "spec"))
    values = [at(e, "value") for e in listed(container, "env") if e.get("name") == "TF_CONFIG"]
    try:
        parsed = json.loads(values[-1]) if values else {}
    except (ValueError, TypeError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _again(name: str, change: str) -> str:
    return f"{change}, `kubectl delete tfjob {name}`, and apply the manifest again"
