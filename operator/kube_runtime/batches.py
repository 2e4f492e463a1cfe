"""Many requests side by side, within the bounds that Kubernetes' own controllers keep."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

MAX_BATCH = 8  # calls in flight at a time

Item = TypeVar("Item")
Work = Coroutine[Any, Any, None]


async def slow_start(items: Sequence[Item], work: Callable[[Item], Work]) -> list[BaseException]:
    """Call ``work`` for the first item, then for the others, in batches of eight.

    Stops after a batch with an error, so an exhausted quota gets few requests. Returns the errors
    of that batch; [] if all succeeded.
    """
    start, size = 0, 1
    while start < len(items):
        batch = items[start : start + size]
        results = await asyncio.gather(*map(work, batch), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            return errors
        start, size = start + size, MAX_BATCH
    return []


async def run_all(works: Iterable[Work]) -> None:
    """Run all concurrently. Raises the first error, after all have finished."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for error in results:
        if isinstance(error, BaseException):
            raise error
