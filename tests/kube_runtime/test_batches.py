import asyncio

from kube_runtime.batches import run_all, slow_start


def worked_on(count, fails_from):
    """Runs a slow start over so many items, of which some fail; returns (batches, errors)."""
    batches, in_flight = [], set()

    async def work(item):
        in_flight.add(item)
        await asyncio.sleep(0)
        if in_flight:
            batches.append(len(in_flight))
            in_flight.clear()
        if item >= fails_from:
            raise OSError(item)

    return batches, asyncio.run(slow_start(range(count), work))


def test_the_first_goes_alone_and_the_others_in_batches():
    assert worked_on(30, fails_from=99) == ([1, 8, 8, 8, 5], [])


def test_nothing_follows_a_batch_with_an_error():
    batches, errors = worked_on(30, fails_from=7)
    assert batches == [1, 8]
    assert [error.args for error in errors] == [(7,), (8,)]
    assert worked_on(30, fails_from=0)[0] == [1]


def test_every_error_is_known_when_all_have_finished():
    done = []

    async def work(number):
        await asyncio.sleep(0.001 * number)
        done.append(number)
        if number in (1, 2):
            raise OSError(number)

    errors = asyncio.run(run_all(map(work, range(4))))
    assert done == [0, 1, 2, 3]
    assert [error.args for error in errors] == [(1,), (2,)]
