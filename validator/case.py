"""One diagnosis: what is looked at, and the rules of patience that hold for all of its links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from validator.hints import one_line
from validator.snapshot import Object, Snapshot
from validator.verdicts import Finding, Verdict, converging, could_not_check, wrong

WAIT = "Wait. With --watch, the validator waits for you."
# Kubernetes' own controllers act within a second; after so long they do not run.
CONTROLLER_SECONDS = 300.0
# A pull that may succeed, a node that restarts, a claim just made: no fault before that.
GRACE_SECONDS = 60.0
# A node that restarts is back by then.
NODE_SECONDS = 120.0


@dataclass(frozen=True)
class Case:
    """What is being diagnosed: the cluster, what the learner made, and whether that is over.

    retries: an exit code from 128 upwards is tried again, as the operator does.
    ends: its Pods end, as those of a training do; a server's do not.
    trains: its Pods run the training, so one that prints nothing is at fault.
    """

    cluster: Snapshot
    what: str
    wanted: str
    over: bool = False
    retries: bool = False
    ends: bool = True
    trains: bool = False

    def on_its_way(
        self, cause: str, found: str, *fix: str, since: datetime | None, late: str = ""
    ) -> Finding:
        """Converging. Of a subject that is over, ``diagnosis`` tells the subject's own reason."""
        return converging(cause, found, self.wanted, *(fix or (WAIT,)), since=since, late=late)

    def until_over(
        self, cause: str, found: str, wait: str, fix: str, since: datetime | None
    ) -> Finding:
        """Converging as long as the subject may try again; once it is over, this was the cause."""
        if self.over:
            return wrong(cause, found, self.wanted, fix, redo=True)
        return self.on_its_way(cause, found, wait, fix, since=since)

    def graced(self, finding: Finding, since: datetime | None) -> Finding:
        """A fault that a moment can cause: on its way at first, wrong once it lasts."""
        if self.over or self.cluster.age_seconds(since) >= GRACE_SECONDS:
            return finding
        return finding.but(
            verdict=Verdict.CONVERGING, since=since, redo=False, fix=(WAIT, *finding.fix)
        )

    def last_warning(self, item: Object) -> str:
        """The newest warning about an object, as a sentence part; "" for none."""
        said = next(iter(self.cluster.events(item, warnings=True)), "")
        return f"last warning: {one_line(said)}" if said else ""


def nobody_works(found: str, who: str) -> Finding:
    """A part of Kubernetes itself does not do its work: nothing that a learner did."""
    return could_not_check(
        "control-plane",
        f"{found}: {who} of this cluster does not seem to run",
        "a cluster whose parts all run",
        "See which part of the cluster does not run:",
        "$ python -m cluster status",
        "Start it again:",
        "$ python -m cluster up",
    )
