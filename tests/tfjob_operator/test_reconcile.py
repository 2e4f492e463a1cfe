"""The whole behaviour, one pass at a time; the faults that users met are named as such."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from kube_runtime import conditions
from kube_runtime.changes import Deletion, SpecPatch
from kube_runtime.times import FOREVER
from tests.tfjob_api.builders import parsed, replica, template
from tests.tfjob_operator.builders import CONFIG, NOW, ago, children, pod
from tfjob_api import reasons
from tfjob_operator import observed as views
from tfjob_operator import status
from tfjob_operator.observed import Children, Job
from tfjob_operator.plan import Plan
from tfjob_operator.reconcile import reconcile

DISTRIBUTED = (replica("MASTER"), replica("WORKER", 2), replica("PS"))
DONE = {"phase": "Done", "state": "Succeeded", "observedGeneration": 1, "completionTime": ago(300)}
SUCCEEDED = {"master_0": pod("Succeeded", 0)}


def plan_for(job, observed=None, now=NOW):
    return reconcile(job, observed if observed is not None else children(job), CONFIG, now)


def made(plan):
    return [(creation.kind, creation.name) for series in plan.creations for creation in series]


def deleted(plan):
    return [(each.kind, each.name) for each in plan.deletions]


def settled(job, observed=None):
    """The job as it is when nothing is left to write."""
    plan = plan_for(job, observed)
    return job.with_status(plan.status) if plan.status else job


def started(job):
    """A new job after its first pass, which writes a status and changes nothing else."""
    plan = plan_for(job, Children())
    assert plan == Plan(status=plan.status, requeue_after_seconds=0.0)
    return job.with_status(plan.status)


# ------------------------------------------------------------------ children


def test_a_new_job_gets_a_service_and_a_job_per_replica_the_service_first():
    job = started(parsed(*DISTRIBUTED))
    assert conditions.find(job.status, "Created")["reason"] == "Creating"
    assert (job.status["phase"], job.status["startTime"]) == ("Creating", ago(0))
    assert made(plan_for(job, Children())) == [
        (kind, f"mnist-{who}-76no-{index}")
        for who, index in (("master", 0), ("worker", 0), ("worker", 1), ("ps", 0))
        for kind in ("Service", "Job")
    ]


def test_only_what_is_missing_is_made():
    job = parsed(*DISTRIBUTED)
    there = children(job)
    jobs = {k: v for k, v in there.jobs.items() if k != "mnist-worker-76no-1"}
    assert made(plan_for(job, replace(there, jobs=jobs))) == [("Job", "mnist-worker-76no-1")]


def test_the_default_ps_come_after_their_config_map():
    job = parsed(replica("MASTER"), {"tfReplicaType": "PS", "replicas": 2})
    job = started(job)
    plan = plan_for(job, Children())
    assert [kind for kind, _ in made(plan)][2:] == ["ConfigMap", "Service", "Service"]
    assert [each.alternative.name for series in plan.creations for each in series
            if each.alternative] == ["cm-ps-mnist-76no"]  # fmt: skip
    long = {"cm-ps-mnist-76no": "uid"}
    plan = plan_for(job, replace(Children(), config_maps=long))
    (creation,) = plan.creations[-1][1:]
    volumes = creation.build()["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["configMap"] == {"name": "cm-ps-mnist-76no"}


def test_a_config_map_that_somebody_deleted_is_made_again():
    job = parsed(replica("MASTER"), {"tfReplicaType": "PS"})
    there = replace(children(job), config_maps={})
    assert made(plan_for(job, there)) == [("ConfigMap", "cm-ps-76no")]


def test_tensorboard_comes_with_the_job_and_stays_after_it():
    job = started(parsed(tensorboard={"logDir": "/logs"}))
    assert ("Deployment", "mnist-tensorboard-76no") in made(plan_for(job, Children()))
    there = replace(children(job), deployments={"mnist-tensorboard-76no": "board"})
    there = replace(there, services={**there.services, "mnist-tensorboard-76no": "s"})
    gone = deleted(plan_for(job.with_status(DONE), there))
    assert gone == [(kind, "mnist-master-76no-0") for kind in ("Job", "Service")]


@pytest.mark.parametrize("gone", [["Deployment"], ["Service"], ["Deployment", "Service"], []])
def test_what_somebody_deleted_of_tensorboard_is_made_again(gone):
    job, name = parsed(tensorboard={"logDir": "/logs"}), "mnist-tensorboard-76no"
    there = children(job)
    if "Deployment" not in gone:
        there = replace(there, deployments={name: "board-uid"})
    if "Service" not in gone:
        there = replace(there, services={**there.services, name: "service-uid"})
    assert made(plan_for(job, there)) == [(kind, name) for kind in gone]


def test_a_service_that_somebody_deleted_is_made_again():
    job = parsed()
    assert made(plan_for(job, replace(children(job), services={}))) == [
        ("Service", "mnist-master-76no-0")
    ]


def test_a_worker_more_or_less_where_the_number_may_change():
    job = parsed(replica("MASTER"), replica("WORKER", 3), enableDynamicWorker=True)
    fewer = parsed(replica("MASTER"), replica("WORKER", 1), enableDynamicWorker=True)
    assert made(plan_for(job, children(fewer)))[-1] == ("Job", "mnist-worker-76no-2")
    assert deleted(plan_for(fewer, children(job))) == [
        (kind, f"mnist-worker-76no-{index}") for kind in ("Job", "Service") for index in (1, 2)
    ]


@pytest.mark.parametrize(("now", "before"), [("Indexed", "PerReplica"), ("PerReplica", "Indexed")])
def test_workers_of_another_layout_go(now, before):
    def with_layout(layout):
        workers = replica("WORKER", 2, layout=layout)
        return parsed(replica("MASTER"), workers, enableDynamicWorker=True)

    stray = with_layout(before)
    names = {
        stray.job_name(each, index) for each, index in stray.each_replica if each.type == "WORKER"
    }
    there = children(parsed())
    found = {name: Job(name, f"uid-{name}", completed=frozenset()) for name in names}
    plan = plan_for(with_layout(now), replace(there, jobs={**there.jobs, **found}))
    assert set(deleted(plan)) == {("Job", name) for name in names}
    assert all(deletion.foreground for deletion in plan.deletions)


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(parsed(metadata={"deletionTimestamp": ago(1)}), id="that is being deleted"),
        pytest.param(
            parsed(runPolicy={"managedBy": "kueue.x-k8s.io/multikueue"}), id="that another manages"
        ),
    ],
)
def test_nothing_is_done_to_a_job(job):
    assert plan_for(job, Children()) == plan_for(job.with_status(DONE), Children())
    assert made(plan_for(job, Children())) == []
    assert plan_for(job, Children()).status is None


# ------------------------------------------------------------------ the end


def test_the_chiefs_success_is_the_jobs_though_others_run():
    job = parsed(*DISTRIBUTED)
    plan = plan_for(job, children(job, SUCCEEDED))
    assert plan.status["state"] == "Succeeded"
    assert deleted(plan) == []  # the status first: a crash after it re-creates nothing


def test_after_the_end_what_still_runs_goes_and_then_it_is_done():
    job = parsed(*DISTRIBUTED)
    observed = children(job, SUCCEEDED)
    ended = settled(job, observed)
    assert ended.status["phase"] == "CleanUp"
    later = NOW + timedelta(seconds=5)
    plan = plan_for(ended, observed, later)
    gone = [name.split("-")[1] for kind, name in deleted(plan) if kind == "Job"]
    assert gone == ["worker", "worker", "ps"]
    assert {name for kind, name in deleted(plan) if kind == "Service"} == set(observed.services)
    jobs = {"mnist-master-76no-0": observed.jobs["mnist-master-76no-0"]}
    assert plan_for(ended, replace(observed, jobs=jobs), later).status["phase"] == "Done"


def test_those_that_end_right_after_the_chief_are_given_the_time_and_keep_their_logs():
    job = parsed(*DISTRIBUTED)
    ended = settled(job, children(job, SUCCEEDED))
    plan = plan_for(ended, children(job, SUCCEEDED), NOW + timedelta(seconds=1))
    assert (deleted(plan), plan.status, plan.requeue_after_seconds) == ([], None, 4)
    good = SUCCEEDED | dict.fromkeys(["worker_0", "worker_1", "ps_0"], pod("Succeeded", 0))
    plan = plan_for(ended, children(job, good), NOW + timedelta(seconds=1))
    assert (deleted(plan), plan.status) == ([], None)
    late = plan_for(ended, children(job, good), NOW + timedelta(seconds=5))
    assert {kind for kind, _ in deleted(late)} == {"Service"}
    assert late.status["phase"] == "Done"


def ended_long_ago(**spec):
    """(a job whose replicas have all succeeded, with nothing left to write; its children)"""
    job = parsed(*DISTRIBUTED, **spec)
    who = ("master_0", "worker_0", "worker_1", "ps_0")
    observed = children(job, dict.fromkeys(who, pod("Succeeded", 0)))
    ended = settled(job, observed).with_status(DONE | {"completionTime": ago(60)})
    return settled(ended, observed), observed


def test_a_service_that_is_left_over_goes_later():
    done, observed = ended_long_ago()
    plan = plan_for(done, observed)
    assert sorted(deleted(plan)) == [("Service", name) for name in sorted(observed.services)]
    assert plan_for(done, replace(observed, services={})) == Plan()


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        pytest.param({"ttlSecondsAfterFinished": 90}, 30, id="the TTL"),
        pytest.param({"cleanPodPolicy": "None"}, FOREVER, id="nothing"),
    ],
)
def test_what_a_finished_job_waits_for(policy, seconds):
    done, observed = ended_long_ago(runPolicy=policy)
    assert plan_for(done, observed).requeue_after_seconds == seconds


def test_all_workers_decide_where_the_success_policy_says_so():
    job = parsed(*DISTRIBUTED, successPolicy="AllWorkers")
    one = SUCCEEDED | {"worker_0": pod("Succeeded", 0)}
    assert not job.with_status(plan_for(job, children(job, one)).status).is_finished
    both = one | {"worker_1": pod("Succeeded", 0)}
    assert plan_for(job, children(job, both)).status["state"] == "Succeeded"


@pytest.mark.parametrize("who", ["master_0", "worker_1", "ps_0"])
def test_fault_5_a_replica_that_failed_for_good_fails_the_job(who):
    job = parsed(*DISTRIBUTED)
    plan = plan_for(job, children(job, {who: pod("Failed", 1)}))
    assert plan.status["state"] == "Failed"
    assert who.split("_")[0].upper() in plan.status["reason"]


def test_fault_5_so_does_a_job_that_hit_its_backoff_limit():
    job = parsed(*DISTRIBUTED)
    observed = children(
        job, {"worker_0": None}, worker_0={"failure": "BackoffLimitExceeded", "failed": 7}
    )
    assert "BackoffLimitExceeded" in plan_for(job, observed).status["reason"]


def test_the_budget_of_retries_is_one_for_all():
    job = parsed(*DISTRIBUTED, runPolicy={"backoffLimit": 1})
    observed = children(job, worker_0={"failed": 1}, worker_1={"failed": 1})
    assert plan_for(job, observed).status["reason"].startswith("BackoffLimitExceeded")


def test_fault_6_a_restarted_chief_is_judged_by_its_newest_pod():
    job = parsed()
    pods = [pod("Failed", 1, created=ago(90)), pod("Running", created=ago(10))]
    assert plan_for(job, children(job, {"master_0": pods})).status["state"] == "Running"


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param(DONE, id="that is done"),
        pytest.param({**DONE, "phase": "Failed", "state": "Failed"}, id="that failed"),
        pytest.param({**DONE, "phase": "CleanUp"}, id="that is cleaning up"),
    ],
)
def test_faults_1_and_11_nothing_is_ever_made_for_a_job(ended):
    job = parsed(*DISTRIBUTED, status=ended)
    for observed in (Children(), children(job), children(job, {"master_0": None})):
        plan = plan_for(job, observed)
        assert made(plan) == []
        assert (plan.status or ended)["state"] == ended["state"]


def test_fault_1_a_finished_job_that_is_clean_needs_nothing():
    job = parsed(*DISTRIBUTED, status=DONE)
    plan = plan_for(job, Children())
    assert (plan.status, plan.deletions, plan.creations) == (None, (), ())


def test_fault_11_a_collected_pod_does_not_run_again():
    job = parsed(*DISTRIBUTED)
    observed = children(job, {"worker_0": None}, worker_0={"succeeded": True})
    plan = plan_for(job, observed)
    assert made(plan) == []
    assert plan.status["replicaStatuses"][1]["ReplicasStates"] == {"Running": 1, "Succeeded": 1}


# ------------------------------------------------------------------ what makes no sense


def test_fault_8_an_invalid_spec_fails_in_phase_and_state_at_once():
    job = parsed(replica("WORKER"))
    plan = plan_for(job, Children())
    assert (plan.status["phase"], plan.status["state"]) == ("Failed", "Failed")
    assert made(plan) == []
    assert plan_for(job.with_status(plan.status), Children()).status is None


def test_a_spec_made_good_is_tried_again():
    bad = settled(parsed(replica("WORKER")), Children())
    good = parsed(status=bad.status, metadata={"generation": 2})
    plan = plan_for(good, Children())
    assert (plan.status["phase"], plan.status["observedGeneration"]) == ("Creating", 2)
    assert plan.requeue_after_seconds == 0
    assert made(plan_for(good.with_status(plan.status), Children()))


def test_a_spec_made_good_begins_without_what_was_made_of_the_bad_one():
    failed = status.failed(parsed(*DISTRIBUTED), "InvalidTemplate", "imagee", NOW)
    good = parsed(*DISTRIBUTED, status=failed, metadata={"generation": 2})
    for old in (pod("Failed", 1), pod("Succeeded", 0), pod()):
        there = replace(children(good, {"master_0": old}), deployments={"board": "uid"})
        going = {name: replace(child, deleting=True) for name, child in there.jobs.items()}
        plan = plan_for(good, there)
        assert {kind for kind, _ in deleted(plan)} == {"Job", "Service", "Deployment"}
        assert len(deleted(plan)) == 9
        assert (made(plan), plan.status["state"]) == ([], "Unknown")
        assert all(each.foreground for each in plan.deletions if each.kind == "Job")
        again = plan_for(good.with_status(plan.status), replace(there, jobs=going))
        assert [kind for kind, _ in made(again) if kind == "Job"] == []
        assert not good.with_status(again.status or {}).is_finished


def test_a_failure_of_another_kind_is_final_whatever_the_spec_becomes():
    job = parsed(*DISTRIBUTED)
    failed = settled(job, children(job, {"worker_0": pod("Failed", 1)}))
    again = structs.replace(failed, generation=2)
    assert made(plan_for(again, Children())) == []


def test_the_gang_becomes_smaller_when_a_replica_has_ended():
    config = structs.replace(CONFIG, gang_scheduling="kubernetes")
    job = settled(parsed(*DISTRIBUTED))
    group = {"pod_groups": {"mnist-76no": "group"}, "gang_sizes": {"mnist-76no": 4}}
    there = replace(children(job), **group)
    assert reconcile(job, there, config, NOW).patches == ()
    ended = replace(children(job, {"worker_0": pod("Succeeded", 0)}), **group)
    plan = reconcile(job, ended, config, NOW)
    smaller = {"schedulingPolicy": {"gang": {"minCount": 3}}}
    assert plan.patches == (SpecPatch("PodGroup", "mnist-76no", "group", smaller),)
    after = job.with_status(plan.status)
    assert reconcile(after, ended, config, NOW).patches == plan.patches  # until it is so
    smaller = replace(ended, gang_sizes={"mnist-76no": 3})
    assert reconcile(after, smaller, config, NOW).patches == ()


def test_the_gang_follows_the_number_of_dynamic_workers():
    config = structs.replace(CONFIG, gang_scheduling="kubernetes")
    four, two = (
        parsed(replica("MASTER"), replica("WORKER", count), enableDynamicWorker=True)
        for count in (4, 2)
    )
    job = two.with_status(settled(four).status)
    plan = reconcile(job, replace(children(two), pod_groups={"mnist-76no": "group"}), config, NOW)
    smaller = {"schedulingPolicy": {"gang": {"minCount": 3}}}
    assert SpecPatch("PodGroup", "mnist-76no", "group", smaller) in plan.patches


# ------------------------------------------------------------------ the clock, and suspension


def test_fault_16_a_deadline_ends_the_job_whenever_it_is_looked_at():
    policy = {"activeDeadlineSeconds": 60}
    job = settled(parsed(runPolicy=policy))
    assert plan_for(job).requeue_after_seconds == 60
    late = plan_for(job, now=NOW + timedelta(seconds=60))
    assert late.status["reason"].startswith("DeadlineExceeded")


def test_fault_16_a_ttl_removes_the_tfjob_whenever_it_is_looked_at():
    job = parsed(runPolicy={"ttlSecondsAfterFinished": 330}, status=DONE)
    assert plan_for(job, Children()).requeue_after_seconds == 30
    late = plan_for(job, Children(), NOW + timedelta(seconds=30))
    assert deleted(late) == [("TfJob", "mnist")]


def test_a_suspended_job_makes_nothing_and_lets_go_of_what_runs():
    job = parsed(*DISTRIBUTED, runPolicy={"suspend": True})
    observed = children(job, {"worker_0": pod("Succeeded", 0)})
    result = plan_for(job, observed)
    assert conditions.find(result.status, "Suspended")["status"] == "True"
    # Who decided by an old object is refused the status, and no deletion has happened by then.
    assert deleted(result) == []
    plan = plan_for(job.with_status(result.status), observed)
    jobs = [name.split("-")[1] for kind, name in deleted(plan) if kind == "Job"]
    assert jobs == ["master", "worker", "ps"]
    assert made(plan) == []


def test_a_job_is_not_suspended_while_a_pod_of_a_deleted_job_still_runs():
    job = parsed(replica("MASTER"), runPolicy={"suspend": True})
    observed = Children(leftovers={"mnist-master-76no-0": pod(deleting=True)})
    assert conditions.find(plan_for(job, observed).status, "Suspended")["reason"] == "Suspending"


def test_a_pod_that_lost_its_owner_is_deleted_and_nothing_starts_beside_it():
    orphan, job = pod(has_owner=False), parsed(replica("MASTER"))
    observed = replace(children(job), jobs={}, leftovers={"mnist-master-76no-0": orphan})
    started = job.with_status(settled(job).status)
    suspended = parsed(replica("MASTER"), runPolicy={"suspend": True})
    stopping = suspended.with_status(status.suspended(suspended, False, NOW))
    for each in (started, stopping):
        plan = plan_for(each, observed)
        assert (made(plan), deleted(plan)) == ([], [("Pod", "p")])
    going = replace(observed, leftovers={"mnist-master-76no-0": replace(orphan, deleting=True)})
    assert (made(plan_for(started, going)), deleted(plan_for(started, going))) == ([], [])


def test_a_pod_of_a_deleted_indexed_job_that_is_stuck_is_named_by_its_own_index():
    job = parsed(replica("MASTER"), replica("WORKER", 30))
    stuck = pod(deleting=True, deleted_at=ago(100), index=7)
    there = children(parsed(replica("MASTER")))
    observed = replace(there, leftovers={"mnist-worker-76no": stuck})
    waiting = conditions.find(settled(settled(job, Children()), observed).status, "Waiting")
    assert waiting["message"].startswith("WORKER 7: Pod p should have ended")


@pytest.mark.parametrize(
    "workers", [replica("WORKER", 2), replica("WORKER", 2, layout="Indexed")], ids=["own", "shared"]
)
@pytest.mark.parametrize("done", [False, True], ids=["at work", "done"])
def test_a_job_that_somebody_suspended_is_named_unless_its_replicas_are_done(workers, done):
    job = parsed(replica("MASTER"), workers)
    name = job.job_name(workers_of(job), 0)
    there = children(parsed(replica("MASTER")))
    suspended = Job(
        name, "w", suspended=True, completed=frozenset() if "layout" in workers else None
    )
    there = replace(there, jobs={**there.jobs, name: suspended})
    if done:
        job = job.with_status({**settled(job).status, "completedIndexes": {"WORKER": "0-1"}})
    waiting = conditions.find(settled(settled(job, Children()), there).status, "Waiting")
    if done:
        assert waiting.get("status") != "True"
    else:
        assert (waiting["status"], waiting["reason"]) == ("True", "JobSuspended")
        assert waiting["message"] == f"WORKER 0: somebody has set spec.suspend of Job {name}"


@pytest.mark.parametrize(
    "there",
    [
        pytest.param({"worker_0": pod("Failed", 0)}, id="its side-car failed, so we suspended it"),
        pytest.param({"worker_0": pod("Running", deleting=True)}, id="its Pod still stops"),
    ],
)
def test_a_suspended_job_that_has_a_pod_is_not_called_held_up(there):
    job = settled(parsed(replica("MASTER"), replica("WORKER", 2)), Children())
    observed = children(job, there, worker_0={"suspended": True})
    assert conditions.find(settled(job, observed).status, "Waiting").get("status") != "True"


def test_a_suspended_tfjob_says_nothing_of_jobs_that_somebody_suspended():
    job = parsed(*DISTRIBUTED, runPolicy={"suspend": True})
    stopping = job.with_status(status.suspended(job, is_empty=False, now=NOW))
    there = children(job, {"worker_0": None}, worker_0={"suspended": True})
    waiting = conditions.find(settled(stopping, there).status, "Waiting")
    assert waiting.get("status") != "True"


def workers_of(job):
    return next(each for each in job.replica_specs if each.type == "WORKER")


def test_a_child_that_somebody_changed_is_named_with_what_to_do():
    job = parsed(replica("MASTER"))
    changed = "Service mnist-master-76no-0: kubectl-edit changed spec.selector"
    there = replace(children(job), altered=(changed,))
    named = settled(settled(job, Children()), there)
    altered = conditions.find(named.status, "Altered")
    assert (altered["status"], altered["reason"]) == ("True", "ChangedByOthers")
    assert altered["message"].startswith(f"{changed}; if that is a mistake, delete it")
    right = settled(named, children(job))
    assert conditions.find(right.status, "Altered")["status"] == "False"
    ended = settled(named, replace(children(job, SUCCEEDED), altered=(changed,)))
    assert conditions.find(ended.status, "Altered")["status"] == "False"


def test_a_tensorboard_that_was_taken_from_a_suspended_jobs_spec_answers_no_more():
    board = "mnist-tensorboard-76no"
    job = settled(parsed(*DISTRIBUTED, tensorboard={"logDir": "/logs"}), Children())
    there = replace(children(job), deployments={board: "d"})
    there = replace(there, services={**there.services, board: "s"})
    with_board = settled(job, there)
    assert conditions.find(with_board.status, "TensorBoardReady")["status"] == "True"
    without = parsed(*DISTRIBUTED, status=with_board.status)
    condition = conditions.find(settled(without).status, "TensorBoardReady")
    assert (condition["status"], condition["reason"]) == ("False", "Unavailable")
    never = settled(settled(parsed(*DISTRIBUTED), Children()))
    assert conditions.find(never.status, "TensorBoardReady") == {}


def test_all_that_a_changed_spec_would_make_otherwise_goes_before_a_suspended_job_is_resumed():
    job = parsed(*DISTRIBUTED, tensorboard={"logDir": "/new"})
    paused = job.with_status(status.suspended(job, is_empty=True, now=NOW))
    board = "mnist-tensorboard-76no"
    there = Children(
        services={"mnist-76no": "a", "mnist-worker-76no-0": "b", board: "service"},
        config_maps={"mnist-cluster-76no": "c", "cm-ps-76no": "d"},
        pod_groups={"mnist-76no": "e"},
        deployments={board: "deployment"},
    )
    plan = plan_for(paused, there)
    assert plan.status is None
    assert deleted(plan) == [
        *(("Service", "mnist-76no"), ("Service", "mnist-worker-76no-0")),
        *(("ConfigMap", "mnist-cluster-76no"), ("ConfigMap", "cm-ps-76no")),
        ("PodGroup", "mnist-76no"),
    ]
    alone = Children(services={board: "service"}, deployments=there.deployments)
    resumed = plan_for(paused, alone)
    assert conditions.find(resumed.status, "Suspended")["reason"] == "Resumed"
    assert deleted(resumed) == []
    deployment, service = resumed.patches
    assert "/new" in deployment.spec["template"]["spec"]["containers"][0]["command"]
    assert (service.kind, service.uid) == ("Service", "service")


def test_a_tensorboard_that_the_spec_has_no_more_goes_when_a_job_is_resumed():
    job = parsed(*DISTRIBUTED)
    paused = job.with_status(status.suspended(job, is_empty=True, now=NOW))
    board = "mnist-tensorboard-76no"
    there = Children(services={board: "a"}, deployments={board: "b"})
    assert deleted(plan_for(paused, there)) == [("Service", board), ("Deployment", board)]


def test_what_is_made_from_the_spec_stays_until_the_pods_have_ended():
    """They save when they are asked to end, and the others' names have to lead to them."""
    job = parsed(*DISTRIBUTED, runPolicy={"suspend": True})
    stopping = job.with_status(status.suspended(job, is_empty=False, now=NOW))
    plan = plan_for(stopping, children(job))
    assert {kind for kind, _ in deleted(plan)} == {"Job"}


def test_an_indexed_job_that_was_suspended_begins_with_none_done():
    workers = replica("WORKER", 4, layout="Indexed")
    job = parsed(replica("MASTER"), workers, status={"completedIndexes": {"WORKER": "0-1"}})
    paused = status.suspended(job, is_empty=True, now=NOW)
    assert job.with_status(paused).unfinished == 5


def test_a_resumed_job_gets_its_children_again():
    paused = settled(parsed(*DISTRIBUTED, runPolicy={"suspend": True}), Children())
    job = parsed(*DISTRIBUTED, status=paused.status)
    result = plan_for(job, Children())
    assert conditions.find(result.status, "Suspended")["reason"] == "Resumed"
    assert (made(result), result.requeue_after_seconds) == ([], 0)
    resumed = started(job.with_status(result.status))
    assert len(made(plan_for(resumed, Children()))) == 8


@pytest.mark.parametrize("suspend", [True, False])
def test_what_fails_while_the_others_are_let_go_does_not_fail_a_suspended_job(suspend):
    paused = settled(parsed(*DISTRIBUTED, runPolicy={"suspend": True}), Children())
    job = parsed(*DISTRIBUTED, runPolicy={"suspend": suspend}, status=paused.status)
    failed = {"worker_0": pod("Failed", 1), "worker_1": pod("Succeeded", 0)}
    plan = plan_for(job, children(job, failed, worker_0={"failure": "PodFailurePolicy"}))
    assert [name for kind, name in deleted(plan) if kind == "Job"] == [
        *("mnist-master-76no-0", "mnist-worker-76no-0", "mnist-ps-76no-0")
    ]
    assert (made(plan), plan.status) == ([], None)


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        pytest.param("Running", {"Failed": 1, "Unknown": 1}, id="they are deleted"),
        pytest.param("All", {"Failed": 1, "Unknown": 1}, id="all are deleted"),
        pytest.param("None", {"Failed": 1, "Running": 1}, id="they run on"),
    ],
)
def test_a_failed_job_counts_what_still_runs_after_its_clean_up(policy, states):
    job = parsed(*DISTRIBUTED, runPolicy={"cleanPodPolicy": policy})
    observed = children(job, {"worker_0": pod("Failed", 1)})
    failed = settled(job, observed)
    assert failed.status["replicas"] == "3/4"
    plan = plan_for(failed, observed, NOW + timedelta(seconds=5))
    after = (plan.status or failed.status)["replicaStatuses"][1]
    assert after == {"tf_replica_type": "WORKER", "state": "Failed", "ReplicasStates": states}


def test_what_would_try_again_after_the_end_is_suspended_and_keeps_its_log():
    job = parsed(*DISTRIBUTED)
    states = {"master_0": pod("Failed", 137, reason="OOMKilled"), "worker_0": pod("Failed", 134)}
    failed = settled(job, children(job, states))
    assert plan_for(failed, children(failed, states)).patches == ()
    late = NOW + timedelta(seconds=5)
    plan = plan_for(failed, children(failed, states), late)
    assert [each.name for each in plan.patches] == [*("mnist-master-76no-0", "mnist-worker-76no-0")]
    assert [name for kind, name in deleted(plan) if kind == "Job"] == [
        *("mnist-worker-76no-1", "mnist-ps-76no-0")
    ]
    held = {"suspended": True}
    rest = children(failed, states, master_0=held, worker_0=held)
    assert plan_for(failed, rest, late).patches == ()


def test_a_worker_that_ended_well_runs_again_with_always_but_the_chief_does_not():
    job = parsed(
        replica("MASTER", restartPolicy="Always"), replica("WORKER", restartPolicy="Always")
    )
    ended = {"succeeded": True, "completed_at": ago(20)}
    assert deleted(plan_for(job, children(job, worker_0=ended))) == [("Job", "mnist-worker-76no-0")]
    assert plan_for(job, children(job, master_0=ended)).status["state"] == "Succeeded"


FAILED_BESIDE = pod("Failed", 0)  # tensorflow exited with 0, and then a side-car failed


@pytest.mark.parametrize(
    ("found", "policy", "suspended"),
    [
        pytest.param(FAILED_BESIDE, "ExitCode", True, id="its side-car has failed"),
        pytest.param(pod(), "ExitCode", True, id="its next Pod runs"),
        pytest.param(None, "ExitCode", True, id="its next Pod is about to be created"),
        pytest.param(pod("Running", 0), "ExitCode", False, id="its side-car still runs"),
        pytest.param(pod("Succeeded", 0), "ExitCode", False, id="its Job is about to end"),
        pytest.param(pod(), "Always", False, id="it runs again by its policy"),
    ],
)
def test_a_job_is_suspended_if_it_would_run_a_replica_again_that_has_succeeded(
    found, policy, suspended
):
    job = parsed(replica("MASTER"), replica("WORKER", restartPolicy=policy))
    job = job.with_status(settled(job).status | {"completedIndexes": {"WORKER": "0"}})
    observed = children(job, {"worker_0": found}, worker_0={"failed": 6})
    plan = plan_for(job, observed)
    patches = [(each.name, each.spec) for each in plan.patches]
    assert patches == ([("mnist-worker-76no-0", {"suspend": True})] if suspended else [])
    held = children(job, {"worker_0": found}, worker_0={"failed": 6, "suspended": True})
    assert plan_for(job, held).patches == ()


def test_a_worker_that_was_removed_and_is_added_again_runs():
    three, one = (
        parsed(replica("MASTER"), replica("WORKER", count), enableDynamicWorker=True)
        for count in (3, 1)
    )
    done = children(three, {"worker_2": pod("Succeeded", 0)}, worker_2={"succeeded": True})
    after = settled(three, done)
    assert after.status["completedIndexes"] == {"WORKER": "2"}
    fewer = settled(one.with_status(after.status), children(one))
    plan = plan_for(three.with_status(fewer.status), children(one))
    assert ("Job", "mnist-worker-76no-2") in made(plan)
    assert plan.status["replicas"] == "2/4"


@pytest.mark.parametrize(
    "worker",
    [
        pytest.param({"failed": 7}, id="that still retries"),
        pytest.param({"failed": 7, "failure": "BackoffLimitExceeded"}, id="that has failed"),
    ],
)
def test_a_side_car_that_fails_does_not_use_up_the_budget_of_retries(worker):
    job = parsed(replica("MASTER"), replica("WORKER"))
    result = plan_for(job, children(job, {"worker_0": FAILED_BESIDE}, worker_0=worker)).status
    assert (result["state"], result["replicas"]) == ("Running", "2/2")
    assert "restarts" not in result


def test_failures_before_the_success_beside_a_side_car_stay_counted():
    job = parsed(replica("MASTER"), replica("WORKER", 2, restartPolicy="OnFailure"))
    failed = [pod("Failed", 1, created=ago(60 - i)) for i in range(5)]
    lost = pod("Failed", 0, created=ago(54), interrupted=True)
    beside = replace(FAILED_BESIDE, created=ago(50))
    failed.append(pod("Failed", 143, created=ago(55), disrupted=True, interrupted=True))
    later = pod("Failed", 1, created=ago(40))  # before we suspended the Job
    observed = children(job, {"worker_0": [*failed, lost, beside, later]}, worker_0={"failed": 8})
    assert plan_for(job, observed).status["failedPods"] == 6
    late = replace(observed.jobs[job.child_name("WORKER", 0)], failed=6)  # its status comes later
    late = replace(observed, jobs={**observed.jobs, late.name: late})
    assert plan_for(job, late).status["failedPods"] == 6
    pods = [beside, pod("Succeeded", 0, created=ago(40))]  # we could not suspend the Job in time
    again = children(job, {"worker_0": pods}, worker_0={"failed": 1, "succeeded": True})
    assert "failedPods" not in plan_for(job, again).status
    observed = children(
        job,
        {"worker_0": [*failed, beside], "worker_1": pod("Failed", 1)},
        worker_0={"failed": 6},
        worker_1={"failed": 2},
    )
    assert plan_for(job, observed).status["reason"].startswith("BackoffLimitExceeded")


@pytest.mark.parametrize("kind", ["MASTER", "WORKER"])
def test_what_was_interrupted_has_not_succeeded_though_its_job_has_failed(kind):
    """Its own deadline stopped it, and its program exits with 0."""
    job = parsed(replica("MASTER", restartPolicy="Never"), replica("WORKER", restartPolicy="Never"))
    name = f"{kind.lower()}_0"
    pods = {name: pod("Failed", 0, interrupted=True, reason="DeadlineExceeded")}
    failed = {name: {"failed": 1, "failure": "BackoffLimitExceeded"}}
    result = plan_for(job, children(job, pods, **failed)).status
    assert (result["phase"], result["state"]) == ("Failed", "Failed")
    assert "BackoffLimitExceeded" in result["reason"]


@pytest.mark.parametrize(("policy", "goes"), [("Running", True), ("All", True), ("None", False)])
def test_at_the_end_a_pod_that_lost_its_job_is_deleted_too(policy, goes):
    job = parsed(*DISTRIBUTED, runPolicy={"cleanPodPolicy": policy}, status=DONE)
    orphan = pod(has_owner=False)
    there = replace(children(job, SUCCEEDED), leftovers={"mnist-worker-76no-1": orphan})
    assert (("Pod", "p") in deleted(plan_for(job, there))) == goes


def test_a_failure_before_a_success_counts_before_and_after_the_job_is_complete():
    job = parsed(replica("MASTER"), replica("WORKER"))
    for state in ({}, {"succeeded": True}):
        ended = children(job, {"worker_0": pod("Succeeded", 0)}, worker_0={"failed": 1, **state})
        job = job.with_status(settled(job, ended).status)
        assert job.status["restarts"] == 1


# ------------------------------------------------------------------ what is said


def test_nothing_is_written_when_nothing_is_new():
    job = settled(parsed(*DISTRIBUTED))
    assert plan_for(job) == plan_for(job, now=NOW + timedelta(hours=1))
    assert plan_for(job).status is None


def test_a_pod_that_may_not_be_made_is_a_condition():
    job = parsed()
    observed = children(job, {"master_0": None})
    observed = replace(observed, warnings={"uid-master_0": (ago(1), "violates PodSecurity")})
    condition = conditions.find(plan_for(job, observed).status, "Created")
    assert (condition["status"], condition["reason"]) == ("False", "FailedCreate")
    assert condition["message"] == "violates PodSecurity"


@pytest.mark.parametrize("is_counted", [False, True])
def test_a_worker_that_succeeded_before_its_node_was_drained_is_not_run_again(is_counted):
    """The drain stopped only its side-car, which ended well."""
    drained = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": ago(31)}
    containers = [
        {"name": name, "state": {"terminated": {"exitCode": 0, "finishedAt": ended}}}
        for name, ended in (("tensorflow", ago(300)), ("shipper", ago(2)))
    ]
    obj = {
        "metadata": {"name": "p", "uid": "p", "deletionTimestamp": ago(1)},
        "status": {
            "phase": "Succeeded",
            "conditions": [drained],
            "containerStatuses": containers,
        },
    }
    job = parsed(replica("MASTER"), replica("WORKER"))
    found = views.pod(obj)
    there = children(job, {"worker_0": found}, worker_0={"succeeded": is_counted})
    plan = plan_for(settled(job), there)
    assert deleted(plan) == []
    assert plan.status["completedIndexes"] == {"WORKER": "0"}


@pytest.mark.parametrize(
    ("refused", "value"),
    [
        pytest.param(ago(1), "False", id="after the Pod failed"),
        pytest.param(ago(600), "True", id="before that Pod was there"),
    ],
)
def test_a_quota_that_refuses_the_next_pod_of_a_replica_that_failed_is_a_condition(refused, value):
    job = parsed(replica("MASTER"), replica("WORKER"))
    observed = children(job, {"worker_0": pod("Failed", 137)}, worker_0={"failed": 1})
    observed = replace(observed, warnings={"uid-worker_0": (refused, "exceeded quota")})
    assert conditions.find(settled(settled(job), observed).status, "Created")["status"] == value


def test_the_printed_reason_names_the_quota_whatever_condition_is_newer():
    job = parsed(replica("MASTER"), replica("WORKER", 2), tensorboard={"logDir": "/l"})
    board = "mnist-tensorboard-76no"
    there = children(job, {"master_0": pod("Pending"), "worker_0": None, "worker_1": None})
    there = replace(
        there,
        deployments={board: "d"},
        services={**there.services, board: "s"},
        warnings={"uid-worker_0": (ago(1), "exceeded quota")},
        unavailable={board: ("Unavailable", "not yet")},
    )
    refused = settled(job, there)
    runs = replace(there, unavailable={}, pods={**there.pods, "uid-master_0": (pod(),)})
    both = plan_for(refused, runs).status
    for shown in (refused.status, both):
        assert shown["conditions"][-1]["reason"] == "FailedCreate"
    assert conditions.holds(both, "Running")
    all_run = settled(job.with_status(both), replace(runs, pods=children(job).pods, warnings={}))
    assert all_run.status["conditions"][-1]["reason"] == "SuccessfulCreate"


def with_shared_job(*pods, **fields):
    """A job with an Indexed Job of three workers, and its children."""
    job = parsed(replica("MASTER"), replica("WORKER", 3, layout="Indexed"))
    job = job.with_status(settled(parsed()).status)
    shared = Job("mnist-worker-76no", "w", completions=3, completed=frozenset({0}), **fields)
    there = children(parsed())
    return job, replace(
        there,
        jobs={**there.jobs, shared.name: shared},
        services={**there.services, "mnist-76no": "s"},
        config_maps={"mnist-cluster-76no": "c"},
        pods={**there.pods, "w": tuple(pod(index=index) for index in pods)},
        warnings={"w": (ago(1), "exceeded quota")},
    )


def test_a_quota_that_refuses_some_pods_of_an_indexed_job_is_a_condition():
    created = conditions.find(plan_for(*with_shared_job(1)).status, "Created")
    assert (created["reason"], created["message"]) == ("FailedCreate", "exceeded quota")


@pytest.mark.parametrize(
    ("pods", "fields"),
    [
        pytest.param((1, 2), {}, id="all that have not succeeded have a Pod"),
        pytest.param((1,), {"suspended": True}, id="its Job is suspended"),
    ],
)
def test_a_refusal_of_an_hour_ago_is_no_condition(pods, fields):
    created = conditions.find(plan_for(*with_shared_job(*pods, **fields)).status, "Created")
    own = "Created a Service and a Job for each of 1 replicas"
    assert created["status"] == "True"
    assert created["message"] == f"{own}, and one Job for the 3 replicas of WORKER"


def test_a_refusal_of_a_pod_that_has_succeeded_since_is_no_condition():
    job = parsed(replica("MASTER"), replica("WORKER"))
    observed = children(job, {"worker_0": None}, worker_0={"succeeded": True})
    observed = replace(observed, warnings={"uid-worker_0": (ago(1), "exceeded quota")})
    assert conditions.find(plan_for(job, observed).status, "Created")["status"] == "True"


def test_an_event_tells_what_is_new_and_only_once():
    job = parsed(*DISTRIBUTED)
    running = plan_for(job).status
    assert [event["reason"] for _, event in reasons.new_events({}, running)] == ["SuccessfulCreate"]
    ended = plan_for(job, children(job, {"ps_0": pod("Failed", 2)})).status
    assert [event["reason"] for _, event in reasons.new_events(running, ended)] == ["ReplicaFailed"]
    assert [*reasons.new_events(ended, ended)] == []


def test_a_suspension_is_one_event():
    job = parsed(*DISTRIBUTED, runPolicy={"suspend": True})
    waits = {"Waiting": (True, "Unschedulable", "x"), "Restarting": (True, "Restarting", "y")}
    running = status.merge(settled(parsed(*DISTRIBUTED)).status, waits, NOW)
    stopping = plan_for(job.with_status(running), children(job)).status
    stopped = plan_for(job.with_status(stopping), Children()).status
    assert [*reasons.new_events(running, stopping)] == []
    found = [each["message"] for _, each in reasons.new_events(stopping, stopped)]
    assert found == ["spec.runPolicy.suspend is true"]


def test_fault_7_no_start_time_crashes_nothing():
    job = parsed(runPolicy={"activeDeadlineSeconds": 1}, status={"phase": "Running"})
    assert plan_for(job).status["startTime"] == ago(0)


def test_a_plan_never_holds_two_objects_of_one_name():
    job = parsed(replica("MASTER"), {"tfReplicaType": "PS", "replicas": 3}, replica("WORKER", 3))
    names = made(plan_for(job, Children()))
    assert len(names) == len(set(names))


def test_the_template_reaches_the_pod_with_all_that_the_user_said():
    pods = template(nodeSelector={"gpu": "yes"})
    plan = plan_for(started(parsed(replica("MASTER", template=pods))), Children())
    assert plan.creations[0][1].build()["spec"]["template"]["spec"]["nodeSelector"] == {
        "gpu": "yes"
    }


@pytest.mark.parametrize(
    "metadata",
    [pytest.param({"labels": ["a"]}, id="labels"), pytest.param("a", id="metadata")],
)
def test_a_template_that_cannot_be_read_ends_the_job_with_a_sentence(metadata):
    job = parsed(replica("MASTER", template={**template(), "metadata": metadata}))
    result = plan_for(job, Children()).status
    assert (result["phase"], result["state"]) == ("Failed", "Failed")
    assert result["reason"].startswith("InvalidTemplate: a template cannot be read")


UNREADABLE = {"metadata": {"labels": ["a"]}}


@pytest.mark.parametrize(
    ("workers", "reason"),
    [
        pytest.param(
            [replica("WORKER", 2, template=template() | UNREADABLE)],
            "InvalidTemplate: a template cannot be read",
            id="templates",
        ),
        pytest.param(
            [replica("WORKER", 1000), replica("PS", 999)],
            "InvalidSpec: spec.replicaSpecs: TF_CONFIG would have",
            id="size",
        ),
    ],
)
@pytest.mark.parametrize("is_resumed", [False, True], ids=["corrected", "resumed"])
def test_a_spec_that_took_anothers_place_is_checked_too(workers, reason, is_resumed):
    job = parsed(replica("MASTER"), *workers, name="training-of-the-month-november-2026-full")
    created = {"Created": (False, reasons.CREATING, "")}
    job = job.with_status(status.merge(job.status, created, NOW))
    if is_resumed:
        job = job.with_status(status.resumed(job, NOW))
    ended = replace(children(job), pods={})
    jobs = {name: child for name, child in ended.jobs.items() if "worker-76no-0" in name}
    for there in (Children(), replace(ended, jobs=jobs)):
        result = plan_for(job, there).status
        assert result["state"] == "Failed"
        assert result["reason"].startswith(reason)


ODD = {"name": "tensorflow", "resources": {"limits": 5}}


def test_templates_that_a_suspension_made_unreadable_end_a_job_whose_chief_is_done():
    workers = replica("WORKER", 2, template={"spec": {"containers": [ODD]}})
    job = parsed(replica("MASTER"), workers, successPolicy="AllWorkers")
    job = job.with_status({**status.resumed(job, NOW), "completedIndexes": {"MASTER": "0"}})
    there = children(job, {"master_0": pod("Succeeded", 0)}, master_0={"succeeded": True})
    chief = {job.child_name("MASTER", 0): there.jobs[job.child_name("MASTER", 0)]}
    result = plan_for(job, replace(there, jobs=chief)).status
    assert result["reason"].startswith("InvalidTemplate: a template cannot be read")
    with pytest.raises(AttributeError):  # all Jobs are there: the fault is not the user's
        plan_for(job, there)


def test_a_templates_metadata_may_be_empty():
    job = started(parsed(replica("MASTER", template={**template(), "metadata": None})))
    assert plan_for(job, Children()).creations


def test_as_many_failures_as_the_budget_has_do_not_end_the_job():
    job = parsed(*DISTRIBUTED, runPolicy={"backoffLimit": 2})
    observed = children(job, worker_0={"failed": 1}, worker_1={"failed": 1})
    assert plan_for(job, observed).status["state"] == "Running"


def test_at_the_end_an_indexed_job_is_suspended_and_its_running_pods_are_counted_no_more():
    big = replica("WORKER", 2, layout="Indexed")
    job = parsed(replica("MASTER"), big)
    shared = Job("mnist-worker-76no", "w", completions=2, completed=frozenset({0}))
    there = children(parsed(), SUCCEEDED)
    pods = {**there.pods, "w": (pod("Succeeded", 0, index=0), pod(index=1))}
    there = replace(there, jobs={**there.jobs, shared.name: shared}, pods=pods)
    ended = settled(job, there)
    assert ended.status["phase"] == "CleanUp"
    plan = plan_for(ended, there, NOW + timedelta(seconds=5))
    assert [each.name for each in plan.patches] == ["mnist-worker-76no"]
    assert ("Job", "mnist-worker-76no") not in deleted(plan)
    assert plan.status["replicas"] == "2/3"


def indexed_workers(count, **shared):
    """(a job with so many dynamic workers in an Indexed Job; its children)"""
    big = replica("WORKER", count, layout="Indexed")
    job = parsed(replica("MASTER"), big, enableDynamicWorker=True)
    there = children(parsed())
    found = Job("mnist-worker-76no", "w", **shared)
    return job, replace(there, jobs={**there.jobs, found.name: found})


def test_an_indexed_job_gets_the_number_of_workers_that_the_spec_says():
    plan = plan_for(*indexed_workers(2, completions=5, completed=frozenset()))
    (resize,) = plan.patches
    assert (resize.name, resize.spec["completions"]) == ("mnist-worker-76no", 2)
    assert deleted(plan) == []


ALL = {"completions": 3, "completed": frozenset({0, 1, 2}), "succeeded": True}


@pytest.mark.parametrize(
    ("count", "shared"),
    [
        pytest.param(0, {"completions": 3, "completed": frozenset()}, id="no worker is wanted"),
        pytest.param(5, ALL, id="all have ended, and two more are wanted"),
    ],
)
def test_an_indexed_job_that_no_patch_would_help_goes(count, shared):
    job, there = indexed_workers(count, **shared)
    plan = plan_for(job, there)
    assert Deletion("Job", "mnist-worker-76no", "w", foreground=True) in plan.deletions
    assert plan.patches == ()
    going = {**there.jobs, "mnist-worker-76no": Job("mnist-worker-76no", "w", True, **shared)}
    plan = plan_for(job, replace(there, jobs=going))
    assert (deleted(plan), plan.patches) == ([], ())
    assert ("Job", "mnist-worker-76no") not in made(plan)


@pytest.mark.parametrize("count", [2, 3])
def test_an_indexed_job_that_has_ended_stays_if_it_had_enough_workers(count):
    plan = plan_for(*indexed_workers(count, **ALL))
    assert (deleted(plan), plan.patches) == ([], ())


def test_workers_of_an_indexed_job_come_back_after_all_were_gone():
    job, there = indexed_workers(3)
    there = replace(there, jobs=children(parsed()).jobs)
    assert ("Job", "mnist-worker-76no") in made(plan_for(settled(job, there), there))
