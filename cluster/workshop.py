"""Starts and undoes the workshop: what `make lab`, `make down` and `make clean` call.

    python -m cluster.workshop lab      binaries, images, cluster, then the overview
    python -m cluster.workshop down     stop the local cluster
    python -m cluster.workshop clean    also forget .lab and the caches
    python -m cluster.workshop notebook JupyterLab on the modules, on the cluster of this checkout
    python -m cluster.workshop class NAMES.txt    prepare a class on the shell's cluster

The local cluster is driven through its own command line (`python -m cluster`),
which asks for root only where it needs it; a cluster of the user's own through
`cluster.foreign`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from cluster import (
    binaries,
    builders,
    classes,
    classroom,
    engine,
    foreign,
    host,
    images,
    kubeconfigs,
    learner,
    load,
    network,
    paths,
)
from cluster.errors import CannotGoOn, explained

LOCAL = "lab"
STATE = paths.STATE
ACTIVATE = """\
# Source this file: the workshop's tools and cluster, in this shell only.
export PATH={path}:"$PATH"
export PYTHONPATH={checkout}${{PYTHONPATH:+:$PYTHONPATH}}
export KUBECONFIG={kubeconfig}
{variables}printf 'kubectl and helm now speak to %s\n' {where}
"""


def lab() -> None:
    """Set everything up; ends with the overview of the modules and the line to type next."""
    own = own_cluster()
    if own is None:
        run("build")
        run("up", "--name", LOCAL)
        kubeconfig, where = paths.kubeconfig(LOCAL), "the workshop's local cluster"
    else:
        own_tools()
        hand_over_images(own)
        kubeconfig, where = Path(own.kubeconfig), f"{own.context} at {own.server}"
    find_engine()
    write_activation(kubeconfig, where, own)
    overview()
    print("\nThe workshop is ready. Type next:\n\n    source .lab/activate\n")


def own_cluster() -> foreign.OwnCluster | None:
    """The cluster that the user named now or earlier; None for the local one."""
    wanted = os.environ.get("OWN_KUBECONFIG")
    if wanted is None:
        return foreign.remembered(STATE)
    if not wanted:
        foreign.forget(STATE)
        return None
    try:
        return foreign.adopt(
            STATE,
            Path(wanted).expanduser(),
            os.environ.get("REGISTRY", ""),
            assume_yes=os.environ.get("YES") == "1",
        )
    except ValueError as error:
        raise CannotGoOn(str(error)) from None


def find_engine() -> None:
    """The learner's `docker`. Only module 1 needs it, so the lab starts without it, too."""
    try:
        engine.ensure(print)
    except CannotGoOn as error:
        print(f"Note for module 1: {error}. Then run `make lab` again.")


def load_into(own: foreign.OwnCluster, wanted: list[str]) -> None:
    """Bring images of the learner's to a cluster of the user's own."""
    for name in wanted:
        if name in images.CONTEXTS:  # as root, where the builder needs it
            run("build", name)
        archive = load.archive_for(paths.cluster(LOCAL), name)
        for command in learner.commands_for(own, name, archive):
            hand_over(command)
        if learner.is_exported(archive):
            archive.unlink()
        print(f"In this cluster the image is called {foreign.image_name(own, name)}")


def own_tools() -> None:
    """kubectl and helm for a cluster of the user's own: theirs, or built here."""
    if not all(shutil.which(tool) for tool in ("kubectl", "helm")):
        binaries.ensure(["kubernetes", "helm"])


def hand_over_images(own: foreign.OwnCluster) -> None:
    """Build the workshop's images and bring them to the user's own cluster."""
    if own.provider == foreign.CLASS:
        print("The images are on this cluster: it was prepared for a class.")
        return
    run("build", *images.WORKSHOP)
    builder = images.builder()
    call = builders.command(builder)
    push = host.as_root(call) if builders.needs_root(builder) else call
    for image in images.WORKSHOP:
        for command in foreign.load_commands(own, image, images.archive_of(image), builder, push):
            hand_over(command)
        print(f"In this cluster the image is called {foreign.image_name(own, image)}")


def hand_over(command: list[str]) -> None:
    """Run one command that brings an image to the cluster, in the open."""
    print(shlex.join(command), flush=True)
    if shutil.which(command[0]) is None:
        raise CannotGoOn(f"`{command[0]}` is not on PATH", fix="install it: this cluster needs it")
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        raise CannotGoOn(f"`{shlex.join(command)}` failed", fix="its message is above")


def write_activation(kubeconfig: Path, where: str, own: foreign.OwnCluster | None) -> None:
    """Write .lab/activate, and .lab/kubeconfig, which names the cluster of this checkout."""
    STATE.mkdir(parents=True, exist_ok=True)
    link = STATE / "kubeconfig"
    link.unlink(missing_ok=True)
    link.symlink_to(kubeconfig)
    variables = "" if own else no_proxy(kubeconfig)
    if own and own.registry:
        variables = f"export WORKSHOP_REGISTRY={shlex.quote(own.registry)}\n"
    folders = f"{engine.folder()}:{Path(sys.executable).parent}:{binaries.folder()}"
    (STATE / "activate").write_text(
        ACTIVATE.format(
            path=shlex.quote(folders),
            checkout=shlex.quote(str(paths.CHECKOUT)),
            kubeconfig=shlex.quote(str(kubeconfig)),
            variables=variables,
            where=shlex.quote(where),
        )
    )
    for path in (STATE, link, STATE / "activate"):
        paths.hand_to_user(path)


def no_proxy(kubeconfig: Path) -> str:
    """The line that keeps what speaks to the node away from a proxy, which cannot reach it."""
    try:
        server = kubeconfigs.read(kubeconfig)["clusters"][0]["cluster"]["server"]
    except (OSError, CannotGoOn, LookupError, TypeError):
        server = ""
    node = urlsplit(server).hostname or ""
    near = [node, str(network.around(node))] if node else []
    hosts = [*near, *map(str, network.POOLS), "localhost", "127.0.0.1"]
    text = ",".join(filter(None, hosts))
    return (
        f'export NO_PROXY={text}"${{NO_PROXY:+,$NO_PROXY}}"\n'
        f'export no_proxy={text}"${{no_proxy:+,$no_proxy}}"\n'
    )


def overview() -> None:
    """Show the validator's overview as the learner will see it."""
    environment = {**os.environ, "KUBECONFIG": str(STATE / "kubeconfig")}
    subprocess.run([sys.executable, "-m", "validator"], env=environment, cwd=paths.CHECKOUT)


def run(*arguments: str) -> None:
    """One verb of `python -m cluster`; its own message has been shown where it fails."""
    done = subprocess.run([sys.executable, "-m", "cluster", *arguments], cwd=paths.CHECKOUT)
    if done.returncode:
        sys.exit(done.returncode)


def down() -> None:
    """Stop every local cluster of this checkout; a cluster of the user's own is left alone."""
    for name in paths.clusters():
        run("down", "--name", name)
    if own := foreign.remembered(STATE):
        print(f"Your own cluster ({own.context}) was left as it is.")


def clean() -> None:
    """Remove what `make lab` made: clusters, .lab, the caches of programs and images."""
    down()
    for folder in (STATE, paths.CACHE):
        if folder.exists():
            subprocess.run([*host.as_root(["rm"]), "-rf", str(folder)], check=True)


def notebook() -> None:
    """Open JupyterLab on the checkout, with all modules; it ends with Ctrl-C, twice."""
    if not (STATE / "activate").exists():
        raise CannotGoOn("the workshop is not set up yet", fix="type `make lab` first")
    kernel = [sys.executable, "-m", "bash_kernel.install", "--sys-prefix"]
    subprocess.run(kernel, check=True, capture_output=True)
    root = ["--allow-root"] if os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", *root, str(paths.CHECKOUT)]
    shell = f'source {shlex.quote(str(STATE / "activate"))} && exec "$@"'
    os.execvp("bash", ["bash", "-c", shell, "bash", *command])


def prepare_class(given: argparse.Namespace) -> None:
    """Prepare a class, or undo it."""
    if given.delete:
        classes.remove(given.names)
        return
    share = classroom.Share(given.cpus, given.memory, given.gpus)
    own = foreign.remembered(STATE)
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


VERBS = {"lab": lab, "down": down, "clean": clean, "notebook": notebook}


def main(arguments: list[str] | None = None) -> None:
    given = parse(arguments)
    with explained():
        prepare_class(given) if given.verb == "class" else VERBS[given.verb]()


if __name__ == "__main__":
    main()
