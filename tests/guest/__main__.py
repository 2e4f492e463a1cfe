"""The workshop on a machine with systemd and control groups of version 2 alone.

Run it as root of the host:

    python -m tests.guest [--release RELEASE] [--folder FOLDER] [--hold]

A virtual machine with Debian is made and started. There an ordinary user types the commands of
the README, and the tests of a node run. `make test-guest` calls it. With --hold it stays up.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn, explained
from cluster.programs import binaries
from cluster.workshop import table
from tests.guest import disk
from tests.guest.machine import Machine

CHECKOUT = "workshop"
ACTIVATED = "source .lab/activate > /dev/null &&"
TESTS = (
    *("test_limits", "test_workloads", "test_secure", "test_gpus", "test_metrics"),
    *("test_operator_life", "test_node", "test_library"),
)


@dataclass(frozen=True)
class Step:
    """A line of shell in the checkout, and what is in its output."""

    line: str
    says: str = ""
    seconds: float = 600


NEW = (
    Step("stat --file-system --format %T /sys/fs/cgroup", "cgroup2fs"),
    Step("make lab", "source .lab/activate", 1800),
    Step(f"{ACTIVATED} kubectl get nodes", " Ready "),
    Step(f"{ACTIVATED} python -m cluster check", "can run the workshop"),
    Step(f"{ACTIVATED} python -m cluster status --output json", '"well": true'),
)
TESTED = Step(
    "TEST_CLUSTER=lab KEEP_CLUSTER=1 make test PYTEST_ARGS="
    + shlex.quote("-q " + " ".join(f"tests/cluster/{name}.py" for name in TESTS)),
    " passed",
    3600,
)
LIFE = (
    Step(f"{ACTIVATED} kubectl create configmap kept"),
    Step("sudo systemctl daemon-reload && sudo systemctl daemon-reexec"),
    Step(f"{ACTIVATED} python -m cluster restart && python -m cluster status"),
    Step(f"{ACTIVATED} python -m cluster stop && python -m cluster start && kubectl get nodes"),
    Step(f"{ACTIVATED} python -m cluster export logs ~/logs.tar.gz && tar -tzf ~/logs.tar.gz"),
)
REBOOTED = (
    Step("make lab", "source .lab/activate"),
    Step(f"{ACTIVATED} kubectl get configmap kept", "kept"),
    Step("make down && test ! -e /sys/fs/cgroup/tfjob-workshop", "gone"),
    Step("make lab", "source .lab/activate"),
    Step("make clean && test ! -e .lab && test ! -e .venv && test ! -e ~/.cache/tfjob-workshop"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.guest", description=__doc__)
    parser.add_argument("--release", default="bookworm", help="Debian's name of one")
    parser.add_argument("--folder", type=Path, default=paths.CACHE / "guest", help="for its disk")
    parser.add_argument("--hold", action="store_true", help="keep it until Ctrl-C, run no test")
    chosen = parser.parse_args()
    with explained():
        made = disk.ensure(chosen.release, chosen.folder)
        with Machine(made) as machine:
            give_checkout(machine)
            if chosen.hold:
                print(shlex.join(machine.ssh_command()), flush=True)
                machine.qemu.wait()
            else:
                everything(machine)


def give_checkout(machine: Machine) -> None:
    """The files of this checkout as they are now, and what the cache has for it."""
    binaries.ensure()
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=paths.CHECKOUT, check=True, capture_output=True, text=True)
    names = [name for name in found.stdout.split("\0") if (paths.CHECKOUT / name).is_file()]
    machine.give(paths.CHECKOUT, names, CHECKOUT)
    stores = [binaries._store(name) for name in binaries.NEEDED]
    archives = [table.IMAGES.build(image) for image in table.WORKSHOP]
    kept = [str(path.relative_to(paths.CACHE)) for path in (*stores, *archives)]
    machine.give(paths.CACHE, kept, f".cache/{paths.CACHE.name}")


def everything(machine: Machine) -> None:
    """Each step, in order. Raises: CannotGoOn at the first that fails."""
    for step in (*NEW, TESTED, *LIFE):
        take(machine, step)
    machine.reboot()
    for step in REBOOTED:
        take(machine, step)


def take(machine: Machine, step: Step) -> None:
    print(f"$ {step.line}", flush=True)
    began = time.monotonic()
    done = machine.ssh(f"cd {CHECKOUT} && {step.line}", step.seconds)
    if done.returncode or step.says not in done.stdout or "Traceback" in done.stdout:
        raise CannotGoOn("this failed in the virtual machine", done.stdout[-4000:])
    last = done.stdout.strip().splitlines()[-1:]
    print(f"  {time.monotonic() - began:.0f} s: {''.join(last)}", flush=True)


if __name__ == "__main__":
    main()
