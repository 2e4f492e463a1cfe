"""What went wrong for the users of earlier operators, each as one test.

The tests stand in the order in which those faults are listed in the operator's README; what needs
every API call tried, or every right taken away, is in test_kill_points.py and test_rbac.py.
"""

import asyncio

import pytest
from msgspec import convert

from tests.fakes import rbac
from tests.fakes.kubelet import Run, by_replica
from tests.fakes.objects import (
    CONFIG_MAPS,
    EVENTS,
    JOBS,
    PODS,
    SERVICES,
    TFJOBS,
    condition,
    key,
)
from tests.fakes.operator_life import (
    CHILDREN,
    NAME,
    distributed,
    in_world,
    leftovers,
    made_twice,
    put,
    replica,
    summary,
)
from tests.fakes.operator_process import CONFIG
from tests.fakes.paths import CHART
from tfjob_operator.accelerators import Accelerator

FOR_EVER = Run(exit_code=None)


def single(name=NAME, **spec):
    """A TfJob of one master."""
    return distributed(name, **{"replicaSpecs": [replica("MASTER")], "tensorboard": None, **spec})


async def restart(world):
    await world.operators[-1].kill()
    return await world.start_operator()


def status(world, name=NAME):
    return world.job(name).get("status", {})


def reason(world, kind, name=NAME):
    conditions = status(world, name).get("conditions", [])
    return next((c["reason"] for c in conditions if (c["type"], c["status"]) == (kind, "True")), "")


def test_01_finished_stays_finished_after_a_restart():
    async def story(world):
        await world.start_operator()
        put(world, distributed())
        await world.until(world.is_done)
        await asyncio.sleep(30)
        before, made = world.job(), len(world.cluster.store.log)
        world.cluster.store.delete(JOBS, "default", "mnist-worker-76no-0")
        await restart(world)
        await asyncio.sleep(1300)
        assert world.job() == before
        changes = world.cluster.store.log[made:]
        assert [c.obj["metadata"]["name"] for c in changes if c.kind == "ADDED"] == []

    in_world(story)


def test_02_a_restart_resumes_the_jobs_of_all_namespaces_each_as_its_own():
    async def story(world):
        world.cluster.add_namespace("other")
        await world.start_operator()
        for namespace in ("default", "other"):
            put(world, single(RuntimeId=None), namespace)
        await asyncio.sleep(3)
        await restart(world)
        await asyncio.sleep(200)
        for namespace in ("default", "other"):
            job = world.job(namespace=namespace)
            assert job["status"]["phase"] == "Done"
            owners = {
                obj["metadata"]["ownerReferences"][0]["uid"]
                for obj in world.cluster.store.peek(JOBS, namespace)
            }
            assert owners == {job["metadata"]["uid"]}

    in_world(story)


def test_03_a_status_write_that_fails_for_minutes_is_made_in_the_end():
    async def refuse_status(number, request, go_on):
        if request.path.endswith("/status") and asyncio.get_running_loop().time() < 300:
            raise TimeoutError
        return await go_on(request)

    async def story(world):
        await world.start_operator(fault=refuse_status)
        put(world, single())
        await world.until(world.is_done)
        assert status(world)["state"] == "Succeeded"

    in_world(story)


def foreign(kind, name):
    meta = {"name": name, "namespace": "default", "labels": {"mine": "yes"}}
    return {"metadata": meta, "data": {"mine": "yes"}, "spec": {"mine": "yes"}} | kind


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        pytest.param(SERVICES, "mnist-ps-76no-0", id="a Service"),
        pytest.param(JOBS, "mnist-master-76no-0", id="a Job"),
    ],
)
def test_04_a_foreign_object_of_a_childs_name_is_one_clear_condition_and_is_not_touched(
    resource, name
):
    async def story(world):
        template = {"template": {"spec": {"containers": []}}, "suspend": True, "backoffLimit": 1}
        stranger = foreign({"spec": template} if resource is JOBS else {}, name)
        before = world.cluster.store.create(resource, stranger)
        await world.start_operator()
        put(world, distributed())
        put(world, single("another", RuntimeId="aaaa"))
        await asyncio.sleep(300)
        assert condition(world.job("another"), "Succeeded")
        after = world.cluster.store.get(resource, "default", name)
        for obj in (before, after):  # its own controller may write its status
            obj.pop("status", None)
            del obj["metadata"]["resourceVersion"]
        assert after == before
        created = [c for c in status(world)["conditions"] if c["type"] == "Created"]
        assert [c["reason"] for c in created] == ["NameTaken"]
        assert name in created[0]["message"]
        if resource is JOBS:
            return
        world.cluster.store.delete(resource, "default", name)
        await world.until(world.is_done)
        assert status(world)["state"] == "Succeeded"

    in_world(story)


def test_04_a_config_map_name_that_is_taken_is_solved_by_a_longer_one():
    """Two TfJobs with one RuntimeId, by chance or by a copied manifest, both end well."""

    async def story(world):
        stranger = foreign({}, "cm-ps-76no")
        before = world.cluster.store.create(CONFIG_MAPS, stranger)
        await world.start_operator()
        put(world, distributed())
        put(world, distributed("tuesday", tensorboard=None))
        await world.until(lambda: world.is_done() and world.is_done("tuesday"))
        assert [status(world, name)["state"] for name in (NAME, "tuesday")] == ["Succeeded"] * 2
        assert world.cluster.store.get(CONFIG_MAPS, "default", "cm-ps-76no") == before
        names = {key(found)[1] for found in world.cluster.store.peek(CONFIG_MAPS)}
        assert names == {"cm-ps-76no", "cm-ps-mnist-76no", "cm-ps-tuesday-76no"}

    in_world(story)


def test_04_children_that_exist_already_and_are_ours_are_a_success():
    async def story(world):
        await world.start_operator(watch_delay=lambda change: 5.0)
        put(world, distributed())
        await asyncio.sleep(4)
        await restart(world)
        await world.until(world.is_done)
        assert status(world)["state"] == "Succeeded"
        assert made_twice(world.cluster) == []

    in_world(story)


@pytest.mark.parametrize(
    ("role", "policy", "code", "why"),
    [
        pytest.param("WORKER", "ExitCode", 1, "ReplicaFailed", id="a worker that exits with 1"),
        pytest.param("PS", "ExitCode", 1, "ReplicaFailed", id="a PS that exits with 1"),
        pytest.param("WORKER", "Never", 137, "ReplicaFailed", id="a worker that runs but once"),
        pytest.param(
            "WORKER", "OnFailure", 1, "BackoffLimitExceeded", id="a worker beyond the budget"
        ),
        pytest.param("PS", "ExitCode", 137, "BackoffLimitExceeded", id="a PS killed too often"),
    ],
)
def test_05_a_replica_that_cannot_go_on_ends_the_job(role, policy, code, why):
    async def story(world):
        await world.start_operator()
        replicas = [replica("MASTER"), replica(role, restartPolicy=policy)]
        spec = {"replicaSpecs": replicas, "runPolicy": {"backoffLimit": 2}}
        put(world, single(**spec))
        await world.until(world.is_done)
        assert (status(world)["phase"], status(world)["state"]) == ("Failed", "Failed")
        assert reason(world, "Failed") in (why, "ReplicaFailed")
        await asyncio.sleep(30)
        assert [
            p for p in world.cluster.store.peek(PODS) if p["status"]["phase"] == "Running"
        ] == []

    script = by_replica(master=[FOR_EVER], **{role.lower(): [Run(2, code)]})
    in_world(story, script)


def test_06_a_chief_that_runs_again_is_judged_by_its_newest_pod():
    async def story(world):
        await world.start_operator()
        put(world, single(replicaSpecs=[replica("MASTER", restartPolicy="OnFailure")]))
        await asyncio.sleep(25)
        await restart(world)
        await asyncio.sleep(25)
        assert status(world)["state"] == "Running"
        assert reason(world, "Failed") == ""
        await world.until(world.is_done)
        assert status(world)["state"] == "Succeeded"

    in_world(story, by_replica(master=[Run(2, 1), Run(60)]))


GARBAGE = [
    {"replicaSpecs": [{"replicas": -3, "tfReplicaType": "WORKER"}]},
    {"replicaSpecs": "none"},
    {"replicaSpecs": [None]},
    {"replicaSpecs": [{"template": {"spec": None}}]},
    {"replicaSpecs": [{"template": {"spec": {"containers": [None]}}}]},
    {"replicaSpecs": [{"replicas": "many"}]},
    {"tensorboard": []},
    {"runPolicy": {"backoffLimit": None, "activeDeadlineSeconds": "soon"}},
    {"terminationPolicy": {"chief": {"replicaName": 7}}},
    None,
]


def test_07_one_bad_object_never_stops_the_others():
    async def story(world):
        await world.start_operator()
        for number, spec in enumerate(GARBAGE):
            meta = {"name": f"bad-{number}", "namespace": "default"}
            world.cluster.store.create(TFJOBS, {"metadata": meta, "spec": spec})
        unborn = single("unborn", RuntimeId="bbbb") | {"status": {"phase": "Running"}}
        put(world, unborn)
        put(world, single())
        await world.until(world.is_done)
        assert status(world)["state"] == "Succeeded"
        await world.until(lambda: condition(world.job("unborn"), "Succeeded"))
        await restart(world)
        put(world, single("later", RuntimeId="cccc"))
        await world.until(lambda: condition(world.job("later"), "Succeeded"))

    in_world(story)


INVALID = {
    "no template": ({"replicaSpecs": [replica("MASTER", template=None)]}, "template"),
    "two masters": ({"replicaSpecs": [replica("MASTER", 2)]}, "replicas"),
    "no container tensorflow": (
        {
            "replicaSpecs": [
                replica("MASTER", template={"spec": {"containers": [{"name": "x", "image": "y"}]}})
            ]
        },
        "tensorflow",
    ),
    "no logDir": ({"tensorboard": {"logDir": ""}}, "tensorboard.logDir"),
    "a chief that is no replica": (
        {"terminationPolicy": {"chief": {"replicaName": "WORKER", "replicaIndex": 0}}},
        "WORKER",
    ),
    "no replicas": ({"replicaSpecs": []}, "replicaSpecs"),
    "no chief": ({"replicaSpecs": [replica("WORKER")]}, "MASTER"),
}


@pytest.mark.parametrize("what", INVALID)
def test_08_an_invalid_spec_fails_at_once_in_phase_and_state_with_a_sentence(what):
    spec, word = INVALID[what]

    async def story(world):
        await world.start_operator()
        world.cluster.store.create(TFJOBS, single(**spec))
        await world.until(world.is_done, seconds=5)
        found = status(world)
        assert (found["phase"], found["state"]) == ("Failed", "Failed")
        assert word in found["reason"]
        assert reason(world, "Failed") == "InvalidSpec"
        calls = len(world.calls)
        await asyncio.sleep(250)
        assert not [c for c in world.calls[calls:] if c.request.method != "GET"]

    in_world(story)


def gpu_job():
    job = single()
    container = job["spec"]["replicaSpecs"][0]["template"]["spec"]["containers"][0]
    resource = {"alpha.kubernetes.io/nvidia-gpu": 1}
    container["resources"] = {"limits": resource, "requests": resource}
    return job


def test_09_accelerator_mounts_stand_once_in_the_children_and_not_in_the_tf_job(monkeypatch):
    volume = {"name": "lib", "hostPath": "/usr/lib/nvidia-384", "mountPath": "/usr/lib/nvidia"}
    brought = convert({"volumes": [volume]}, Accelerator)
    monkeypatch.setitem(CONFIG.accelerators, "alpha.kubernetes.io/nvidia-gpu", brought)

    async def story(world):
        await world.start_operator()
        spec = put(world, gpu_job())["spec"]
        await asyncio.sleep(5)
        await restart(world)
        await world.until(world.is_done)
        child = world.cluster.store.get(JOBS, "default", "mnist-master-76no-0")
        pod = child["spec"]["template"]["spec"]
        assert [v["name"] for v in pod["volumes"]] == ["tfjob-lib"]
        mounts = pod["containers"][0]["volumeMounts"]
        assert [m["mountPath"] for m in mounts] == ["/usr/lib/nvidia"]
        assert world.job()["spec"] == spec

    in_world(story)


def test_09_a_job_deleted_while_the_operator_is_down_leaves_nothing():
    async def story(world):
        operator = await world.start_operator()
        put(world, distributed())
        await asyncio.sleep(20)
        await operator.kill()
        world.cluster.store.delete(TFJOBS, "default", NAME)
        await asyncio.sleep(20)
        await world.start_operator()
        await asyncio.sleep(60)
        assert leftovers(world.cluster) == []

    in_world(story)


def test_10_a_job_made_anew_under_its_old_name_is_another_job():
    async def story(world):
        await world.start_operator(watch_delay=lambda change: 1.0)
        put(world, distributed(RuntimeId=None))
        await asyncio.sleep(20)
        world.cluster.store.delete(TFJOBS, "default", NAME)
        second = put(world, distributed(RuntimeId=None))
        await world.until(world.is_done)
        await asyncio.sleep(60)
        assert status(world)["state"] == "Succeeded"
        for resource in CHILDREN:
            for child in world.cluster.store.peek(resource):
                owner = child["metadata"]["ownerReferences"][0]
                assert owner["uid"] == second["metadata"]["uid"]
        assert world.job()["metadata"]["uid"] == second["metadata"]["uid"]

    in_world(story)


def test_10_under_the_same_runtime_id_too():
    async def story(world):
        await world.start_operator()
        put(world, distributed())
        await asyncio.sleep(20)
        world.cluster.store.delete(TFJOBS, "default", NAME)
        put(world, distributed())
        await world.until(world.is_done)
        await asyncio.sleep(180)
        assert status(world)["state"] == "Succeeded"
        assert len(list(world.cluster.store.peek(SERVICES))) == 1  # TensorBoard's

    in_world(story)


@pytest.mark.parametrize("restarted", [False, True])
def test_11_a_finished_pod_that_is_removed_does_not_run_again(restarted):
    async def story(world):
        await world.start_operator()
        put(world, distributed())
        finished = await world.until(
            lambda: [
                p for p in world.cluster.store.peek(PODS) if p["status"]["phase"] == "Succeeded"
            ]
        )
        world.cluster.store.delete(PODS, *key(finished[0]))
        if restarted:
            await restart(world)
        await world.until(world.is_done)
        await asyncio.sleep(60)
        assert status(world)["state"] == "Succeeded"
        assert made_twice(world.cluster) == []
        role = finished[0]["metadata"]["labels"]["job-name"]
        again = [
            p for p in world.cluster.store.peek(PODS) if p["metadata"]["labels"]["job-name"] == role
        ]
        assert again == []

    in_world(story)


def test_12_long_names_are_cut_and_do_not_collide():
    common = "a-name-of-which-the-first-forty-characters-are-the-same"
    assert len(common) > 40

    async def story(world):
        await world.start_operator()
        for end in ("one", "two"):
            put(world, single(f"{common}-{end}", RuntimeId=None))
        await world.until(lambda: world.is_done(f"{common}-one") and world.is_done(f"{common}-two"))
        assert len(list(world.cluster.store.peek(JOBS))) == 2
        for job in world.cluster.store.peek(JOBS):
            assert len(job["metadata"]["name"]) <= 63

    in_world(story)


def test_12_names_that_do_collide_are_told_and_harm_nobody():
    common = "a-name-of-which-the-first-forty-characters-are-the-same"

    async def story(world):
        await world.start_operator()
        put(world, single(f"{common}-one"))
        await asyncio.sleep(5)
        put(world, single(f"{common}-two"))
        await world.until(lambda: world.is_done(f"{common}-one"))
        assert condition(world.job(f"{common}-one"), "Succeeded")
        created = status(world, f"{common}-two")["conditions"][0]
        assert created["reason"] == "NameTaken"

    in_world(story)


@pytest.mark.parametrize(
    "name", ["1st", "a.b", "a" * 64, "b" * 39 + "-" + "c"], ids=["digit", "dot", "long", "cut"]
)
def test_12_names_that_no_child_can_have_fail_with_a_sentence(name):
    async def story(world):
        await world.start_operator()
        put(world, single(name))
        await world.until(lambda: world.is_done(name), seconds=5)
        assert "metadata.name" in status(world, name)["reason"]

    in_world(story)


def test_13_after_the_end_no_pod_runs_and_the_finished_ones_are_kept():
    async def story(world):
        await world.start_operator()
        put(world, distributed())
        await world.until(world.is_done)
        await asyncio.sleep(30)
        return summary(world)["pods"]

    pods = in_world(story)
    assert ("MASTER", "0", "Succeeded") in pods
    assert {phase for _, _, phase in pods} == {"Succeeded", "Failed"}
    assert not [pod for pod in pods if pod[0] == "PS"]


def test_14_without_the_right_to_finalizers_the_refusal_is_shown():
    rules = rbac.read_rules(CHART / "templates" / "rbac.yaml")
    poorer = rbac.without(rules, "tensorflow.org", "tfjobs/finalizers", "update")

    async def story(world):
        await world.start_operator(rules=poorer)
        put(world, single())
        await asyncio.sleep(30)
        created = [c for c in status(world)["conditions"] if c["type"] == "Created"]
        assert created[0]["reason"] == "FailedCreate"
        assert "finalizers" in created[0]["message"]

    in_world(story)


def test_15_a_bad_hour_of_the_api_server_makes_no_duplicate_and_loses_nothing():
    async def story(world):
        await world.start_operator(fault=bad_hour)
        put(world, distributed())
        for _ in range(8):
            await asyncio.sleep(7)
            world.cluster.store.compact()
            world.operators[-1].transport.drop_watches()
        await world.until(world.is_done)
        await asyncio.sleep(120)
        assert status(world)["state"] == "Succeeded"
        assert made_twice(world.cluster) == []

    in_world(story)


async def bad_hour(number, request, go_on):
    """Every third call is refused, each time for another reason, for a minute."""
    from tests.fakes.faults import FAULTS

    kinds = [name for name in FAULTS if "killed" not in name]
    if number % 3 or asyncio.get_running_loop().time() > 60:
        return await go_on(request)
    fault = FAULTS[kinds[number // 3 % len(kinds)]](number, asyncio.Event())
    return await fault(number, request, go_on)


@pytest.mark.parametrize("restarted", [False, True])
def test_16_deadline_and_ttl_fire_on_their_own(restarted):
    async def story(world):
        await world.start_operator()
        policy = {"activeDeadlineSeconds": 100, "ttlSecondsAfterFinished": 300}
        put(world, single(runPolicy=policy))
        await asyncio.sleep(50)
        if restarted:
            await restart(world)
        await asyncio.sleep(60)
        assert reason(world, "Failed") == "DeadlineExceeded"
        if restarted:
            await restart(world)
        await asyncio.sleep(230)
        assert world.job()
        await asyncio.sleep(80)
        assert leftovers(world.cluster) == []

    in_world(story, by_replica(master=[FOR_EVER]))


def test_17_an_operator_killed_every_few_seconds_still_brings_the_job_to_its_end():
    async def story(world):
        put(world, distributed())
        for _ in range(20):
            await world.start_operator()
            await asyncio.sleep(7)
            await world.operators[-1].kill()
        await world.start_operator()
        await world.until(world.is_done)
        await asyncio.sleep(60)
        assert status(world)["state"] == "Succeeded"
        assert made_twice(world.cluster) == []
        told = [event["reason"] for event in world.cluster.store.peek(EVENTS)]
        assert told.count("Succeeded") <= 1

    in_world(story)
