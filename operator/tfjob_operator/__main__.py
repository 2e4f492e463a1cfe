"""python -m tfjob_operator: parses flags, wires the parts, and shuts down on SIGTERM."""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
import uuid
from pathlib import Path

import uvloop
from kubernetes.aio.config import ConfigException

from kube_runtime.kube import MAX_IN_FLIGHT, ApiError, Kube
from kube_runtime.leader import Elector
from kube_runtime.transport import HttpTransport, load_settings

from . import __version__, config, metrics
from .controller import Controller, utc_now

log = logging.getLogger("tfjob_operator")
LOG_LINE = "time=%(asctime)s level=%(levelname)s logger=%(name)s job=%(job)s message=%(message)s"


class LogFormatter(logging.Formatter):
    """logfmt. The message is quoted as JSON, so text from a manifest cannot add fields."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = json.dumps(record.message)
        return super().formatMessage(record)


def parse_flags(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the flags that operator/README.md describes."""
    parser = argparse.ArgumentParser(prog="tfjob_operator", description="Runs TfJobs.")
    add = parser.add_argument
    add("--controller-config-file", "--controller_config_file", type=Path, metavar="FILE")
    add("--kubeconfig", default=os.environ.get("KUBECONFIG"), help="default: the Pod's own account")
    add("--namespace", default="", help="watch this one only (default: all)")
    add("--port", type=int, default=8080, help="of /metrics and /healthz; 0 serves neither")
    add("--workers", type=int, default=config.WORKERS, help="TfJobs worked on at a time")
    add("--max-in-flight", type=int, default=MAX_IN_FLIGHT, help="creations under way at a time")
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
            await metrics.serve(
                flags.port, counters, controller.health_problems, controller.health_warnings
            )
        if not flags.leader_elect:
            return await controller.run()
        lease, identity = (flags.lease_namespace, flags.lease_name), own_identity()
        await Elector(kube, *lease, identity, utc_now).run(controller.run)
        raise RuntimeError("the lease was lost; restarting as a candidate")


def own_identity() -> str:
    """The holder in the Lease; unique, even for two processes on one host."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


async def run_until_sigterm(flags: argparse.Namespace) -> None:
    work = asyncio.ensure_future(run(flags))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    await asyncio.wait({work})
    if work.cancelled():
        log.info("stopped by SIGTERM or SIGINT")
    else:
        work.result()


def main() -> None:
    flags = parse_flags()
    sys.setrecursionlimit(40_000)  # the API server takes manifests 10,000 deep
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(LOG_LINE, "%Y-%m-%dT%H:%M:%SZ", defaults={"job": ""}))
    logging.basicConfig(level=flags.log_level.upper(), handlers=[handler])
    try:
        uvloop.run(run_until_sigterm(flags))
    except (ValueError, ConfigException, ApiError, RuntimeError, OSError) as error:
        sys.exit(f"tfjob_operator: {error}")


if __name__ == "__main__":
    main()
