"""Starts and undoes the workshop: what `make lab`, `make down` and `make clean` call.

python -m cluster.workshop lab      binaries, images, cluster, then the overview
python -m cluster.workshop down     stop the local cluster
python -m cluster.workshop clean    also forget .lab and the caches
python -m cluster.workshop notebook JupyterLab on the modules, on the cluster of this checkout
python -m cluster.workshop class NAMES.txt    prepare a class on the shell's cluster
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cluster import paths
from cluster.errors import explained
from cluster.workshop import classes, classroom, foreign, lab


def prepare_class(given: argparse.Namespace) -> None:
    """Prepare a class, or undo it."""
    if given.delete:
        classes.remove(given.names)
        return
    share = classroom.Share(given.cpus, given.memory, given.gpus)
    own = foreign.remembered(paths.STATE)
    classes.prepare(given.names, share, given.days, own.registry if own else "")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Returns: `verb`, and of a class also its file, each learner's share and the days."""
    parser = argparse.ArgumentParser(
        prog="python -m cluster.workshop",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, do in VERBS.items():
        verbs.add_parser(verb, help=(do.__doc__ or "").split("\n")[0])
    each = verbs.add_parser("class", help="prepare a class on the cluster of your shell")
    share = classroom.Share()
    each.add_argument("names", type=Path, help="a file with one name on each line")
    each.add_argument("--cpus", default=share.cpus, help="of each learner (%(default)s)")
    each.add_argument("--memory", default=share.memory, help="of each learner (%(default)s)")
    each.add_argument("--gpus", default=share.gpus, help="of each learner (%(default)s)")
    each.add_argument("--days", type=int, default=14, help="how long keys are good (%(default)s)")
    each.add_argument("--delete", action="store_true", help="delete the class and its work")
    return parser.parse_args(arguments)


VERBS = {"lab": lab.lab, "down": lab.down, "clean": lab.clean, "notebook": lab.notebook}


def main(arguments: list[str] | None = None) -> None:
    with explained():
        given = parse(arguments)
        prepare_class(given) if given.verb == "class" else VERBS[given.verb]()


if __name__ == "__main__":
    main()
