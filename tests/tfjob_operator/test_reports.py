"""What a critical reading and users' reports found, each as the life of a job."""

import asyncio
import functools

import pytest
from msgspec import structs

from kube_runtime import conditions
from kube_runtime.kube import Response
from tests.fakes import operator_life
from tests.fakes.kubelet import Run, by_replica
from tests.fakes.objects import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    PODS,
    SERVICES,
    TFJOBS,
    condition,
    key,
)
from tests.fakes.operator_life import NAME, distributed, leftovers, put, replica, template
from tests.fakes.operator_process import CONFIG, OperatorProcess
from tests.fakes.refusals import forbidden

FOR_EVER = Run(exit_code=None)
BOARD = {"logDir": "/logs"}
ALL_RUN = by_replica(master=[FOR_EVER], worker=[FOR_EVER], ps=[FOR_EVER])


def in_world(story, script=ALL_RUN, **stops):
    """As for any life, but replicas run until somebody ends them."""
    return operator_life.in_world(story, script, **stops)


def single(name=NAME, **spec):
    return distributed(name, **{"replicaSpecs": [replica("MASTER")], "tensorboard": None, **spec})


def edit(world, **fields):
    """A user changes fields of the job's spec."""
    obj = world.job()
    obj["spec"] |= fields
    world.cluster.store.update(TFJOBS, obj)


def claim(world, kind, name=NAME):
    found = world.job(name).get("status", {}).get("conditions", [])
    return next((c for c in found if c["type"] == kind), {})


def refuses(*words):
    """An API server that refuses to create what a path ends in; counts the refusals."""
    times = []

    async def fault(number, request, go_on):
        if request.method == "POST" and request.path.endswith(words):
            times.append(asyncio.get_running_loop().time())
            why = "exceeded quota: small, requested: count=1, used: count=0, limited: count=0"
            return Response(403, forbidden(DEPLOYMENTS, "x", why).status)
        return await go_on(request)

    return fault, times


# ------------------------------------------------------------------ never two of one replica


def most_pods_of_one_replica(world):
    """The most Pods that one replica ever had at a time, ended ones left out."""
    most, there = 0, {}
    for change in world.cluster.store.log:
        if change.resource is PODS:
            labels = change.obj["metadata"]["labels"]
            who = labels["job_type"], labels["task_index"]
            present = there.setdefault(who, set())
            ended = change.obj["status"]["phase"] in ("Succeeded", "Failed")
            gone = change.kind == "DELETED" or ended
            (present.discard if gone else present.add)(change.obj["metadata"]["uid"])
            most = max(most, len(present))
    return most


async def suspends_and_resumes(world):
    for suspend in (True, False):
        edit(world, runPolicy={"suspend": suspend})
        await asyncio.sleep(4)


async def suspends(world):
    edit(world, runPolicy={"suspend": True})
    await world.until(lambda: claim(world, "Suspended").get("reason") == "Suspended")


async def deletes_the_job(world):
    world.cluster.store.delete(JOBS, "default", "mnist-master-76no-0", propagation="Background")


async def deletes_the_job_without_its_pods(world):
    world.cluster.store.delete(JOBS, "default", "mnist-master-76no-0", propagation="Orphan")


@pytest.mark.parametrize(
    "user", [suspends_and_resumes, deletes_the_job, deletes_the_job_without_its_pods]
)
@pytest.mark.parametrize("restarted", [False, True])
def test_no_pod_starts_before_its_predecessor_is_gone(user, restarted):
    async def story(world):
        operator = await world.start_operator()
        put(world, single())
        await asyncio.sleep(20)
        await user(world)
        if restarted:
            await operator.kill()
            await world.start_operator()
        await asyncio.sleep(60)
        assert most_pods_of_one_replica(world) == 1
        running = [p for p in world.cluster.store.peek(PODS) if p["status"]["phase"] == "Running"]
        assert len(running) == 1
        assert world.job()["status"]["state"] == "Running"

    in_world(story, stop_seconds=12)


def test_a_job_whose_node_does_not_answer_says_so_while_it_is_suspended_and_resumed():
    async def story(world):
        await world.start_operator()
        put(world, single())
        await asyncio.sleep(20)
        world.cluster.kubelet.stopped = True
        await suspends_and_resumes(world)
        await asyncio.sleep(200)
        waiting = claim(world, "Waiting")
        assert (waiting["status"], waiting["reason"]) == ("True", "Terminating")
        assert "on node fake-node" in waiting["message"]
        assert claim(world, "Suspended")["reason"] == "Suspending"
        (last,) = world.cluster.store.all(PODS)  # an administrator deletes it with the node
        world.cluster.store.remove(PODS, *key(last))
        world.cluster.kubelet.stopped = False
        await asyncio.sleep(60)
        assert world.job()["status"]["state"] == "Running"
        assert claim(world, "Waiting")["status"] == "False"

    in_world(story)


def test_a_replica_that_has_succeeded_is_not_run_again_when_its_job_is_cleaned_up():
    async def story(world):
        await world.start_operator()
        put(world, distributed())
        await asyncio.sleep(30)
        world.cluster.store.delete(JOBS, "default", "mnist-worker-76no-0")
        await asyncio.sleep(60)
        assert world.cluster.store.find(JOBS, "default", "mnist-worker-76no-0") is None
        workers = world.job()["status"]["replicaStatuses"][1]["ReplicasStates"]
        assert workers == {"Running": 1, "Succeeded": 1}

    in_world(story, by_replica(master=[FOR_EVER], worker_0=[Run(5)], worker_1=[FOR_EVER]))


# ------------------------------------------------------------------ the status


def test_the_first_status_of_many_jobs_at_once_is_there_within_a_second():
    async def story(world):
        await world.start_operator()
        await asyncio.sleep(5)
        for number in range(200):
            put(world, single(f"job-{number}", RuntimeId=None))
        await asyncio.sleep(1)
        first = [world.job(f"job-{number}").get("status", {}) for number in range(200)]
        assert {status.get("phase") for status in first} == {"Creating"}
        await asyncio.sleep(5)
        for number in range(200):
            assert claim(world, "Running", f"job-{number}")["status"] == "True"

    in_world(story)


@functools.cache
def slow_jobs(count):
    """Starts an operator, and so many jobs at once, at an API server that takes 0.1 s. Returns:
    ([(time, request)] of writes, the jobs) when all have run for a while; tests only read them."""

    async def story(world):
        calls, loop = [], asyncio.get_running_loop()

        async def slowly(number, request, go_on):
            await asyncio.sleep(0.1 if request.method != "GET" else 0)
            response = await go_on(request)
            if request.method != "GET":
                calls.append((loop.time(), request))
            return response

        await world.start_operator(fault=slowly)
        await asyncio.sleep(5)
        for number in range(count):
            put(world, single(f"job-{number}", RuntimeId=None))
            await asyncio.sleep(0.01)
        await asyncio.sleep(60)
        return calls, [world.job(f"job-{number}") for number in range(count)]

    return in_world(story, by_replica(master=[FOR_EVER]))


def is_status(request):
    return request.path.endswith("/status")


def test_in_a_burst_of_new_jobs_first_statuses_come_before_creations():
    calls, jobs = slow_jobs(300)
    seen, first = set(), []
    for time, request in calls:
        if is_status(request) and request.path not in seen:
            seen.add(request.path)
            first.append(time)
    created = [time for time, request in calls if request.method == "POST" and time < first[-1]]
    # One worker creates all the same, a Service or a Job each 0.1 s; before the second first status
    # it was no burst.
    assert 0 < len(created) <= (first[-1] - first[0]) / 0.1 + 8
    assert len(first) == len(jobs)


def test_children_are_created_and_ends_are_written_while_new_jobs_never_stop_coming():
    """More of them than can be written, for a minute."""
    calls = []

    async def slow(number, request, go_on):
        calls.append((asyncio.get_running_loop().time(), request))
        await asyncio.sleep(0.5 if is_status(request) else 0.01)
        return await go_on(request)

    async def story(world):
        await world.start_operator(fault=slow)
        put(world, single("before"))
        await asyncio.sleep(5)
        for number in range(60 * 50):
            put(world, single(f"j{number}"))
            await asyncio.sleep(0.02)
            if number == 500:
                put_end(world, "before")
        assert sum(1 for each in world.cluster.store.peek(TFJOBS) if not each.get("status")) > 500
        assert claim(world, "Succeeded", "before")["status"] == "True"
        created = [time for time, request in calls if request.method == "POST" and time > 30]
        assert len(created) > 10

    in_world(story)


def put_end(world, name):
    """The chief's Pod of a job ends with 0."""
    pods = [p for p in world.cluster.store.peek(PODS)
            if p["metadata"]["labels"]["tf_job_name"] == name]  # fmt: skip
    (pod,) = pods
    state = {"terminated": {"exitCode": 0, "finishedAt": "2026-01-01T00:00:15Z"}}
    ended = {"phase": "Succeeded", "containerStatuses": [{"name": "tensorflow", "state": state}]}
    world.cluster.store.update(PODS, {**pod, "status": ended}, subresource="status")


def test_that_a_chief_runs_is_told_soon_though_others_wait_for_their_children():
    calls, jobs = slow_jobs(300)
    running = {}
    for time, request in calls:
        if is_status(request) and request.body["status"].get("state") == "Running":
            running.setdefault(request.path, time)
    made = {
        request.body["metadata"]["labels"]["tf_job_name"]: time
        for time, request in calls
        if request.method == "POST" and request.path.endswith("/jobs")
    }
    lags = [time - made[path.split("/")[-2]] for path, time in running.items()]
    assert len(lags) == len(jobs)
    # The fake Pod starts within a second after its Job; then two seconds of debouncing, and writes.
    assert max(lags) <= 5


def test_a_change_that_nobody_waits_for_is_written_with_the_next_under_load():
    calls, jobs = slow_jobs(300)
    writes = sum(is_status(request) for _, request in calls)
    assert all(conditions.holds(job["status"], "Created") for job in jobs)
    assert writes < 3 * len(jobs)  # the first status, Running, and few of Created alone


@pytest.mark.parametrize(
    ("answer_seconds", "at_least", "at_most"),
    [
        pytest.param(0.0, 0, 2, id="soon, while the API server is quick"),
        pytest.param(0.05, 25, 40, id="little by little, while it is slow"),
    ],
)
def test_many_jobs_that_end_together_are_cleaned_up_while_others_go_on(
    answer_seconds, at_least, at_most
):
    count, end = 60, Run(10)
    pair = [replica("MASTER"), replica("PS")]

    async def slow(number, request, go_on):
        await asyncio.sleep(answer_seconds)
        return await go_on(request)

    async def story(world):
        loop = asyncio.get_running_loop()
        await world.start_operator(fault=slow)
        await asyncio.sleep(5)
        for number in range(count):
            put(world, single(f"job-{number}", RuntimeId=None, replicaSpecs=pair))
        names = [f"job-{number}" for number in range(count)]
        await world.until(lambda: all(claim(world, "Succeeded", name) for name in names))
        ended = loop.time()
        await asyncio.sleep(8)
        put(world, single("new", RuntimeId=None))
        await asyncio.sleep(1)
        assert world.job("new")["status"]["phase"] == "Creating"
        await asyncio.sleep(60)
        log = world.cluster.store.log
        return [c.at - ended for c in log if c.resource is JOBS and c.kind == "DELETED"]

    gone = in_world(story, by_replica(master=[end], ps=[FOR_EVER]))
    assert len(gone) == count
    assert 3 < gone[0] < 8  # the grace is of each job's own end
    assert at_least < gone[-1] - gone[0] < at_most


def test_one_tenants_jobs_do_not_keep_anothers_waiting():
    async def story(world):
        world.cluster.add_namespace("other")
        await world.start_operator()
        await asyncio.sleep(5)
        for number in range(200):
            put(world, single(f"job-{number}", RuntimeId=None))
        put(world, single("only", RuntimeId=None), "other")
        await asyncio.sleep(0.2)
        assert world.job("only", "other")["status"]["phase"] == "Creating"

    in_world(story)


def test_a_tensorboard_that_is_refused_hides_nothing_of_the_others():
    fault, _ = refuses("/deployments")

    async def story(world):
        await world.start_operator(fault=fault)
        put(world, distributed())
        await asyncio.sleep(30)
        status = world.job()["status"]
        assert (status["state"], status["replicas"]) == ("Running", "4/4")
        created = claim(world, "Created")
        assert (created["status"], created["reason"]) == ("False", "FailedCreate")
        assert "exceeded quota" in created["message"]
        assert claim(world, "TensorBoardReady")["status"] == "False"

    in_world(story)


def test_while_a_parameter_servers_config_map_is_refused_no_pass_follows_another_at_once():
    """What the next pass would do depends on that ConfigMap, which is not even asked for yet."""
    fault, times = refuses("/configmaps")

    async def story(world):
        operator = await world.start_operator(fault=fault)
        put(world, distributed(tensorboard=None))
        await asyncio.sleep(70)
        assert claim(world, "Created")["reason"] == "FailedCreate"
        assert len(times) == 4  # after 0, 5, 15 and 35 s
        assert operator.controller.passes.total() < 20
        assert world.job()["status"]["restarts"] == 1  # what can be seen is written all the same

    in_world(story, by_replica(master=[Run(15, 137), FOR_EVER], worker=[FOR_EVER]))


@pytest.mark.parametrize("what", ["/configmaps", "/jobs", "/services"])
def test_a_deadline_is_kept_while_a_child_is_refused(what):
    fault, _ = refuses(what)

    async def story(world):
        await world.start_operator(fault=fault)
        put(world, distributed(tensorboard=None, runPolicy={"activeDeadlineSeconds": 37}))
        await asyncio.sleep(39)  # the creation was refused after 35 s, and 40 s of pause follow
        assert claim(world, "Failed")["reason"] == "DeadlineExceeded"

    in_world(story, by_replica(master=[FOR_EVER], worker=[FOR_EVER]))


@pytest.mark.parametrize("seconds", [12, 16])
def test_a_job_that_ends_while_a_quota_lets_no_more_in_gets_its_tensorboard(seconds):
    """The refused workers came first, so nobody had asked for the Deployment yet."""
    fault, _ = refuses("/jobs")

    async def all_but_the_first(number, request, go_on):
        is_master = (request.body or {}).get("metadata", {}).get("name") == "mnist-master-76no-0"
        return await (go_on(request) if is_master else fault(number, request, go_on))

    async def story(world):
        await world.start_operator(fault=all_but_the_first)
        put(world, distributed(replicaSpecs=[replica("MASTER"), replica("WORKER", 10)]))
        await world.until(world.is_done)
        assert world.cluster.store.find(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        await asyncio.sleep(10)
        assert claim(world, "TensorBoardReady")["status"] == "True"

    in_world(story, by_replica(master=[Run(seconds)]))


def denies_deletions_of_jobs(until_seconds):
    """A policy that denies them for so long; counts the refusals."""
    why = 'admission webhook "validate.policies" denied the request: require-team-label'
    times = []

    async def fault(number, request, go_on):
        now = asyncio.get_running_loop().time()
        if request.method == "DELETE" and "/jobs/" in request.path and now < until_seconds:
            times.append(now)
            return Response(403, {"message": why, "reason": "Forbidden", "code": 403})
        return await go_on(request)

    return fault, times


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"workers": 1}, id="fewer workers"),
        pytest.param({"runPolicy": {"suspend": True}}, id="a suspension"),
    ],
)
def test_a_change_of_a_child_that_a_policy_refuses_is_a_condition_until_it_is_made(change):
    fault, times = denies_deletions_of_jobs(until_seconds=150)

    async def story(world):
        await world.start_operator(fault=fault)
        specs = [replica("MASTER"), replica("WORKER", 2)]
        put(world, single(replicaSpecs=specs, enableDynamicWorker=True))
        await asyncio.sleep(20)
        edit(world, **change)
        await asyncio.sleep(100)
        refused = claim(world, "ChangeRefused")
        assert (refused["status"], refused["reason"]) == ("True", "ChangeRefused")
        assert "require-team-label" in refused["message"]
        assert refused["message"].startswith("Job mnist-")
        assert world.job()["status"]["conditions"][-1]["type"] == "ChangeRefused"  # as printed
        assert len(set(times)) <= 5  # after 0, 5, 15, 35 and 75 s
        await asyncio.sleep(120)
        assert claim(world, "ChangeRefused")["status"] == "False"
        assert len(list(world.cluster.store.peek(JOBS))) == (2 if "workers" in change else 0)

    in_world(story)


def test_while_a_change_is_refused_the_other_children_are_made_and_the_rest_is_told():
    fault, _ = denies_deletions_of_jobs(until_seconds=1e6)

    async def story(world):
        await world.start_operator(fault=fault)
        specs = [replica("MASTER"), replica("WORKER", 2), replica("PS")]
        put(world, single(replicaSpecs=specs, enableDynamicWorker=True, tensorboard=BOARD))
        await asyncio.sleep(20)
        edit(world, workers=1)
        await asyncio.sleep(20)
        assert claim(world, "ChangeRefused")["status"] == "True"
        before = world.cluster.store.get(JOBS, "default", "mnist-ps-76no-0")["metadata"]["uid"]
        world.cluster.store.delete(JOBS, "default", "mnist-ps-76no-0", propagation="Background")
        world.cluster.store.delete(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        await asyncio.sleep(100)
        after = world.cluster.store.get(JOBS, "default", "mnist-ps-76no-0")["metadata"]["uid"]
        assert after != before
        assert world.cluster.store.find(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        assert world.job()["status"]["replicas"] == "3/3"
        assert claim(world, "ChangeRefused")["status"] == "True"

    in_world(story, stop_seconds=2)


def test_a_creation_that_is_rejected_once_waits_five_seconds_though_changes_are_refused_for_long():
    denied, _ = denies_deletions_of_jobs(until_seconds=1e6)
    rejected = []

    async def fault(number, request, go_on):
        is_ps = request.method == "POST" and "-ps-" in (request.body["metadata"].get("name") or "")
        if is_ps and request.path.endswith("/jobs") and deleted_at and not rejected:
            rejected.append(asyncio.get_running_loop().time())
            why = "exceeded quota: small"
            return Response(403, {"message": why, "reason": "Forbidden", "code": 403})
        return await denied(number, request, go_on)

    deleted_at = []

    async def story(world):
        await world.start_operator(fault=fault)
        specs = [replica("MASTER"), replica("WORKER", 2), replica("PS")]
        put(world, single(replicaSpecs=specs, enableDynamicWorker=True))
        await asyncio.sleep(20)
        edit(world, workers=1)
        await asyncio.sleep(300)
        assert claim(world, "ChangeRefused")["status"] == "True"
        deleted_at.append(asyncio.get_running_loop().time())
        world.cluster.store.delete(JOBS, "default", "mnist-ps-76no-0", propagation="Background")
        await asyncio.sleep(15)
        assert rejected
        assert world.cluster.store.find(JOBS, "default", "mnist-ps-76no-0")

    in_world(story, stop_seconds=2)


def test_a_deadline_is_kept_while_a_change_is_refused():
    fault, _ = denies_deletions_of_jobs(until_seconds=1e6)

    async def story(world):
        await world.start_operator(fault=fault)
        specs = [replica("MASTER"), replica("WORKER", 2)]
        policy = {"activeDeadlineSeconds": 80}
        put(world, single(replicaSpecs=specs, enableDynamicWorker=True, runPolicy=policy))
        await asyncio.sleep(3)
        edit(world, workers=1)
        await asyncio.sleep(81)
        assert claim(world, "Failed")["reason"] == "DeadlineExceeded"

    in_world(story)


@pytest.mark.parametrize("kind", ["deployments", "services"])
def test_a_job_resumes_when_what_its_new_tensorboard_needs_is_no_longer_refused(kind):
    times = []

    async def fault(number, request, go_on):
        now = asyncio.get_running_loop().time()
        if request.method == "PATCH" and f"/{kind}/" in request.path and now < 100:
            times.append(now)
            why = 'admission webhook "validate.policies" denied the request: no new images'
            return Response(403, {"message": why, "reason": "Forbidden", "code": 403})
        return await go_on(request)

    async def story(world):
        await world.start_operator(fault=fault)
        put(world, single(tensorboard=BOARD))
        await asyncio.sleep(10)
        await suspends(world)
        edit(
            world,
            tensorboard={"logDir": "/new", "serviceType": "NodePort"},
            runPolicy={"suspend": False},
        )
        await asyncio.sleep(30)
        created = claim(world, "Created")
        assert (created["status"], created["reason"]) == ("False", "FailedCreate")
        assert "no new images" in created["message"]
        assert "startTime" not in world.job()["status"]
        await asyncio.sleep(170)
        assert len([each for each in times if each < 71]) <= 8  # in the first minute
        assert world.job()["status"]["state"] == "Running"
        assert claim(world, "Created")["status"] == "True"
        board = world.cluster.store.get(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        assert "/new" in board["spec"]["template"]["spec"]["containers"][0]["command"]
        service = world.cluster.store.get(SERVICES, "default", "mnist-tensorboard-76no")
        assert service["spec"]["type"] == "NodePort"

    in_world(story)


def test_a_tensorboard_that_somebody_deletes_during_a_suspension_is_named_and_comes_back():
    async def story(world):
        await world.start_operator()
        put(world, single(tensorboard=BOARD))
        await asyncio.sleep(10)
        await suspends(world)
        assert "TensorBoard" not in str(claim(world, "Waiting"))
        world.cluster.store.delete(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        await asyncio.sleep(10)
        ready = claim(world, "TensorBoardReady")
        assert (ready["status"], ready["message"]) == ("False", "TensorBoard has no Deployment")
        edit(world, runPolicy={"suspend": False})
        await asyncio.sleep(20)
        assert world.cluster.store.find(DEPLOYMENTS, "default", "mnist-tensorboard-76no")

    in_world(story)


def test_a_suspended_job_that_has_never_started_has_no_tensorboard_and_says_nothing_of_it():
    async def story(world):
        await world.start_operator()
        put(world, single(tensorboard=BOARD, runPolicy={"suspend": True}))
        await asyncio.sleep(10)
        assert claim(world, "Suspended")["status"] == "True"
        assert claim(world, "TensorBoardReady") == {}

    in_world(story)


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (SERVICES, "mnist-master-76no-0"),
        (CONFIG_MAPS, "cm-ps-76no"),
        (JOBS, "mnist-ps-76no-0"),
        (DEPLOYMENTS, "mnist-tensorboard-76no"),
    ],
)
def test_a_child_that_somebody_changed_is_named_until_it_is_made_again(resource, name):
    async def story(world):
        await world.start_operator()
        specs = [replica("MASTER"), {"tfReplicaType": "PS"}]
        put(world, single(replicaSpecs=specs, tensorboard=BOARD))
        await asyncio.sleep(10)
        assert claim(world, "Altered") == {}
        obj = world.cluster.store.get(resource, "default", name)
        fields = {"f:data": {"f:x": {}}} if resource is CONFIG_MAPS else {"f:spec": {"f:x": {}}}
        obj["metadata"]["managedFields"] = [{"manager": "kubectl-edit", "fieldsV1": fields}]
        world.cluster.store.update(resource, obj)
        await asyncio.sleep(10)
        named = f"{resource.kind} {name}: kubectl-edit changed "
        assert claim(world, "Altered")["status"] == "True"
        assert named in claim(world, "Altered")["message"]
        world.cluster.store.delete(resource, "default", name, propagation="Background")
        await asyncio.sleep(30)
        assert world.cluster.store.find(resource, "default", name)
        assert claim(world, "Altered")["status"] == "False"

    in_world(story)


@pytest.mark.parametrize("deadline", [None, 500])
def test_a_change_that_nobody_waits_for_is_written_though_a_deadline_is_far(deadline):
    """The timer of the deadline once made each of the later passes too urgent for it."""

    async def story(world):
        operator = await world.start_operator()
        policy = {"activeDeadlineSeconds": deadline} if deadline else {}
        specs = [replica("MASTER"), replica("WORKER", 2)]
        put(world, single(replicaSpecs=specs, runPolicy=policy))
        await asyncio.sleep(60)
        assert world.job()["status"]["completedIndexes"] == {"WORKER": "0-1"}
        before = operator.controller.passes.total()
        await asyncio.sleep(300)
        assert operator.controller.passes.total() - before <= 2
        pods = len(list(world.cluster.store.peek(PODS)))
        world.cluster.store.delete(JOBS, "default", "mnist-worker-76no-0", propagation="Background")
        await asyncio.sleep(30)
        assert len(list(world.cluster.store.peek(PODS))) == pods - 1  # it does not run again

    in_world(story, by_replica(master=[FOR_EVER], worker=[Run(20)]))


def test_a_corrected_spec_starts_when_the_old_children_may_go():
    fault, _ = denies_deletions_of_jobs(until_seconds=100)

    async def story(world):
        await world.start_operator(fault=fault)
        odd = replica("WORKER", template=template() | {"metadata": {"labels": ["a"]}})
        policy = {"cleanPodPolicy": "None"}
        put(world, single(replicaSpecs=[replica("MASTER"), odd], runPolicy=policy))
        await asyncio.sleep(10)
        assert world.job()["status"]["reason"].startswith("InvalidTemplate")
        assert list(world.cluster.store.peek(JOBS)) == []
        put_job(world, "mnist-master-76no-0")
        edit(world, replicaSpecs=[replica("MASTER"), replica("WORKER")])
        await asyncio.sleep(50)
        assert world.job()["status"]["phase"] == "Failed"
        assert claim(world, "ChangeRefused")["status"] == "True"
        await asyncio.sleep(120)
        assert world.job()["status"]["state"] == "Running"

    in_world(story)


def put_job(world, name):
    """A Job of the TfJob, as a pass before the failure may have created it."""
    owner = {"apiVersion": "tensorflow.org/v1alpha1", "kind": "TfJob", "controller": True}
    owner |= {"name": NAME, "uid": world.job()["metadata"]["uid"]}
    labels = {"tensorflow.org": "", "runtime_id": "76no", "tf_job_name": NAME,
              "job_type": "MASTER", "task_index": "0"}  # fmt: skip
    meta = {"namespace": "default", "name": name, "labels": labels, "ownerReferences": [owner]}
    pods = {"metadata": {"labels": labels}, **template()}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": pods}}
    world.cluster.store.create(JOBS, body)


def test_a_refused_clean_up_is_named_and_ends_when_it_is_accepted():
    fault, times = denies_deletions_of_jobs(until_seconds=150)

    async def story(world):
        await world.start_operator(fault=fault)
        put(
            world, single(replicaSpecs=[replica("MASTER"), replica("WORKER", 3)], tensorboard=BOARD)
        )
        await asyncio.sleep(60)
        assert claim(world, "Succeeded")["status"] == "True"
        assert "require-team-label" in claim(world, "ChangeRefused")["message"]
        assert world.job()["status"]["phase"] == "CleanUp"
        assert len(set(times)) <= 5
        await asyncio.sleep(200)
        assert claim(world, "ChangeRefused")["status"] == "False"
        assert world.job()["status"]["phase"] == "Done"

    in_world(story, by_replica(master=[Run(10)], worker=[FOR_EVER]))


def without_limits(world, deployment):
    """What the Deployment controller writes when a quota refuses the Pods."""
    message = "pods is forbidden: failed quota: class: must specify limits.cpu"
    cause = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    status = {"conditions": [{**cause, "message": message}]}
    world.cluster.store.update(DEPLOYMENTS, {**deployment, "status": status}, subresource="status")


def test_a_tensorboard_whose_pods_are_refused_says_why_and_it_is_right_after_the_end_too():
    async def story(world):
        await world.start_operator()
        put(world, single(tensorboard={"logDir": "/logs"}))
        await asyncio.sleep(5)
        board = world.cluster.store.get(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        without_limits(world, board)
        await world.until(lambda: "limits.cpu" in claim(world, "TensorBoardReady")["message"])
        events = [event["reason"] for event in world.cluster.store.peek(EVENTS)]
        assert "FailedCreate" in events
        await world.until(world.is_done)
        board = world.cluster.store.get(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        available = {**board, "status": {"availableReplicas": 1}}
        world.cluster.store.update(DEPLOYMENTS, available, subresource="status")
        await asyncio.sleep(10)
        assert claim(world, "TensorBoardReady")["status"] == "True"

    in_world(story, by_replica(master=[Run(30)]))


def test_a_short_job_gets_its_tensorboard_though_the_api_server_had_a_fault():
    faults = []

    async def once(number, request, go_on):
        if request.method == "POST" and request.path.endswith("/deployments") and not faults:
            faults.append(number)
            return Response(500, {"message": "etcd is busy"})
        return await go_on(request)

    async def story(world):
        await world.start_operator(fault=once)
        put(world, single(tensorboard={"logDir": "/logs"}))
        await world.until(world.is_done)
        assert faults
        assert world.cluster.store.find(DEPLOYMENTS, "default", "mnist-tensorboard-76no")

    in_world(story, by_replica(master=[Run(0.1)]))


def test_services_go_with_the_clean_up_and_tensorboards_stays():
    async def story(world):
        await world.start_operator()
        put(world, distributed())
        await world.until(world.is_done)
        await asyncio.sleep(10)
        names = [key(each)[1] for each in world.cluster.store.peek(SERVICES)]
        assert names == ["mnist-tensorboard-76no"]
        world.cluster.store.delete(TFJOBS, "default", NAME)
        await asyncio.sleep(5)
        assert leftovers(world.cluster) == []

    in_world(story, by_replica(master=[Run(20)], worker=[FOR_EVER], ps=[FOR_EVER]))


# ------------------------------------------------------------------ refusals


def test_what_a_quota_refuses_is_asked_for_a_few_times_a_minute():
    fault, times = refuses("/jobs")

    async def story(world):
        await world.start_operator(fault=fault)
        workers = replica("WORKER", 20)
        put(world, single(replicaSpecs=[replica("MASTER"), workers]))
        await asyncio.sleep(600)
        assert len([at for at in times if at <= 60]) <= 8
        assert len([at for at in times if at > 540]) <= 2
        assert claim(world, "Created")["reason"] == "FailedCreate"

    in_world(story)


def test_many_deletions_run_side_by_side():
    async def story(world):
        await world.start_operator(latency_seconds=0.2)
        spec = {"replicaSpecs": [replica("MASTER"), replica("WORKER", 20)]}
        put(world, single(**spec))
        await asyncio.sleep(60)
        edit(world, runPolicy={"suspend": True})
        await asyncio.sleep(3)
        assert list(world.cluster.store.peek(JOBS)) == []

    in_world(story)


# ------------------------------------------------------------------ judging


def with_side_car():
    pod = template()
    pod["spec"]["containers"].append({"name": "shipper", "image": "shipper"})
    return pod


def side_car_job(**spec):
    return single(replicaSpecs=[replica("MASTER", template=with_side_car(), **spec)])


def test_a_side_car_does_not_hide_that_the_training_was_killed():
    async def story(world):
        await world.start_operator()
        put(world, side_car_job())
        await world.until(world.is_done, seconds=120)
        assert world.job()["status"]["state"] == "Succeeded"
        assert world.job()["status"]["restarts"] == 1

    in_world(story, by_replica(master=[Run(3, 137), Run(3)]))


def test_a_success_beside_a_side_car_says_that_the_log_goes_and_how_to_keep_it():
    async def story(world):
        await world.start_operator()
        put(world, side_car_job())
        await world.until(world.is_done, seconds=120)
        ended = claim(world, "Succeeded")
        assert ended["status"] == "True"
        assert "native side-car" in ended["message"]

    in_world(story, by_replica(master=[Run(3)]))


async def side_cars_fail(world):
    """Each side-car fails some seconds after the program beside it has ended."""
    while True:
        await asyncio.sleep(7)
        for found in world.cluster.store.all(PODS):
            containers = found["status"].get("containerStatuses") or [{}]
            if found["status"]["phase"] == "Running" and "terminated" in containers[0]["state"]:
                ended = {"exitCode": 1, "finishedAt": world.cluster.store.timestamp()}
                containers[-1]["state"] = {"terminated": ended}
                found["status"]["phase"] = "Failed"
                world.cluster.store.update(PODS, found, subresource="status")


def test_a_worker_that_succeeded_is_not_run_again_because_its_side_car_failed():
    async def story(world):
        await world.start_operator()
        worker = replica("WORKER", template=with_side_car())
        put(world, single(replicaSpecs=[replica("MASTER"), worker], runPolicy={"backoffLimit": 0}))
        failing = asyncio.create_task(side_cars_fail(world))
        await asyncio.sleep(1000)
        failing.cancel()
        status = world.job()["status"]
        assert (status["state"], status.get("restarts")) == ("Running", None)
        assert status["completedIndexes"] == {"WORKER": "0"}
        pods = [found["metadata"]["labels"]["job_type"] for found in world.cluster.store.peek(PODS)]
        assert sorted(pods) == ["MASTER", "WORKER"]

    in_world(story, by_replica(master=[FOR_EVER], worker=[Run(5)]))


@pytest.mark.parametrize("seconds", [1, 3, 8])
def test_a_worker_that_succeeded_just_before_a_suspension_is_not_run_again(seconds):
    """Counts are written with a delay, and a suspension may come sooner."""

    async def story(world):
        await world.start_operator()
        worker = replica("WORKER", template=with_side_car())
        put(world, single(replicaSpecs=[replica("MASTER"), worker]))
        await asyncio.sleep(20 + seconds)
        await suspends(world)
        edit(world, runPolicy={"suspend": False})
        await asyncio.sleep(30)
        log = world.cluster.store.log
        pods = [each.obj for each in log if (each.kind, each.resource) == ("ADDED", PODS)]
        types = [each["metadata"]["labels"]["job_type"] for each in pods]
        assert sorted(types) == ["MASTER", "MASTER", "WORKER"]
        assert world.job()["status"]["completedIndexes"] == {"WORKER": "0"}

    in_world(story, by_replica(master=[FOR_EVER], worker=[Run(20)]))


@pytest.mark.parametrize("policy", ["Running", "All"])
def test_a_replica_that_succeeded_still_counts_when_its_job_is_cleaned_up(policy):
    async def story(world):
        await world.start_operator()
        job = side_car_job()
        job["spec"]["runPolicy"] = {"cleanPodPolicy": policy}
        put(world, job)
        await world.until(world.is_done, seconds=120)
        await asyncio.sleep(30)
        assert not list(world.cluster.store.peek(JOBS))
        status = world.job()["status"]
        assert status["replicas"] == "1/1"
        assert status["replicaStatuses"][0]["state"] == "Succeeded"

    in_world(story, by_replica(master=[Run(3)]))


def test_a_pod_that_is_deleted_and_exits_with_0_has_not_succeeded():
    async def story(world):
        await world.start_operator()
        put(world, single())
        await asyncio.sleep(20)
        (pod,) = world.cluster.store.peek(PODS)
        world.cluster.store.delete(PODS, *key(pod))
        await asyncio.sleep(60)
        status = world.job()["status"]
        assert status["state"] == "Running"
        assert "deleted" in claim(world, "Restarting")["message"]
        assert not condition(world.job(), "Succeeded")

    in_world(story, stop_seconds=5, stop_code=0)


# ------------------------------------------------------------------ specs that change


def test_a_job_that_was_changed_while_it_was_suspended_runs_as_its_new_spec_says():
    async def story(world):
        store = world.cluster.store
        await world.start_operator()
        workers = replica("WORKER", 2, layout="Indexed")
        put(world, single(replicaSpecs=[replica("MASTER"), workers], tensorboard={"logDir": "/a"}))
        await asyncio.sleep(20)
        await suspends(world)
        assert [key(each)[1] for each in store.peek(SERVICES)] == ["mnist-tensorboard-76no"]
        obj = world.job()
        obj["spec"]["replicaSpecs"][1] |= {"replicas": 4, "tfPort": 3333}
        obj["spec"] |= {"tensorboard": {"logDir": "/b"}, "runPolicy": {"suspend": False}}
        store.update(TFJOBS, obj)
        await world.until(lambda: world.job()["status"]["state"] == "Running")
        addresses = store.get(CONFIG_MAPS, "default", "mnist-cluster-76no")["data"]["cluster"]
        assert addresses.count(":3333") == 4
        ports = store.get(SERVICES, "default", "mnist-76no")["spec"]["ports"]
        assert [each["port"] for each in ports] == [3333]
        board = store.get(DEPLOYMENTS, "default", "mnist-tensorboard-76no")
        (container,) = board["spec"]["template"]["spec"]["containers"]
        assert "/b" in container["command"]
        made = [c for c in store.log if (c.kind, c.resource) == ("ADDED", DEPLOYMENTS)]
        assert len(made) == 1  # who looks at it keeps its address

    in_world(story)


def test_a_template_that_cannot_be_read_ends_the_job_though_its_chief_has_ended_before():
    async def story(world):
        await world.start_operator()
        workers = replica("WORKER", 2)
        put(world, single(replicaSpecs=[replica("MASTER"), workers], successPolicy="AllWorkers"))
        await asyncio.sleep(20)
        await suspends(world)
        obj = world.job()
        obj["spec"]["replicaSpecs"][1]["template"]["metadata"] = {"labels": ["a"]}
        obj["spec"]["runPolicy"] = {"suspend": False}
        world.cluster.store.update(TFJOBS, obj)
        await world.until(world.is_done, seconds=60)
        reason = world.job()["status"]["reason"]
        assert reason.startswith("InvalidTemplate: Job mnist-worker-76no-0: a template cannot be")

    in_world(story, by_replica(master=[Run(5)], worker=[FOR_EVER]))


# ------------------------------------------------------------------ altered by hand


@pytest.mark.parametrize("resource", [JOBS, SERVICES])
def test_a_label_that_somebody_took_away_is_written_again(resource):
    async def story(world):
        await world.start_operator()
        put(world, single())
        await asyncio.sleep(20)
        child = world.cluster.store.get(resource, "default", "mnist-master-76no-0")
        labels = child["metadata"].pop("labels")
        world.cluster.store.update(resource, child)
        await asyncio.sleep(20)
        after = world.cluster.store.get(resource, "default", "mnist-master-76no-0")
        assert after["metadata"]["labels"].items() >= labels.items()
        calls = len(world.calls)
        await asyncio.sleep(120)
        assert [c for c in world.calls[calls:] if c.request.method in ("POST", "PATCH")] == []
        assert world.job()["status"]["state"] == "Running"

    in_world(story)


def test_an_owner_that_somebody_took_away_is_named():
    async def story(world):
        await world.start_operator()
        put(world, single())
        await asyncio.sleep(20)
        child = world.cluster.store.get(SERVICES, "default", "mnist-master-76no-0")
        del child["metadata"]["ownerReferences"]
        world.cluster.store.update(SERVICES, child)
        await asyncio.sleep(30)
        created = claim(world, "Created")
        assert (created["reason"], created["status"]) == ("NameTaken", "False")
        assert "Service mnist-master-76no-0" in created["message"]

    in_world(story)


# ------------------------------------------------------------------ watches


@pytest.mark.parametrize("what", ["deployments", "events"])
def test_an_optional_watch_that_is_refused_stops_nothing_and_is_a_warning(what):
    async def refuse(number, request, go_on):
        if request.method == "GET" and request.path.endswith(f"/{what}"):
            return Response(403, {"message": f"you may not watch {what}"})
        return await go_on(request)

    async def story(world):
        operator = await world.start_operator(fault=refuse)
        put(world, single())
        await world.until(world.is_done, seconds=60)
        assert world.job()["status"]["state"] == "Succeeded"
        await asyncio.sleep(1000)
        assert operator.controller.health_problems() == []
        assert what in operator.controller.health_warnings()[0]

    in_world(story, by_replica(master=[Run(5)]))


def test_a_cluster_without_the_api_of_pod_groups_is_named_and_keeps_no_job_waiting():
    async def serves_no_pod_groups(number, request, go_on):
        if "/podgroups" in request.path:
            return Response(404, {"message": "404 page not found"})
        return await go_on(request)

    async def story(world):
        put(world, single())
        await asyncio.sleep(30)  # it is no longer new when the operator starts
        config = structs.replace(CONFIG, gang_scheduling="kubernetes")
        operator = OperatorProcess(world.cluster.client(fault=serves_no_pod_groups), config)
        world.operators.append(operator)
        operator.start()
        await asyncio.sleep(1000)
        created = claim(world, "Created")
        assert (created["status"], created["reason"]) == ("False", "FailedCreate")
        assert "the cluster does not serve this kind" in created["message"]
        assert operator.controller.health_problems() == []
        assert "podgroups" in operator.controller.health_warnings()[0]

    in_world(story)
