"""What the loop does before it knows everything."""

import asyncio

import prometheus_client

from tests.fakes import virtual_time
from tests.fakes.objects import JOBS, TFJOBS
from tests.fakes.operator_life import distributed, fake_world
from tfjob_operator.controller import SILENT_SECONDS


def jobs_made(age_seconds, status=None):
    """Number of children's Jobs made by an operator whose watch of Pods never begins."""

    async def deaf_to_pods(number, request, go_on):
        if request.path.endswith("/pods"):
            await asyncio.Event().wait()
        return await go_on(request)

    async def live():
        world = fake_world()
        job = world.cluster.store.create(TFJOBS, distributed())
        if status:
            world.cluster.store.update(TFJOBS, {**job, "status": status}, subresource="status")
        await asyncio.sleep(age_seconds)
        await world.start_operator(fault=deaf_to_pods)
        await asyncio.sleep(30)
        await world.stop()
        return len(list(world.cluster.store.peek(JOBS)))

    return virtual_time.run(live())


def test_a_new_job_does_not_wait_until_all_the_others_are_known():
    assert jobs_made(age_seconds=1) == 4


def test_a_job_that_may_have_children_does():
    assert jobs_made(age_seconds=60) == 0


def test_a_job_that_may_have_ended_does():
    assert jobs_made(age_seconds=1, status={"phase": "Done", "state": "Succeeded"}) == 0


def test_what_has_not_begun_is_not_stuck_and_what_it_waits_for_is():
    async def deaf(number, request, go_on):
        await asyncio.Event().wait()

    async def live():
        world = fake_world()
        operator = await world.start_operator(fault=deaf)
        await asyncio.sleep(SILENT_SECONDS - 1)
        before = operator.controller.health_problems()
        await asyncio.sleep(2)
        after = operator.controller.health_problems()
        await world.stop()
        return before, after

    assert virtual_time.run(live()) == ([], ["no events of tfjobs"])


def test_what_a_status_tells_for_the_first_time_is_counted_once():
    async def live():
        world = fake_world()
        operator = await world.start_operator()
        world.cluster.store.create(TFJOBS, distributed())
        await world.until(world.is_done)
        await asyncio.sleep(60)
        await world.stop()
        return prometheus_client.generate_latest(operator.controller.metrics.registry).decode()

    told = virtual_time.run(live())
    wanted = {"created": 1, "succeeded": 1, "failed": 0, "restarted": 1, "dropped_events": 0}
    assert [f"tfjob_{name}_total {count}.0" for name, count in wanted.items()] == [
        line for line in told.splitlines() if line.startswith("tfjob_") and "_total" in line
    ]
