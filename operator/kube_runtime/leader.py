"""Leader election by a Lease, so that of several replicas of the operator one acts.

The official client has one, which waits without a limit for an answer, and so leads on when its
lease is another's. This one goes through our seam and the loop's time, so that tests can stop it at
any await. A leader gives up after RENEW_SECONDS, before others, who wait LEASE_SECONDS, begin.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from .kube import LEASES, ApiError, Json, Kube

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = 10
RETRY_SECONDS = 2


class Elector:
    """One candidate. ``identity`` differs from that of every other process."""

    def __init__(
        self, kube: Kube, namespace: str, name: str, identity: str, clock: Callable[[], datetime]
    ) -> None:
        self._kube, self._namespace, self._name = kube, namespace, name
        self._identity, self._clock = identity, clock
        self._seen: tuple[str, str] = ("", "")  # holder and renewTime, as last seen …
        self._seen_at = 0.0  # … and when, by our own clock: those of others may be wrong

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, lead until it is lost, and return (or pass on what lead raised)."""
        now = asyncio.get_running_loop().time
        while not (until := await self._update_lease(self._identity, now() + RENEW_SECONDS)):
            await asyncio.sleep(RETRY_SECONDS)
        log.info("%s leads", self._identity)
        work = asyncio.ensure_future(lead())
        try:
            while (left := until - now()) > 0 and not work.done():
                await asyncio.wait({work}, timeout=min(RETRY_SECONDS, left))
                if not work.done():
                    until = await self._update_lease(self._identity, until) or until
        finally:
            work.cancel()
            await asyncio.wait({work})
            if now() < until:  # so that the next one begins at once, not when the lease has run out
                await self._update_lease("", now() + RETRY_SECONDS)
            else:
                log.error("%s could not renew its lease and stops leading", self._identity)
        if not work.cancelled():
            work.result()

    async def _update_lease(self, holder: str, until: float) -> float | None:
        """Write the holder into the lease if it is free, ours, or has not moved for its whole time.

        Returns: until when it is ours. It counts from before our request, so never too long.
        """
        asked = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(until):
                lease = await self._get()
                spec = lease.get("spec") or {}
                if not self._may_take(spec):
                    return None
                is_new = "resourceVersion" not in lease["metadata"]
                write = self._kube.create if is_new else self._kube.update
                await write(LEASES, {**lease, "spec": self._lease_spec(spec, holder)})
        except (ApiError, OSError) as error:
            log.warning("lease: %s", error or type(error).__name__)
            return None
        return asked + RENEW_SECONDS

    async def _get(self) -> Json:
        """The Lease, or one that is yet to be made."""
        try:
            return await self._kube.get(LEASES, self._namespace, self._name)
        except ApiError as error:
            if error.status != 404:
                raise
        meta = {"name": self._name, "namespace": self._namespace}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}

    def _may_take(self, spec: Json) -> bool:
        holder, now = spec.get("holderIdentity") or "", asyncio.get_running_loop().time()
        seen = (holder, str(spec.get("renewTime")))
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        lasts = spec.get("leaseDurationSeconds") or LEASE_SECONDS
        return holder in ("", self._identity) or now >= self._seen_at + lasts

    def _lease_spec(self, old: Json, holder: str) -> Json:
        stamp = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        new = {"holderIdentity": holder, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": stamp}
        if holder not in ("", old.get("holderIdentity")):
            new |= {"acquireTime": stamp, "leaseTransitions": old.get("leaseTransitions", -1) + 1}
        return {**old, **new}
