"""Root only where it is needed: runs the same command again through sudo, in the open."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from cluster import paths
from cluster.errors import CannotGoOn

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
SYSTEM_PATH = f"{SYSTEM_FOLDERS}:/usr/local/bin:/usr/bin:/bin"
# What sudo would take away and a build or a node needs.
KEPT = (
    "XDG_CACHE_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "GOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_INDEX_URL",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "KEEP_BUILD_CACHE",
    paths.STATE_VARIABLE,
)


def is_root() -> bool:
    return os.geteuid() == 0


def search_path() -> str:
    """PATH with the system folders that an ordinary user's PATH lacks on Debian."""
    return os.environ.get("PATH", "") + ":" + SYSTEM_FOLDERS


def as_root(command: list[str]) -> list[str]:
    """The command as root would run it: through sudo unless we are root already."""
    return command if os.geteuid() == 0 else ["sudo", *command]


def sudo_command(arguments: list[str], environment: dict[str, str], python: str) -> list[str]:
    """The command line of the same call as root."""
    kept = [f"{name}={environment[name]}" for name in KEPT if name in environment]
    # The system's programs first: root runs no `ip` that a folder of the user's puts before it.
    path = f"PATH={SYSTEM_PATH}:{environment.get('PATH', '')}"
    return ["sudo", "env", path, *kept, python, "-m", "cluster", *arguments]


def root_command(arguments: list[str]) -> list[str]:
    """The command line of one of our verbs as root, for now.

    Raises: CannotGoOn if there is no sudo.
    """
    if not shutil.which("sudo"):
        raise CannotGoOn(
            "this needs root, for namespaces and mounts, and there is no sudo",
            fix="install sudo, or run it as root",
        )
    return sudo_command(arguments, dict(os.environ), sys.executable)


def show(command: list[str]) -> None:
    print(f"As root: {shlex.join(command)}", flush=True)


def become_root(arguments: list[str]) -> None:
    """Return as root; otherwise replace this process by the same one through sudo."""
    if is_root():
        os.environ["PATH"] = search_path()
        return
    command = root_command(arguments)
    show(command)
    os.chdir(paths.CHECKOUT)
    os.execvp("sudo", command)
