"""Leader election by a Lease, so that of several replicas of the operator one acts.

The official client has one, but bound to its own calls and to the wall clock; this one goes
through our seam and the loop's time, so that tests can stop it at any await. A leader stops before
its lease runs out by anyone's watch: it gives up after RENEW_SECONDS, others wait LEASE_SECONDS.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from .kube import LEASES, ApiError, Kube
from .spec import Json

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = 10
RETRY_SECONDS = 2


class Elector:
    """One candidate. ``identity`` outlives a crash of the process, so it resumes at once."""

    def __init__(
        self, kube: Kube, namespace: str, name: str, identity: str, clock: Callable[[], datetime]
    ) -> None:
        self._kube, self._namespace, self._name = kube, namespace, name
        self._identity, self._clock = identity, clock
        self._seen: tuple[str, str] = ("", "")  # holder and renewTime, as last seen …
        self._seen_at = 0.0  # … and when, by our own clock: those of others may be wrong
        self.is_leader = False

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, lead until it is lost, and return (or pass on what lead raised)."""
        while not await self._try():
            await asyncio.sleep(RETRY_SECONDS)
        log.info("%s leads", self._identity)
        work = asyncio.ensure_future(lead())
        renewal = asyncio.ensure_future(self._renew())
        self.is_leader = True
        try:
            await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_leader = False
            kept = not renewal.done()
            await _stop(work)
            await _stop(renewal)
            if kept:
                await self._release()
        if not work.cancelled():
            work.result()

    async def _renew(self) -> None:
        """Return when the lease could not be renewed in time."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while (left := renewed + RENEW_SECONDS - loop.time()) > 0:
            await asyncio.sleep(min(RETRY_SECONDS, left))
            asked = loop.time()
            try:
                async with asyncio.timeout(max(renewed + RENEW_SECONDS - asked, 0)):
                    if await self._try():
                        renewed = asked  # others count from our asking at the earliest
            except TimeoutError:
                continue
        log.error("%s could not renew its lease and stops leading", self._identity)

    async def _try(self) -> bool:
        """Take or renew the lease if it is free, ours, or has not moved for its whole time."""
        try:
            lease = await self._kube.get(LEASES, self._namespace, self._name)
            if not self._may_take(lease.get("spec") or {}):
                return False
            await self._kube.update(LEASES, {**lease, "spec": self._spec(lease["spec"])})
        except ApiError as error:
            return error.status == 404 and await self._create()
        except OSError as error:
            log.warning("lease: %s", error or type(error).__name__)
            return False
        return True

    def _may_take(self, spec: Json) -> bool:
        holder, now = spec.get("holderIdentity") or "", asyncio.get_running_loop().time()
        seen = (holder, str(spec.get("renewTime")))
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        lasts = spec.get("leaseDurationSeconds") or LEASE_SECONDS
        return holder in ("", self._identity) or now >= self._seen_at + lasts

    def _spec(self, old: Json) -> Json:
        stamp = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        new = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": stamp,
        }
        if old.get("holderIdentity") == self._identity:
            return {**old, **new}
        transitions = old.get("leaseTransitions", 0) + (1 if old else 0)
        return {**old, **new, "acquireTime": stamp, "leaseTransitions": transitions}

    async def _create(self) -> bool:
        meta = {"name": self._name, "namespace": self._namespace}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
        try:
            await self._kube.create(LEASES, {**body, "spec": self._spec({})})
        except (ApiError, OSError) as error:
            log.warning("lease: %s", error or type(error).__name__)
            return False
        return True

    async def _release(self) -> None:
        """Let the next one begin at once; if that fails, it begins when the lease has run out."""
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                lease = await self._kube.get(LEASES, self._namespace, self._name)
                if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                    freed = {**lease, "spec": {**lease["spec"], "holderIdentity": ""}}
                    await self._kube.update(LEASES, freed)
        except (ApiError, OSError) as error:
            log.warning("lease not released: %s", error or type(error).__name__)


async def _stop(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
