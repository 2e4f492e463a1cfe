"""The workshop's local Kubernetes, without Docker.

python -m cluster up [--name NAME]          start it, or mend it; nothing to do is fine
python -m cluster down [--name NAME]        stop it and remove all that it left
python -m cluster status [--name NAME]      what is up, part by part
python -m cluster logs [COMPONENT]          the last lines that a component wrote
python -m cluster build [IMAGE …]           programs and images, into the user's cache
python -m cluster load IMAGE|ARCHIVE …      give images to the node, which cannot pull
python -m cluster base                      give the sample image to your `docker`
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from cluster import (
    binaries,
    builders,
    components,
    foreign,
    images,
    learner,
    load,
    paths,
    privilege,
    record,
    status,
    up,
    workshop,
)
from cluster.errors import CannotGoOn

DEFAULT_NAME = os.environ.get("WORKSHOP_CLUSTER") or "lab"  # a test runs the pages on its own


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
    for verb, what in {
        "up": "start or mend the cluster",
        "down": "stop it and remove everything",
        "status": "what is up, part by part",
        "logs": "what a component wrote",
        "build": "build programs and images",
        "load": "give images to the node",
        "base": "give the sample image to docker",
    }.items():
        sub = verbs.add_parser(verb, help=what, description=what)
        if verb not in ("build", "base"):
            sub.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: lab)")
        if verb == "up":
            sub.add_argument("--bare", action="store_true", help="without the workshop's images")
            sub.add_argument("--gpus", type=int, metavar="N", help="simulated GPUs (default: 4)")
            sub.add_argument(
                "--today", action="store_true", help="count GPUs under nvidia.com/gpu only"
            )
        if verb == "logs":
            sub.add_argument("component", nargs="?", help="all of them if left out")
            sub.add_argument("--lines", type=int, default=20, help="how many (default: 20)")
        if verb == "build":
            sub.add_argument("images", nargs="*", metavar="IMAGE", help="default: the workshop's")
        if verb == "load":
            sub.add_argument("images", nargs="+", metavar="IMAGE|ARCHIVE")
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    try:
        run(options, list(sys.argv[1:] if arguments is None else arguments))
    except (ValueError, builders.BuildError, CannotGoOn) as error:
        sys.exit(f"Cannot go on: {error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the same command goes on from here.")


def run(options: argparse.Namespace, arguments: list[str]) -> None:
    """Carry out one verb; what needs root is run again through sudo."""
    if options.verb == "build":
        build(options.images, arguments)
        return
    if options.verb == "base":
        learner.bring_base(say)
        return
    cluster = paths.cluster(options.name)
    if options.verb == "up":
        gpus(options)  # before anything is built for a number that is none
    if options.verb == "status":
        sys.exit(status.show(cluster, say))
    if options.verb == "logs":
        status.show_logs(cluster, options.component, options.lines, say)
        return
    if options.verb == "up":
        if record.running(cluster) is None:
            privilege.check_host()
        binaries.ensure()
    if options.verb == "load":
        own = foreign.remembered(paths.STATE)
        if own and options.name == DEFAULT_NAME:
            workshop.load_into(own, options.images)
            return
        # The learner's own images are in a store that root does not look into.
        load.running(cluster)
        options.images = learner.exported(options.images)
        arguments = ["load", "--name", cluster.name, *options.images]
    privilege.become_root(arguments)
    if options.verb == "up":
        up.up(cluster, say, gpus(options))
        if not options.bare:
            load.workshop_images(cluster, say)
    elif options.verb == "down":
        up.down(cluster, say)
    else:
        load.load(cluster, options.images, say)


def gpus(options: argparse.Namespace) -> components.Gpus | None:
    """The simulated GPUs that the options ask for; None without such an option.

    Raises: ValueError if their number is no number of GPUs.
    """
    if options.gpus is None and not options.today:
        return None
    count = components.GPUS if options.gpus is None else options.gpus
    if not 0 <= count <= components.MOST_GPUS:
        raise ValueError(f"--gpus {count} is not between 0 and {components.MOST_GPUS}")
    return components.Gpus(count, with_old_name=not options.today)


def build(wanted: Sequence[str], arguments: list[str]) -> None:
    """Build the programs and the images that are not in the cache yet."""
    unknown = [image for image in wanted if image not in images.WORKSHOP]
    if unknown:
        raise ValueError(f"{unknown[0]} is not one of {', '.join(images.WORKSHOP)}")
    if not wanted:
        binaries.ensure()
    to_build = [image for image in wanted or images.WORKSHOP if not images.is_built(image)]
    if to_build and builders.needs_root(images.builder()):
        privilege.become_root(arguments)
    for image in to_build:
        images.build(image)


if __name__ == "__main__":
    main()
