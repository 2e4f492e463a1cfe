"""Starts and undoes the workshop on this machine.

The local cluster is driven through its own command line (`python -m cluster`), which asks for
root only where it needs it; a cluster of the user's own through `workshop.own_cluster`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from cluster import files, paths
from cluster.errors import CannotGoOn
from cluster.host import privilege
from cluster.host.locks import locked
from cluster.library import run_verb
from cluster.lifecycle import kubeconfigs
from cluster.node import network
from cluster.programs import binaries
from cluster.workshop import engine, foreign, own_cluster

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
    own = own_cluster.chosen()
    if own is None:
        run_verb("build")
        run_verb("up", "--name", LOCAL)
        kubeconfig, where = paths.kubeconfig(LOCAL), "the workshop's local cluster"
    else:
        own_cluster.ensure_tools()
        own_cluster.hand_over_images(own)
        kubeconfig, where = Path(own.kubeconfig), f"{own.context} at {own.server}"
    find_engine()
    write_activation(kubeconfig, where, own)
    overview()
    print("\nThe workshop is ready. Type next:\n\n    source .lab/activate\n")


def find_engine() -> None:
    """The learner's `docker`. Only module 1 needs it, so the lab starts without it, too."""
    try:
        engine.ensure(print)
    except CannotGoOn as error:
        print(f"Note for module 1: {error}. Then run `make lab` again.")


def write_activation(kubeconfig: Path, where: str, own: foreign.OwnCluster | None) -> None:
    """Write .lab/activate, and .lab/kubeconfig, which names the cluster of this checkout."""
    variables = "" if own else no_proxy(kubeconfig)
    if own and own.registry:
        variables = f"export WORKSHOP_REGISTRY={shlex.quote(own.registry)}\n"
    folders = f"{engine.folder()}:{Path(sys.executable).parent}:{binaries.folder()}"
    text = ACTIVATE.format(
        path=shlex.quote(folders),
        checkout=shlex.quote(str(paths.CHECKOUT)),
        kubeconfig=shlex.quote(str(kubeconfig)),
        variables=variables,
        where=shlex.quote(where),
    )
    link = STATE / "kubeconfig"
    with locked(STATE / "activate.lock", lambda: None):  # two `make lab` may end at once
        files.link(link, kubeconfig)
        files.write(STATE / "activate", text)
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
    """Show the validator's overview as the learner will see it after `source .lab/activate`."""
    path = f"{engine.folder()}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "KUBECONFIG": str(STATE / "kubeconfig"), "PATH": path}
    subprocess.run([sys.executable, "-m", "validator"], env=environment, cwd=paths.CHECKOUT)


def down() -> None:
    """Stop every local cluster of this checkout; a cluster of the user's own is left alone."""
    for name in paths.clusters():
        run_verb("down", "--name", name)
    if own := foreign.remembered(STATE):
        print(f"Your own cluster ({own.context}) was left as it is.")


def clean() -> None:
    """Remove what `make lab` made: clusters, .lab, the caches of programs and images."""
    down()
    for folder in (STATE, paths.CACHE):
        if folder.exists():
            subprocess.run([*privilege.as_root(["rm"]), "-rf", str(folder)], check=True)


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
