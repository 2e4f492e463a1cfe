"""Make a copy of the checkout for the run of a page, so that nothing of the learner's is touched.

Pages write and delete files such as `my-module5-ex1.yaml` in the folder where they run. A copy
works without git, so it can be made of a ZIP as well. The copy leaves out what belongs to one
machine or to the learner: hidden files (`.git`, `.venv`, `.lab`), caches, and `my-*`.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# `python -m cluster` finds its state beside its own files: the link leads it to the real ones.
LINKED = "cluster"
CACHES = ("__pycache__", ".*_cache", ".ipynb_checkpoints")
IMPORT_ROOTS = ("", "operator", "sample-image")


@contextlib.contextmanager
def copy_of(checkout: Path = CHECKOUT) -> Iterator[Path]:
    """A copy of the checkout, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="pages-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, checkout.name)
        shutil.copytree(checkout, copy, symlinks=True, ignore=_left_out(checkout))
        if (checkout / LINKED).is_dir():
            (copy / LINKED).symlink_to(checkout / LINKED)
        yield copy


def environment(copy: Path, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What `.lab/activate` would set in the copy: this Python, and the copy's own programs.

    The cluster is the one that is given; without one it is the lab's, if that is there.
    """
    variables = {**base, "NO_COLOR": "1"}
    lab = CHECKOUT / ".lab" / "kubeconfig"
    if lab.exists():
        variables.setdefault("KUBECONFIG", str(lab))
    # Where `docker` is (cluster.workshop.engine).
    engine = str(CHECKOUT / ".lab" / "bin")
    folders = [engine, str(Path(sys.executable).parent), base.get("PATH", os.defpath)]
    variables["PATH"] = os.pathsep.join(folders)
    variables["PYTHONPATH"] = os.pathsep.join(str(copy / root) for root in IMPORT_ROOTS)
    return variables


def _left_out(checkout: Path) -> Callable[[str, list[str]], set[str]]:
    """What `shutil.copytree` does not copy."""
    caches = shutil.ignore_patterns(*CACHES)

    def names(folder: str, entries: list[str]) -> set[str]:
        if Path(folder) != checkout:
            return caches(folder, entries)
        return {name for name in entries if name.startswith((".", "my-")) or name == LINKED}

    return names
