"""What holds for every job and everything that may be observed of it, tried on random ones."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfjob_api.parse import parse
from tfjob_operator import tensorboard
from tfjob_operator.cache import Cache
from tfjob_operator.config import Config
from tfjob_operator.observed import Children, Job, Pod
from tfjob_operator.reconcile import reconcile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = Config()
UID = "11111111-2222-4333-8444-555555555555"
TEMPLATE = {"spec": {"containers": [{"name": "tensorflow", "image": "x"}]}}
quick = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def replica_specs(draw):
    """A chief and any others; sometimes nonsense."""
    kinds = draw(st.lists(st.sampled_from(["WORKER", "PS", "EVALUATOR"]), unique=True, max_size=3))
    chief = draw(st.sampled_from(["MASTER", "CHIEF", "MASTER", "WORKER"]))
    policies = st.sampled_from([None, "ExitCode", "OnFailure", "Never", "Always"])
    found = [{"replicas": 1, "tfReplicaType": chief, "template": TEMPLATE}]
    for kind in kinds:
        replica = {"replicas": draw(st.integers(0, 3)), "tfReplicaType": kind}
        if kind != "PS" or draw(st.booleans()):
            replica["template"] = TEMPLATE
        found.append(replica | {"restartPolicy": draw(policies)})
    return found


@st.composite
def tf_jobs(draw):
    """A TfJob as the API shows it, without a status."""
    policy = {
        "cleanPodPolicy": draw(st.sampled_from(["Running", "All", "None"])),
        "suspend": draw(st.booleans()),
        "backoffLimit": draw(st.integers(0, 3)),
        "ttlSecondsAfterFinished": draw(st.sampled_from([None, 0, 60])),
        "activeDeadlineSeconds": draw(st.sampled_from([None, 60])),
    }
    wanted = {
        "replicaSpecs": draw(replica_specs()),
        "runPolicy": policy,
        "successPolicy": draw(st.sampled_from(["", "AllWorkers"])),
        "enableDynamicWorker": draw(st.booleans()),
    }
    if draw(st.booleans()):
        wanted["tensorboard"] = {"logDir": "/logs"}
    meta = {"name": "j", "namespace": "n", "uid": UID, "generation": 1, "resourceVersion": "1"}
    return {"metadata": meta, "spec": wanted}


@st.composite
def pods(draw, name):
    phase = draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]))
    codes = {"Succeeded": st.just(0), "Failed": st.sampled_from([1, 127, 137, 143])}
    code = draw(codes[phase]) if phase in codes else None
    second = draw(st.integers(0, 3))
    return Pod(
        name=f"{name}-{second}",
        uid=f"{name}-pod-{second}",
        created=f"2026-01-01T00:00:0{second}Z",
        phase=phase,
        deleting=draw(st.booleans()),
        disrupted=draw(st.booleans()),
        exit_code=code,
        reason="OOMKilled" if code == 137 and draw(st.booleans()) else "",
    )


@st.composite
def batch_jobs(draw, name):
    end = draw(st.sampled_from(["", "", "", "Complete", "BackoffLimitExceeded"]))
    return Job(
        name=name,
        uid=f"{name}-uid",
        deleting=draw(st.booleans()),
        suspended=draw(st.booleans()),
        failed=draw(st.integers(0, 4)),
        succeeded=end == "Complete",
        completed_at="2025-12-31T23:00:00Z" if end == "Complete" else "",
        failure=end if end not in ("", "Complete") else "",
    )


def told(kind, reason, **fields):
    """A status with one condition that holds."""
    return {"conditions": [{"type": kind, "status": "True", "reason": reason}], **fields}


BEFORE = [
    {},
    told("Suspended", "Suspended", phase="", state="Unknown", observedGeneration=1),
    told("Failed", "InvalidTemplate", phase="Failed", state="Failed", observedGeneration=0),
]


@st.composite
def situations(draw):
    """A job, which may have been suspended or a bad one, and any part of its children."""
    job = parse(draw(tf_jobs())).with_status(draw(st.sampled_from(BEFORE)))
    jobs, services, seen = {}, {}, {}
    for replica, index in job.each_replica:
        name = job.child_name(replica.type, index)
        if draw(st.booleans()):
            jobs[name] = draw(batch_jobs(name))
            seen[jobs[name].uid] = tuple(draw(st.lists(pods(name), max_size=2)))
        if draw(st.booleans()):
            services[name] = f"{name}-service"
    pods_there, board = {k: v for k, v in seen.items() if v}, tensorboard.name(job)
    deployments = {board: f"{board}-uid"} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        services[board] = f"{board}-service"
    return job, Children(jobs, services, deployments, pods=pods_there)


def carried_out(job, observed, plan):
    """The cluster after a plan: what Kubernetes would show once all of it is done."""
    gone = {deletion.uid for deletion in plan.deletions}
    jobs = {name: child for name, child in observed.jobs.items() if child.uid not in gone}
    for each in plan.patches:
        if each.kind == "Job":  # of TensorBoard only the identity is observed
            jobs[each.name] = replace(jobs[each.name], suspended=each.spec["suspend"])
    services = {name: uid for name, uid in observed.services.items() if uid not in gone}
    deployments = {n: uid for n, uid in observed.deployments.items() if uid not in gone}
    config_maps = {n: uid for n, uid in observed.config_maps.items() if uid not in gone}
    for creation in (creation for series in plan.creations for creation in series):
        name = creation.name
        if creation.kind == "Job":
            jobs[name] = Job(name=name, uid=f"{name}-new")
        if creation.kind == "Service":
            services[name] = f"{name}-new"
        if creation.kind == "ConfigMap":
            config_maps[name] = f"{name}-new"
        if creation.kind == "Deployment":
            deployments[name] = f"{name}-new"
    left = {child.uid for child in jobs.values()}
    kept = {
        uid: tuple(pod for pod in pods if pod.uid not in gone)
        for uid, pods in observed.pods.items()
        if uid in left
    }
    return Children(jobs, services, deployments, config_maps, pods=kept)


@quick
@given(situations())
def test_reconcile_settles_and_then_wants_nothing_more(situation):
    job, observed = situation
    for _ in range(8):
        plan = reconcile(job, observed, CONFIG, NOW)
        if not any((plan.status, plan.deletions, plan.patches, plan.creations)):
            break
        if any(deletion.kind == "TfJob" for deletion in plan.deletions):
            return
        observed = carried_out(job, observed, plan)
        job = job.with_status(plan.status or job.status)
    again = reconcile(job, observed, CONFIG, NOW)
    assert not any((again.status, again.deletions, again.patches, again.creations))


@quick
@given(situations())
def test_the_same_arguments_give_the_same_plan(situation):
    job, observed = situation
    assert reconcile(job, observed, CONFIG, NOW) == reconcile(job, observed, CONFIG, NOW)


@quick
@given(
    situations(),
    st.sampled_from([("Done", "Succeeded"), ("Failed", "Failed"), ("CleanUp", "Succeeded")]),
)
def test_a_finished_job_never_creates_and_never_changes_its_verdict(situation, end):
    job, observed = situation
    phase, state = end
    stamp = "2025-12-31T23:59:59Z"
    done = {"phase": phase, "state": state, "startTime": stamp, "completionTime": stamp}
    plan = reconcile(job.with_status(done), observed, CONFIG, NOW)
    assert plan.creations == ()
    if plan.status is not None:
        assert plan.status["state"] == state
        assert job.with_status(plan.status).is_finished


@quick
@given(situations())
def test_a_plan_never_holds_two_objects_of_one_name(situation):
    plan = reconcile(*situation, CONFIG, NOW)
    made = [(each.kind, each.name) for series in plan.creations for each in series]
    assert len(made) == len(set(made))
    dropped = [(deletion.kind, deletion.name) for deletion in plan.deletions]
    assert len(dropped) == len(set(dropped))


@quick
@given(situations())
def test_only_what_was_observed_as_its_own_is_deleted_or_suspended(situation):
    job, observed = situation
    own = {child.uid for child in observed.jobs.values()}
    own |= {*observed.services.values(), *observed.deployments.values()}
    own |= {pod.uid for pods in observed.pods.values() for pod in pods}
    plan = reconcile(job, observed, CONFIG, NOW)
    assert {change.uid for change in (*plan.deletions, *plan.patches)} <= own | {UID}


@quick
@given(situations())
def test_every_child_names_the_job_as_its_controller(situation):
    plan = reconcile(*situation, CONFIG, NOW)
    for body in (creation.build() for series in plan.creations for creation in series):
        assert [owner["uid"] for owner in body["metadata"]["ownerReferences"]] == [UID]
        assert body["metadata"]["namespace"] == "n"


def api_object(kind, name, uid, version, owner, **more):
    meta = {"name": name, "namespace": "n", "uid": uid, "resourceVersion": str(version)}
    meta["ownerReferences"] = [{"uid": owner, "controller": True}]
    return kind, {"metadata": meta, **more}


@st.composite
def histories(draw):
    """Versions of Jobs, Services and Pods, some of another owner, in any order."""
    events, version = [], 0
    for number in range(draw(st.integers(1, 4))):
        owner = draw(st.sampled_from([UID, UID, "stranger"]))
        uid = f"job-{number}"
        for failed in range(draw(st.integers(1, 3))):
            version += 1
            events.append(api_object("jobs", uid, uid, version, owner, status={"failed": failed}))
            phase = draw(st.sampled_from(["Pending", "Running", "Failed", "Succeeded"]))
            pod = f"{uid}-pod"
            events.append(api_object("pods", pod, pod, version + 100, uid, status={"phase": phase}))
        events.append(api_object("services", uid, f"service-{number}", version, owner))
    return events, draw(st.permutations(events))


def children_after(events):
    cache = Cache(*[lambda *_: None] * 3)
    for kind, obj in events:
        getattr(cache, kind).upsert(obj)
    return cache.children(UID)


@quick
@given(histories())
def test_the_order_of_events_does_not_matter(history):
    in_order, shuffled = history
    assert children_after(shuffled) == children_after(in_order)


@quick
@given(histories())
def test_a_strangers_objects_are_no_children(history):
    events, _ = history
    strangers = {
        obj["metadata"]["name"]
        for kind, obj in events
        if kind != "pods" and obj["metadata"]["ownerReferences"][0]["uid"] != UID
    }
    children = children_after(events)
    assert not strangers & (set(children.jobs) | set(children.services))
