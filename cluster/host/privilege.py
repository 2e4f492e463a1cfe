"""Root only where it is needed: runs the same command again through sudo, in the open.

    python -m cluster.host.privilege NAME,NAME MODULE [ARGUMENT …]

This runs `python -m MODULE` as root, with these variables too. `make test` calls it: the tests
make namespaces and kill what runs in nodes.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

from cluster import paths
from cluster.errors import CannotGoOn, explained

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


def as_root(command: list[str], kept: Sequence[str] = ()) -> list[str]:
    """The command as root would run it, with variables of ours: through sudo unless we are root."""
    return command if os.geteuid() == 0 else [*sudo(kept), *command]


def sudo(kept: Sequence[str]) -> list[str]:
    """sudo with the names of the variables that it keeps.

    A value may hold a password: it stays out of the list of processes, and of what is shown.
    sudo allows this to whoever may run every command (SETENV is implied by ALL), as it allows
    `sudo env`.
    """
    return ["sudo", f"--preserve-env={','.join(kept)}"] if kept else ["sudo"]


def sudo_command(
    arguments: list[str],
    environment: dict[str, str],
    python: str,
    module: str = "cluster",
    also: Sequence[str] = (),
) -> list[str]:
    """The command line of the same call as root."""
    kept = [name for name in (*KEPT, *also) if name in environment]
    # The system's programs first: root runs no `ip` that a folder of the user's puts before it.
    path = f"PATH={SYSTEM_PATH}:{environment.get('PATH', '')}"
    # Compiled modules of root's would lie in the user's checkout.
    settings = [path, "PYTHONDONTWRITEBYTECODE=1"]
    return [*sudo(kept), "env", *settings, python, "-m", module, *arguments]


def root_command(
    arguments: list[str], module: str = "cluster", also: Sequence[str] = ()
) -> list[str]:
    """The command line of one of our verbs as root, or of another module; `also` is kept too.

    Raises: CannotGoOn if there is no sudo.
    """
    if not shutil.which("sudo"):
        raise CannotGoOn(
            "this needs root, for namespaces and mounts, and there is no sudo",
            fix="install sudo, or run it as root",
        )
    return sudo_command(arguments, dict(os.environ), sys.executable, module, also)


def show(command: list[str]) -> None:
    print(f"As root: {shlex.join(command)}", flush=True)


def become_root(arguments: list[str], module: str = "cluster", also: Sequence[str] = ()) -> None:
    """Return as root; otherwise replace this process by the same one through sudo."""
    if is_root():
        os.environ["PATH"] = search_path()
        return
    command = root_command(arguments, module, also)
    show(command)
    os.chdir(paths.CHECKOUT)
    os.execvp("sudo", command)


def main(also: str, module: str, *arguments: str) -> None:
    with explained():
        become_root(list(arguments), module, also.split(","))
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
