"""python -m tfjob_operator: parses flags, wires the parts, and shuts down on SIGTERM."""

import argparse
import os
import sys
from pathlib import Path

import uvloop
from kubernetes.aio.config import ConfigException

from kube_runtime import endpoints
from kube_runtime.kube import MAX_IN_FLIGHT, ApiError, Kube
from kube_runtime.leader import Elector
from kube_runtime.process import log_to_stderr, own_identity, run_until_sigterm
from kube_runtime.times import utc_now
from kube_runtime.transport import HttpTransport, load_settings

from . import __version__, config, metrics
from .controller import Controller


def parse_flags(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the flags that operator/README.md describes."""
    parser = argparse.ArgumentParser(prog="tfjob_operator", description="Runs TfJobs.")
    add = parser.add_argument
    add("--controller-config-file", "--controller_config_file", type=Path, metavar="FILE")
    add("--kubeconfig", default=os.environ.get("KUBECONFIG"), help="default: the Pod's own account")
    add("--namespace", default="", help="watch this one only (default: all)")
    add("--port", type=int, default=8080, help="of /metrics and /healthz; 0 serves neither")
    add("--workers", type=int, default=config.WORKERS, help="TfJobs with creations at a time")
    add("--max-in-flight", type=int, default=MAX_IN_FLIGHT, help="creations, deletions at a time")
    add("--leader-elect", action="store_true", help="act only while holding a Lease")
    add("--lease-namespace", default=os.environ.get("POD_NAMESPACE", "default"))
    add("--lease-name", default="tf-job-operator")
    add("--version", action="version", version=f"tf-job-operator {__version__}")
    add("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return parser.parse_args(arguments)


async def run(flags: argparse.Namespace) -> None:
    """Run until SIGTERM or SIGINT, or until the lease is lost."""
    file, counters = flags.controller_config_file, metrics.Metrics()
    settings = config.read(file, namespace=flags.namespace, workers=flags.workers)
    async with HttpTransport(await load_settings(flags.kubeconfig)) as transport:
        kube = Kube(transport, flags.max_in_flight)
        controller = Controller(kube, settings, metrics=counters)
        if flags.port:
            health = controller.health_problems, controller.health_warnings
            await endpoints.serve(flags.port, counters.registry, *health)
        if not flags.leader_elect:
            return await controller.run()
        lease, identity = (flags.lease_namespace, flags.lease_name), own_identity()
        await Elector(kube, *lease, identity, utc_now).run(controller.run)
        raise RuntimeError("the lease was lost; restarting as a candidate")


def main() -> None:
    flags = parse_flags()
    sys.setrecursionlimit(40_000)  # the API server takes manifests 10,000 deep
    log_to_stderr(flags.log_level)
    try:
        uvloop.run(run_until_sigterm(run(flags)))
    except (ValueError, ConfigException, ApiError, RuntimeError, OSError) as error:
        sys.exit(f"tfjob_operator: {error}")


if __name__ == "__main__":
    main()
