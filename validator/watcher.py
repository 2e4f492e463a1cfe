"""``--watch``: grade again on every change, until nothing can heal by itself any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from validator.connect.connection import Connection
from validator.engine import Exercise, Grade, grade, ungraded, verdict_of
from validator.kubeconfig import NoCluster
from validator.snapshot import Snapshot
from validator.verdicts import EXIT_CODES, Verdict, could_not_check
from validator.watching import Watching

# What no waiting heals, while the watch runs.
FINAL = (Verdict.DONE, Verdict.WRONG)
# What another terminal may heal: somebody applies a manifest, or starts the cluster again.
PATIENCE_SECONDS = {
    Verdict.NOT_STARTED: 30.0,
    Verdict.BLOCKED: 30.0,
    Verdict.COULD_NOT_CHECK: 30.0,
}
# Ages and patience grow without a change of the cluster; this asks nobody.
LOOK_AGAIN_SECONDS = 5.0
CONNECT_AGAIN_SECONDS = 1.0

Show = Callable[[list[Grade], Snapshot, str, bool], str]


def watch(
    connection: Connection,
    exercises: Sequence[Exercise],
    timeout: float | None,
    show: Show,
    patience: Mapping[Verdict, float] = PATIENCE_SECONDS,
) -> int:
    """Watch until a verdict is final, patience ends, or the time is over. Returns: exit code."""
    end = time.monotonic() + timeout if timeout is not None else None
    session = _Session(exercises, end, show, patience)
    while True:
        try:
            return session.follow(Watching(connection, exercises))
        except NoCluster:
            if not session.wait_for_cluster():
                raise


class _Session:
    """One watch across interruptions of the connection."""

    def __init__(
        self,
        exercises: Sequence[Exercise],
        end: float | None,
        show: Show,
        patience: Mapping[Verdict, float],
    ) -> None:
        self._numbers = [each.number for each in exercises]
        self._patience = patience
        self._end, self._show, self._last = end, show, ""
        self._verdict: Verdict | None = None
        self._since = time.monotonic()

    def follow(self, watching: Watching) -> int:
        """Grade at every change. Raises: NoCluster."""
        sure = False
        try:
            while True:
                seen = watching.snapshot()
                grades = grade(seen, self._numbers)
                verdict = verdict_of(grades)
                final = self._is_final(verdict, grades)
                if final and verdict is Verdict.WRONG and not sure:
                    # Changes of several kinds may arrive in any order: look at all of them once.
                    watching.read_again()
                    sure = True
                    continue
                self._last = self._show(grades, seen, self._last, final)
                if final:
                    return EXIT_CODES[verdict]
                sure = False
                watching.wait(self._pause())
        finally:
            watching.close()

    def wait_for_cluster(self) -> bool:
        """Whether to try again to connect, after a pause: an API server may restart."""
        nobody = could_not_check("none", "no answer", "a cluster to read", "Wait.")
        if self._is_final(Verdict.COULD_NOT_CHECK, ungraded(self._numbers, nobody)):
            return False
        time.sleep(CONNECT_AGAIN_SECONDS)
        return bool(self._last)

    def _is_final(self, verdict: Verdict, grades: Sequence[Grade]) -> bool:
        now = time.monotonic()
        if verdict is not self._verdict:
            self._verdict, self._since = verdict, now
        forbidden = any(g.finding and g.finding.id.endswith(".forbidden") for g in grades)
        over = self._end is not None and now >= self._end
        patience = self._patience.get(verdict)
        used_up = patience is not None and now - self._since >= patience
        return verdict in FINAL or over or used_up or forbidden

    def _pause(self) -> float:
        """Until the next look, if nothing changes: not past the end of time or patience."""
        now, pauses = time.monotonic(), [LOOK_AGAIN_SECONDS]
        if self._end is not None:
            pauses.append(self._end - now)
        if self._verdict and self._verdict in self._patience:
            pauses.append(self._since + self._patience[self._verdict] - now)
        return max(0.0, min(pauses))
