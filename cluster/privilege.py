"""Root only where it is needed: runs the same command again through sudo, in the open."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from cluster import host, paths

# What sudo would take away and a build or a node needs.
KEPT = (
    "XDG_CACHE_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "PIP_CERT",
    "SSL_CERT_FILE",
)


def check_host() -> None:
    """Exit with a sentence if no node can run on this machine."""
    host.check()


def sudo_command(arguments: list[str], environment: dict[str, str], python: str) -> list[str]:
    """The command line of the same call as root."""
    kept = [f"{name}={environment[name]}" for name in KEPT if name in environment]
    path = f"PATH={environment.get('PATH', '')}:{host.SYSTEM_FOLDERS}"
    return ["sudo", "env", path, *kept, python, "-m", "cluster", *arguments]


def become_root(arguments: list[str]) -> None:
    """Return as root; otherwise replace this process by the same one through sudo.

    Raises: SystemExit with a sentence if there is no sudo.
    """
    if os.geteuid() == 0:
        os.environ["PATH"] = host.search_path()
        return
    if not shutil.which("sudo"):
        sys.exit(
            "Cannot go on: this needs root, for namespaces and mounts, and there is no sudo;"
            " install sudo, or run it as root"
        )
    command = sudo_command(arguments, dict(os.environ), sys.executable)
    print(f"As root: {shlex.join(command)}", flush=True)
    os.chdir(paths.CHECKOUT)
    os.execvp("sudo", command)
