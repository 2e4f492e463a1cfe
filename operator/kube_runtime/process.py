"""An operator as a process: its log lines, identity, DNS domain, and its end by SIGTERM."""

import asyncio
import json
import logging
import signal
import socket
import time
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
DEFAULT_DOMAIN = "cluster.local"
LOG_LINE = "time=%(asctime)s level=%(levelname)s logger=%(name)s job=%(job)s message=%(message)s"


class LogFormatter(logging.Formatter):
    """logfmt. The message is quoted as JSON, so text from a manifest cannot add fields."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = json.dumps(record.message)
        return super().formatMessage(record)


def log_to_stderr(level: str) -> None:
    """Log in UTC. A record's ``extra`` may name its job."""
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(LOG_LINE, "%Y-%m-%dT%H:%M:%SZ", defaults={"job": ""}))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def own_identity() -> str:
    """The holder in a Lease; unique, even for two processes on one host."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


def cluster_domain(path: Path = Path("/etc/resolv.conf")) -> str:
    """The cluster's DNS domain, from the search line in the Pod's own resolv.conf."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return DEFAULT_DOMAIN
    searched = [word for line in lines if line[:1] == ["search"] for word in line[1:]]
    domains = (word.removeprefix("svc.") for word in searched if word.startswith("svc."))
    return next(domains, DEFAULT_DOMAIN).rstrip(".")


async def run_until_sigterm(work: Coroutine[Any, Any, None]) -> None:
    """Run until the work ends; SIGTERM and SIGINT cancel it. Raises: what the work raises."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait({task})
    if task.cancelled():
        log.info("stopped by SIGTERM or SIGINT")
    else:
        task.result()
