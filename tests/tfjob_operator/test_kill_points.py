"""A job's whole life with one thing gone wrong, for every API call of the operator and every fault.

Whatever happens at whichever call, the job ends as if nothing had happened: each child made once,
none missing, none left over, and the same status.
"""

import asyncio
import itertools
import random

import pytest

from tests.fakes import virtual_time
from tests.fakes.faults import FAULTS
from tests.fakes.kubelet import Run, by_replica
from tests.fakes.objects import CONFIG_MAPS, JOBS, PODS, SERVICES, TFJOBS, key
from tests.fakes.operator_life import (
    distributed,
    fake_world,
    replica,
    script,
    summary,
    template,
    whole_life,
)


async def suspends_and_resumes(world):
    """A user who does that, of a job whose workers fail when their master goes."""
    cluster, loop = world.cluster, asyncio.get_running_loop()

    def fail(change):
        labels, is_going = pod_labels(change), "deletionTimestamp" in change.obj["metadata"]
        if labels.get("job_type") == "MASTER" and is_going:
            loop.call_later(0.2, fail_workers)

    def fail_workers():
        for pod in cluster.store.peek(PODS, "default"):
            if pod["metadata"]["labels"]["job_type"] == "WORKER":
                cluster.kubelet.end(*key(pod), exit_code=1)

    cluster.store.listeners.append(fail)
    for seconds, suspend in ((20, True), (30, False)):
        await asyncio.sleep(seconds)
        obj = world.job()
        obj["spec"]["runPolicy"] = {"suspend": suspend}
        cluster.store.update(TFJOBS, obj)


async def stops_slowly(world):
    """The same user, and Pods that take eight seconds to stop."""
    world.cluster.kubelet.stop_seconds = 8
    await suspends_and_resumes(world)


async def alters_by_hand(world):
    """A user who takes labels from a Service and a Job, and deletes a ConfigMap and a Job."""
    store = world.cluster.store
    await asyncio.sleep(20)
    for resource, name in ((SERVICES, "mnist-ps-76no-0"), (JOBS, "mnist-worker-76no-0")):
        if found := store.find(resource, "default", name):
            found["metadata"].pop("labels", None)
            store.update(resource, found)
    await asyncio.sleep(20)
    for resource, name in ((CONFIG_MAPS, "cm-ps-76no"), (JOBS, "mnist-ps-76no-0")):
        if store.find(resource, "default", name):
            store.delete(resource, "default", name)


def with_side_car():
    pod = template()
    pod["spec"]["containers"].append({"name": "shipper", "image": "shipper"})
    return pod


def pod_labels(change):
    return change.obj["metadata"].get("labels") or {} if change.resource is PODS else {}


# Names of jobs' lives: what the Pods do, which TfJob asks for them, what a user does meanwhile.
LIVES = {
    "it succeeds": (script(), distributed()),
    "a worker fails for good": (
        by_replica(master=[Run(exit_code=None)], worker_1=[Run(60, 1)], ps=[Run(exit_code=None)]),
        distributed(),
    ),
    "nothing is kept": (
        script(),
        distributed(runPolicy={"cleanPodPolicy": "All"}),
    ),
    "its template is refused": (
        script(),
        distributed(
            replicaSpecs=[replica("MASTER", template=template(image=""))], tensorboard=None
        ),
    ),
    "it is suspended and resumed": (script(), distributed(), suspends_and_resumes),
    "its Pods stop slowly": (script(), distributed(), stops_slowly),
    "its children are altered by hand": (script(), distributed(), alters_by_hand),
    "side-cars run on": (
        by_replica(master=[Run(30, 137), Run(60)]),
        distributed(replicaSpecs=[replica("MASTER", template=with_side_car())], tensorboard=None),
    ),
}
STALE_SEEDS = range(4)


def live(life, **options):
    """(what there was to see at the end, the operator's calls) of one life."""

    async def one():
        plan, obj, *user = LIVES[life]
        world = fake_world(plan, **options)
        fault = world.options.pop("make_fault", None)
        if fault:
            world.options["fault"] = fault(world.crash)
        try:
            return await whole_life(world, obj, *user), world.calls
        except AssertionError as error:
            raise AssertionError(f"{error}\n{world.tail()}") from error

    return virtual_time.run(one())


@pytest.fixture(scope="module")
def tried(request):
    """Counts the points; the number is printed when the module is done."""
    counts = []
    yield counts
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nkill points and faults tried: {sum(counts)}")


def delays(seed):
    """Watch events come late: by seconds, by nothing, differently for each kind and moment."""
    dice = random.Random(seed)
    longest = {}

    def delay(change):
        most = longest.setdefault(change.resource, dice.choice([0.0, 0.5, 3.0, 12.0]))
        return dice.uniform(0, most)

    return delay


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_job_ends_as_if_nothing_had_happened(life, fault, tried):
    wanted, calls = live(life)
    assert wanted["left over"] == []
    for number in range(len(calls)):
        end, _ = live(life, make_fault=lambda crash, n=number: FAULTS[fault](n, crash))
        assert end == wanted, f"{fault} at {calls[number]}"
    tried.append(len(calls))


@pytest.mark.parametrize("seed", STALE_SEEDS)
@pytest.mark.parametrize("fault", ["killed before the call", "killed after the call"])
def test_old_news_change_nothing(seed, fault, tried):
    wanted, _ = live("it succeeds")
    peaceful, calls = live("it succeeds", watch_delay=delays(seed))
    assert peaceful == wanted
    for number in range(len(calls)):
        make = lambda crash, n=number: FAULTS[fault](n, crash)  # noqa: E731
        end, _ = live("it succeeds", watch_delay=delays(seed), make_fault=make)
        assert end == wanted, f"{fault} at {calls[number]}, old news of seed {seed}"
    tried.append(len(calls) + 1)


@pytest.mark.parametrize("fault", ["killed before the call", "killed after the call"])
def test_an_api_server_that_takes_its_time_changes_nothing(fault, tried):
    wanted, _ = live("it succeeds")
    peaceful, calls = live("it succeeds", latency_seconds=0.8)
    assert peaceful == wanted
    for number in range(len(calls)):
        make = lambda crash, n=number: FAULTS[fault](n, crash)  # noqa: E731
        end, _ = live("it succeeds", latency_seconds=0.8, make_fault=make)
        assert end == wanted, f"{fault} at {calls[number]}"
    tried.append(len(calls) + 1)


def test_a_dropped_watch_loses_nothing(tried):
    wanted, calls = live("it succeeds")

    def drop(number):
        def make(crash):
            async def fault(current, request, go_on):
                response = await go_on(request)
                if current == number:
                    go_on.__self__.drop_watches()
                return response

            return fault

        return make

    for number in range(len(calls)):
        end, _ = live("it succeeds", make_fault=drop(number))
        assert end == wanted, f"watches dropped at {calls[number]}"
    tried.append(len(calls))


def test_a_history_that_is_forgotten_again_and_again_loses_nothing(tried):
    async def one(period):
        world = fake_world()

        async def forget():
            while True:
                await asyncio.sleep(period)
                world.cluster.store.compact()
                for operator in world.operators:
                    operator.transport.drop_watches()

        task = asyncio.create_task(forget())
        try:
            return await whole_life(world)
        finally:
            task.cancel()

    wanted, _ = live("it succeeds")
    for period in (0.07, 0.5, 3.0):
        assert virtual_time.run(one(period)) == wanted
        tried.append(1)


def test_several_faults_in_one_life_change_nothing(tried):
    wanted, calls = live("it succeeds")
    kinds = [name for name in FAULTS if "killed" not in name]
    for seed in range(40):
        dice = random.Random(seed)
        chosen = {n: dice.choice(kinds) for n in range(3 * len(calls)) if dice.random() < 0.25}

        def make(crash, chosen=chosen):
            faults = {n: FAULTS[kind](n, crash) for n, kind in chosen.items()}

            async def fault(current, request, go_on):
                if current not in faults:
                    return await go_on(request)
                return await faults[current](current, request, go_on)

            return fault

        end, _ = live("it succeeds", make_fault=make, watch_delay=delays(seed))
        assert end == wanted, f"seed {seed}: {chosen}"
        tried.append(1)


def test_killed_again_and_again_the_job_still_ends(tried):
    """The operator lives for a few calls only, each time; it gets there all the same."""

    async def one(calls_each):
        world = fake_world()
        _, obj = LIVES["it succeeds"]
        for _ in itertools.count():
            crash = asyncio.Event()
            fault = FAULTS["killed after the call"](calls_each, crash)
            operator = await world.start_operator(fault=fault)
            if len(world.operators) == 1:
                world.cluster.store.create(TFJOBS, obj)
            waiter = asyncio.create_task(crash.wait())
            await asyncio.wait({waiter}, timeout=300)
            waiter.cancel()
            await operator.kill()
            if world.is_done() and len(list(world.cluster.store.peek(SERVICES))) == 1:
                break  # TensorBoard's: the others go last
            await asyncio.sleep(1)
            assert len(world.operators) < 60, world.tail()
        await asyncio.sleep(5)  # what was deleted last stops
        return summary(world)

    wanted, _ = live("it succeeds")
    for calls_each in (15, 18, 23):
        end = virtual_time.run(one(calls_each))
        assert end == {k: v for k, v in wanted.items() if k != "left over"}
        tried.append(1)
