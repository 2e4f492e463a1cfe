"""Root only where it is needed: runs the same command again through sudo, in the open.

    python -m cluster.privilege MODULE [ARGUMENT …]   `python -m MODULE` as root

`make test` calls it: the tests make namespaces and kill what runs in nodes.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from cluster import host, paths
from cluster.errors import CannotGoOn, explained

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
    "TEST_CLUSTER",
    "KEEP_CLUSTER",
    "NOTEBOOKS",
)


def is_root() -> bool:
    return os.geteuid() == 0


def sudo_command(
    arguments: list[str], environment: dict[str, str], python: str, module: str = "cluster"
) -> list[str]:
    """The command line of the same call as root."""
    kept = [f"{name}={environment[name]}" for name in KEPT if name in environment]
    # The system's programs first: root runs no `ip` that a folder of the user's puts before it.
    path = f"PATH={host.SYSTEM_PATH}:{environment.get('PATH', '')}"
    # Compiled modules of root's would lie in the user's checkout.
    kept.append("PYTHONDONTWRITEBYTECODE=1")
    return ["sudo", "env", path, *kept, python, "-m", module, *arguments]


def root_command(arguments: list[str], module: str = "cluster") -> list[str]:
    """The command line of one of our verbs as root, or of another module.

    Raises: CannotGoOn if there is no sudo.
    """
    if not shutil.which("sudo"):
        raise CannotGoOn(
            "this needs root, for namespaces and mounts, and there is no sudo",
            fix="install sudo, or run it as root",
        )
    return sudo_command(arguments, dict(os.environ), sys.executable, module)


def show(command: list[str]) -> None:
    print(f"As root: {shlex.join(command)}", flush=True)


def become_root(arguments: list[str], module: str = "cluster") -> None:
    """Return as root; otherwise replace this process by the same one through sudo."""
    if is_root():
        os.environ["PATH"] = host.search_path()
        return
    command = root_command(arguments, module)
    show(command)
    os.chdir(paths.CHECKOUT)
    os.execvp("sudo", command)


def main(module: str, *arguments: str) -> None:
    with explained():
        become_root(list(arguments), module)
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
