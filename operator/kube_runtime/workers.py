"""The workers of a controller: each takes a key from the queue, and reconciles it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .kube import ApiError, in_words
from .work_queue import Share, WorkQueue

log = logging.getLogger(__name__)


@dataclass
class Workers:
    """The workers of one queue. A key whose ``sync`` raises is requeued at its rate limit.

    ``sync(key, priority)`` runs one pass, and forgets the key in the queue after a success.
    ``name`` names a key in log lines. ``observe`` gets the seconds that each pass took.
    """

    queue: WorkQueue
    sync: Callable[[str, int], Awaitable[None]]
    name: Callable[[str], str]
    observe: Callable[[float], None]
    busy_since: dict[str, float] = field(default_factory=dict)  # start of a key's pass

    async def work(self, share: Share) -> None:
        """One worker, for the keys of ``share``. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            key, priority = await self.queue.get(share)
            self.busy_since[key] = started = loop.time()
            try:
                await self.sync(key, priority)
            except Exception as error:
                self._requeue(key, priority, error)
            finally:
                del self.busy_since[key]
                self.queue.done(key)
                took = loop.time() - started
                self.observe(took)
            # Even 0 lets the watches run, also if the pass sent no request.
            await asyncio.sleep(share.rest * took)

    def _requeue(self, key: str, priority: int, error: Exception) -> None:
        fields = {"job": self.name(key)}
        if isinstance(error, ApiError | OSError):
            log.info("%s; trying again", in_words(error), extra=fields)
        else:
            log.error("cannot be reconciled; trying again", exc_info=error, extra=fields)
        pause = getattr(error, "retry_after_seconds", None) or 0.0
        self.queue.add_rate_limited(key, priority, at_least=pause)
