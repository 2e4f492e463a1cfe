"""Leader election by a Lease: of several operator Pods only one acts.

A leader that cannot renew the Lease stops after RENEW_SECONDS. Others wait LEASE_SECONDS, so two
never lead at once. The official client's election waits for a response without a timeout, and may
lead on after its lease has expired. This one uses ``Kube`` and the event loop's clock, so tests
can run it in virtual time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC

from .kube import LEASES, ApiError, Json, Kube, in_words, unless_gone
from .times import Clock

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = 10
RETRY_SECONDS = 2


class Elector:
    """One candidate. ``identity`` is unique among all processes."""

    def __init__(self, kube: Kube, namespace: str, name: str, identity: str, clock: Clock) -> None:
        self._kube, self._namespace, self._name = kube, namespace, name
        self._identity, self._clock = identity, clock
        self._seen: tuple[str, str] = ("", "")  # the last holder and renewTime
        self._seen_at = 0.0  # when we first saw them, by our own clock: clocks may differ

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Acquire the lease, run ``lead``, and return when the lease is lost or ``lead`` ends."""
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
            if now() < until:  # release the lease, so that the next leader need not wait
                await self._update_lease("", now() + RETRY_SECONDS)
            else:
                log.error("%s could not renew its lease and stops leading", self._identity)
        if not work.cancelled():
            work.result()

    async def _update_lease(self, holder: str, give_up_at: float) -> float | None:
        """Acquire or renew the lease (or release it: holder ""), if it is free, ours or expired.

        ``give_up_at``: when to stop waiting for the API server. Returns: until when the lease is
        ours, counted from before the request; None without success.
        """
        requested_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(give_up_at):
                get = self._kube.get(LEASES, self._namespace, self._name)
                lease = await unless_gone(get) or self._new_lease()
                spec = lease.get("spec") or {}
                if not self._may_take(spec):
                    return None
                is_new = "resourceVersion" not in lease["metadata"]
                write = self._kube.create if is_new else self._kube.update
                await write(LEASES, {**lease, "spec": self._lease_spec(spec, holder)})
        except (ApiError, OSError) as error:
            log.warning("lease: %s", in_words(error))
            return None
        return requested_at + RENEW_SECONDS

    def _new_lease(self) -> Json:
        meta = {"name": self._name, "namespace": self._namespace}
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta}

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
