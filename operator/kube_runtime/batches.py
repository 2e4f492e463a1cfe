"""Many requests side by side, within the bounds that Kubernetes' own controllers keep."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

MAX_BATCH = 8  # calls in flight at a time

Item = TypeVar("Item")
Work = Coroutine[Any, Any, None]


async def slow_start(items: Sequence[Item], work: Callable[[Item], Work]) -> list[BaseException]:
    """Call ``work`` for the first item, then for the others, in batches of eight.

    Stops after a batch with an error, so an exhausted quota gets eight requests at most. Returns
    the errors of that batch; [] if all succeeded.
    """
    start, size = 0, 1
    while start < len(items):
        batch = items[start : start + size]
        if errors := await run_all(map(work, batch)):
            return errors
        start, size = start + size, MAX_BATCH
    return []


async def run_all(works: Iterable[Work]) -> list[BaseException]:
    """Run all concurrently. Returns the errors; [] if all succeeded."""
    results = await asyncio.gather(*works, return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]
