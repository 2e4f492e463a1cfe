"""Prometheus metrics. ``apply`` and the controller count; ``__main__`` serves them."""

import prometheus_client as prometheus

from tfjob_api import reasons

BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Metrics:
    """All metrics; they count from the start of the process."""

    def __init__(self) -> None:
        # No …_created series: the creation time of each counter, which nobody reads.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus.CollectorRegistry()

        def counter(name: str, about: str) -> prometheus.Counter:
            return prometheus.Counter(f"tfjob_{name}", about, registry=self.registry)

        self._by_reason = {
            reasons.SUCCESSFUL_CREATE: counter("created", "TfJobs that got all their children"),
            reasons.SUCCEEDED: counter("succeeded", "TfJobs that succeeded"),
        }
        self._by_reason |= dict.fromkeys(reasons.FAILURES, counter("failed", "TfJobs that failed"))
        self.restarted = counter("restarted", "Pods that failed or were stopped, and run again")
        self.dropped_events = counter("dropped_events", "Events that could not be sent")
        name, about = "tfjob_reconcile_duration_seconds", "One pass over one TfJob"
        self.duration = prometheus.Histogram(name, about, buckets=BUCKETS, registry=self.registry)
        self.depth = prometheus.Gauge("tfjob_queue_depth", "Waiting TfJobs", registry=self.registry)

    def count(self, reason: str) -> None:
        """Count a condition that a status write has changed, by its reason."""
        if reason in self._by_reason:
            self._by_reason[reason].inc()
