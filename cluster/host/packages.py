"""The packages that this machine lacks: installed with apt where there is one, else named."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable

from cluster.errors import CannotGoOn
from cluster.host import privilege
from cluster.host.machine import Facts, facts
from cluster.host.needs import BROWSER, NEEDS, OSTREE, STAND_IN_TOOL

PROXIES = ("http_proxy", "https_proxy", "no_proxy")
INSTALLERS = {
    "fedora": "dnf install",
    "arch": "pacman -S",
    "suse": "zypper install",
}


def install_missing(seen: Facts, own_cluster: bool, debian_only: Iterable[str]) -> None:
    """Install what the machine lacks, saying so first."""
    packages = missing_packages(seen, own_cluster, debian_only)
    if not packages:
        return
    if seen.family != "debian":
        raise CannotGoOn("the host lacks some tools", fix=manual_install(seen, packages))
    apt_install(packages)
    still_missing = missing_packages(facts(), own_cluster)
    if still_missing:
        raise CannotGoOn(f"apt installed no {', '.join(still_missing)}", fix="install it by hand")


def install_browser(seen: Facts) -> None:
    """Install the browser that tests drive. Raises: CannotGoOn where the user has to do it."""
    if BROWSER in seen.commands:
        return
    if seen.family != "debian":
        raise CannotGoOn("the host has no Chromium", fix=manual_install(seen, [BROWSER]))
    apt_install([BROWSER])


def apt_install(packages: list[str]) -> None:
    """Install packages with apt, in the open: the commands are shown before they run."""
    proxies = [name for name in os.environ if name.lower() in PROXIES]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "--quiet=2"], install):
        full = privilege.as_root(environment + command, proxies)
        print(f"Installing with apt (about a minute): {' '.join(full)}", flush=True)
        done = subprocess.run(full, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            fix = "is there a network, and is another apt running?"
            raise CannotGoOn(f"`{' '.join(full)}` failed", done.stderr[-500:], fix)


def missing_packages(
    facts: Facts, own_cluster: bool = False, debian_only: Iterable[str] = ()
) -> list[str]:
    """Packages of this distribution that the host lacks, in alphabetical order.

    Names are Debian's where the distribution's family is unknown. `debian_only` are packages
    that no other distribution has, and that are missing.
    """
    by_docker = {"image builder", "container command"}
    satisfied = by_docker if facts.docker_works else set()
    if own_cluster:
        satisfied = satisfied | (NEEDS.keys() - by_docker)
    packages = {
        by_family.get(facts.family, by_family["debian"])
        for need, (commands, by_family) in NEEDS.items()
        if need not in satisfied and not facts.commands & set(commands)
    }
    if facts.family == "debian":
        if not facts.python_has_venv:
            # Also for a Python beside the distribution's own.
            packages.add("python{}.{}-venv".format(*facts.python))
        if STAND_IN_TOOL not in facts.commands:
            packages.add(STAND_IN_TOOL)
        packages.update(debian_only)
    return sorted(packages)


def manual_install(facts: Facts, packages: list[str]) -> str:
    """The sentence for a distribution on which the user installs packages by hand."""
    command = INSTALLERS.get(facts.family)
    if OSTREE in facts.commands:
        command = f"{OSTREE} install --apply-live"
    if command is None:
        return (
            f"install what Debian calls {', '.join(packages)} with this distribution's package"
            " manager, then run make again"
        )
    return f"run `sudo {command} {' '.join(packages)}`, then make again"
