"""Of several replicas of the operator one acts; when it stops, another does within the lease."""

import asyncio
import itertools

import pytest

from kube_runtime import leader
from tests.fakes import virtual_time
from tests.fakes.objects import LEASES, TFJOBS
from tests.fakes.operator_life import distributed, fake_world, made_twice, summary

WITHIN_SECONDS = leader.LEASE_SECONDS + leader.RETRY_SECONDS + 1


class Deeds:
    """When which replica wrote anything but the Lease."""

    def __init__(self):
        self.by = {}

    def of(self, name, fault=None):
        times = self.by.setdefault(name, [])

        async def watch(number, request, go_on):
            if request.method != "GET" and "leases" not in request.path:
                times.append(asyncio.get_running_loop().time())
            return await (fault(number, request, go_on) if fault else go_on(request))

        return watch

    def never_overlap(self):
        """Whether the replicas acted one after the other."""
        spans = sorted((times[0], times[-1]) for times in self.by.values() if times)
        return all(first[1] < second[0] for first, second in itertools.pairwise(spans))


async def two_replicas(deeds, fault_of_one=None):
    world = fake_world()
    one = await world.start_operator(fault=deeds.of("one", fault_of_one), identity="one")
    await asyncio.sleep(1)
    two = await world.start_operator(fault=deeds.of("two"), identity="two")
    return world, one, two


async def make_jobs(world, until_seconds):
    """A new job every second, so that a leader always has something to write."""
    for number in range(until_seconds):
        name = f"job-{number:03d}"
        obj = distributed(name, RuntimeId=f"{number:04d}", tensorboard=None)
        world.cluster.store.create(TFJOBS, obj)
        await asyncio.sleep(1)


async def refuse_leases(number, request, go_on):
    """The leader still reaches everything but its Lease."""
    if "leases" in request.path and asyncio.get_running_loop().time() > 20:
        raise ConnectionRefusedError
    return await go_on(request)


async def hang_leases(number, request, go_on):
    """The Lease's calls get no answer for a minute; everything else works."""
    if "leases" in request.path and asyncio.get_running_loop().time() > 20:
        await asyncio.sleep(60)
    return await go_on(request)


def test_the_second_replica_does_nothing_while_the_first_leads():
    async def live():
        deeds = Deeds()
        world, _one, _two = await two_replicas(deeds)
        await make_jobs(world, 40)
        await world.stop()
        return deeds.by

    by = virtual_time.run(live())
    assert by["one"]
    assert not by["two"]


@pytest.mark.parametrize("fault", [None, refuse_leases, hang_leases])
def test_two_replicas_never_act_at_the_same_time(fault):
    async def live():
        deeds = Deeds()
        world, one, _two = await two_replicas(deeds, fault)
        jobs = asyncio.create_task(make_jobs(world, 90))
        await asyncio.sleep(30)
        if fault is None:
            await one.kill()
        await jobs
        await world.stop()
        return deeds, made_twice(world.cluster)

    deeds, twice = virtual_time.run(live())
    assert deeds.by["one"]
    assert deeds.by["two"]
    assert deeds.never_overlap()
    assert twice == []


async def seconds_without_a_leader(end):
    """Until the second replica acts, from when ``end`` takes the first one away."""
    deeds = Deeds()
    world, one, _two = await two_replicas(deeds)
    jobs = asyncio.create_task(make_jobs(world, 60))
    await asyncio.sleep(20.5)
    ended = asyncio.get_running_loop().time()
    await end(one)
    await jobs
    await world.stop()
    return deeds.by["two"][0] - ended


def test_a_leader_that_is_killed_is_replaced_within_the_leases_time():
    took = virtual_time.run(seconds_without_a_leader(lambda one: one.kill()))
    assert took <= WITHIN_SECONDS


def test_a_leader_that_is_told_to_stop_hands_over_at_once():
    took = virtual_time.run(seconds_without_a_leader(lambda one: one.stop()))
    assert took <= leader.RETRY_SECONDS + 1


def test_of_two_that_start_together_one_leads():
    async def live():
        deeds, world = Deeds(), fake_world()
        for name in ("one", "two"):
            await world.start_operator(fault=deeds.of(name), identity=name)
        await make_jobs(world, 30)
        await world.stop()
        lease = world.cluster.store.all(LEASES)[0]
        return [name for name, times in deeds.by.items() if times], lease["spec"]

    active, spec = virtual_time.run(live())
    assert active == [spec["holderIdentity"]]


def test_a_job_survives_a_change_of_leaders():
    async def live(change):
        world, one, _two = await two_replicas(Deeds())
        world.cluster.store.create(TFJOBS, distributed())
        await asyncio.sleep(45)
        if change:
            await one.kill()
        await world.until(world.is_done)
        await asyncio.sleep(60)
        await world.stop()
        return summary(world)

    assert virtual_time.run(live(change=True)) == virtual_time.run(live(change=False))


def test_a_leader_back_under_its_name_resumes_without_waiting():
    async def live():
        world = fake_world()
        one = await world.start_operator(identity="one")
        await asyncio.sleep(5)
        await one.kill()
        deeds = Deeds()
        await world.start_operator(identity="one", fault=deeds.of("one"))
        world.cluster.store.create(TFJOBS, distributed())
        await asyncio.sleep(2)
        await world.stop()
        return deeds.by["one"]

    assert virtual_time.run(live())
