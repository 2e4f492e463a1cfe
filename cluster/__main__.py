"""The workshop's local Kubernetes, without Docker.

python -m cluster up [--name NAME]          start or repair it; nothing to do is fine
python -m cluster stop | start | restart    end the node and keep its state; start it again
python -m cluster down [--name NAME|--all]  stop it and remove all that it left
python -m cluster list                      the clusters of this machine
python -m cluster status [--output json]    what is up, part by part
python -m cluster logs [COMPONENT]          the last lines that a component wrote
python -m cluster export logs [FILE]        all that helps to find a fault, in one file
python -m cluster shell [-- COMMAND …]      a shell, or one command, inside the node
python -m cluster kubeconfig [--merge]      its kubeconfig's path; or into ~/.kube/config
python -m cluster build [IMAGE …]           programs and images, into the user's cache
python -m cluster load IMAGE|ARCHIVE …      give images to the node, which cannot pull
python -m cluster base                      give the sample image to your `docker`
python -m cluster check                     try what a node needs of this machine
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cluster import errors, paths
from cluster.errors import CannotGoOn
from cluster.host import privilege, problems
from cluster.lifecycle import down, export, inside, load, machines, record, status
from cluster.node import check, options
from cluster.programs import binaries
from cluster.workshop import foreign, learner, loading, own_cluster, prepare, table

DEFAULT_NAME = os.environ.get("WORKSHOP_CLUSTER") or "lab"  # a test runs the pages on its own
VERBS = {
    "up": "start or repair the cluster",
    "start": "the same as up",
    "stop": "end the node and keep its state",
    "restart": "stop and start",
    "down": "stop it and remove everything",
    "list": "the clusters of this machine",
    "status": "what is up, part by part",
    "logs": "what a component wrote",
    "export": "all that helps to find a fault, in one file",
    "shell": "a shell, or one command, inside the node",
    "kubeconfig": "the path of the kubeconfig, or merge it into your own",
    "build": "build programs and images",
    "load": "give images to the node",
    "base": "give the sample image to docker",
    "check": "try what a node needs of this machine",
}
OF_NO_CLUSTER = ("base", "build", "check", "list")
STARTING = ("up", "start", "restart")


def say(text: str) -> None:
    print(text, flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, what in VERBS.items():
        sub = verbs.add_parser(verb, help=what, description=what)
        if verb not in OF_NO_CLUSTER:
            sub.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: lab)")
        if verb in STARTING:
            add_starting_options(sub)
        else:
            add_options(sub, verb)
    return top


def add_starting_options(sub: argparse.ArgumentParser) -> None:
    """What is kept for the next start, too."""
    sub.add_argument("--bare", action="store_true", help="without the workshop's images")
    sub.add_argument("--memory", metavar="SIZE", help="at most this much, such as 6Gi")
    sub.add_argument("--cpus", type=float, metavar="N", help="at most so many processors")
    sub.add_argument("--gpus", type=int, metavar="N", help="simulated GPUs (default: 4)")
    sub.add_argument("--today", action="store_true", help="count GPUs under nvidia.com/gpu only")
    sub.add_argument(
        "--network", metavar="CIDR", default=os.environ.get("LAB_NETWORK"), help="take one of these"
    )


def add_options(sub: argparse.ArgumentParser, verb: str) -> None:
    if verb == "down":
        sub.add_argument(
            "--all", action="store_true", help="also leftovers, and those whose checkout is gone"
        )
    if verb == "status":
        sub.add_argument("--output", choices=("text", "json"), default="text")
    if verb == "logs":
        sub.add_argument("component", nargs="?", help="all of them if left out")
        sub.add_argument("--lines", type=int, default=20, help="how many (default: 20)")
    if verb == "export":
        sub.add_argument("what", choices=("logs",))
        sub.add_argument("file", nargs="?", type=Path, help="default: NAME-logs.tar.gz")
    if verb == "shell":
        sub.add_argument("command", nargs="*", help="default: a shell")
    if verb == "kubeconfig":
        sub.add_argument("--merge", action="store_true", help="into ~/.kube/config")
    if verb == "build":
        sub.add_argument("images", nargs="*", metavar="IMAGE", help="default: the workshop's")
    if verb == "load":
        sub.add_argument("images", nargs="+", metavar="IMAGE|ARCHIVE")


def main(arguments: Sequence[str] | None = None) -> None:
    with errors.explained():
        chosen = parser().parse_args(arguments)
        run(chosen, list(sys.argv[1:] if arguments is None else arguments))


def run(chosen: argparse.Namespace, arguments: list[str]) -> None:
    """Carry out one verb; what needs root is run again through sudo."""
    if chosen.verb == "build":
        build(chosen.images)
    elif chosen.verb == "base":
        learner.bring_base(say)
    elif chosen.verb == "check":
        check_machine(arguments)
    elif chosen.verb == "list":
        machines.show(say)
    elif not as_user(chosen, cluster := paths.cluster(chosen.name)):
        if chosen.verb in STARTING:
            before_start(chosen, cluster)
        if chosen.verb == "load":
            own = foreign.remembered(paths.STATE)
            if own and chosen.name == DEFAULT_NAME:
                own_cluster.load_into(own, chosen.images)
                return
            # The learner's own images are in a store that root does not look into.
            load.running(cluster)
            chosen.images = learner.exported(chosen.images)
            arguments = ["load", "--name", cluster.name, *chosen.images]
        privilege.become_root(arguments)
        as_root(chosen, cluster)


def as_user(chosen: argparse.Namespace, cluster: paths.Cluster) -> bool:
    """The verbs that need no root; False if this is none of them."""
    if chosen.verb == "status":
        sys.exit(status.show(cluster, say, chosen.output == "json"))
    if chosen.verb == "logs":
        status.show_logs(cluster, chosen.component, chosen.lines, say)
    elif chosen.verb == "export":
        target = chosen.file or Path(f"{cluster.name}-logs.tar.gz")
        export.logs(cluster, target, say, (*export.OBJECTS, *table.KINDS))
    elif chosen.verb == "kubeconfig" and chosen.merge:
        export.merge_kubeconfig(cluster, Path.home() / ".kube" / "config", say)
    elif chosen.verb == "kubeconfig":
        # A program reads it: bytes, because the terminal's letters may not be the folder's.
        sys.stdout.buffer.write(os.fsencode(cluster.kubeconfig) + b"\n")
    else:
        return False
    return True


def before_start(chosen: argparse.Namespace, cluster: paths.Cluster) -> None:
    """What is refused before root is asked for; then the programs."""
    changed_options(table.OPTIONS, chosen)
    if record.running(cluster) is None:
        problems.check(prepare.space_needed())
    binaries.ensure()


def changed_options(before: options.Options, chosen: argparse.Namespace) -> options.Options:
    """What the cluster is to have from now on. Raises: CannotGoOn for a bad value."""
    gpus = table.GPUS.count if chosen.today and chosen.gpus is None else chosen.gpus
    network = chosen.network or None
    return options.changed(before, chosen.memory, chosen.cpus, gpus, network, chosen.today)


def as_root(chosen: argparse.Namespace, cluster: paths.Cluster) -> None:
    """What is done as root."""
    os.umask(0o022)  # the modes of what Pods read are not the user's business
    if chosen.verb in STARTING:
        start(chosen, cluster)
    elif chosen.verb == "stop":
        down.stop(cluster, say)
    elif chosen.verb == "down" and chosen.all:
        machines.down_all(say)
    elif chosen.verb == "down":
        down.down(cluster, say)
    elif chosen.verb == "shell":
        command = chosen.command or ["/bin/sh"]
        os.execvp("nsenter", inside.in_node(load.running(cluster), *command))
    else:
        load.until_reported(cluster, loading.load_all(cluster, chosen.images, say), say)


def start(chosen: argparse.Namespace, cluster: paths.Cluster) -> None:
    """Start with what the user chose now or earlier; a change of it needs a new start."""
    from cluster.lifecycle import up  # needs packages of .venv, which the other verbs do without

    before = options.read(cluster, table.OPTIONS)
    after = changed_options(before, chosen)
    if chosen.verb == "restart" or (after != before and record.running(cluster)):
        down.stop(cluster, say)
    if after != before:
        paths.make_folder(cluster.folder)
        options.write(cluster, after)
    up.up(cluster, say, table.wants(after, not chosen.bare))
    if not chosen.bare:
        loading.workshop_images(cluster, say)


def check_machine(arguments: list[str]) -> None:
    """Look at this machine as the user, then try what a node needs as root."""
    if not privilege.is_root():
        problems.check(prepare.space_needed())
    privilege.become_root(arguments)
    started = time.monotonic()
    check.machine()
    say(f"This machine can run the workshop's cluster ({time.monotonic() - started:.1f} s)")


def build(wanted: Sequence[str]) -> None:
    """Build the programs and the images that are not in the cache yet."""
    unknown = [image for image in wanted if image not in table.IMAGES]
    if unknown:
        raise CannotGoOn(f"{unknown[0]} is not one of {', '.join(table.IMAGES)}")
    prepare.make(wanted or table.WORKSHOP, programs=not wanted, packages=False)


if __name__ == "__main__":
    main()
