import subprocess
import sys

from cluster import paths
from cluster.images import store
from cluster.lifecycle import down

# A tmpfs that something left mounted deep in a cluster's folder, then the removal of the folder.
ACT = """
mount -t tmpfs left "$1" && touch "$1/kept"
"$2" -c "import pathlib, sys; from cluster.host import folders
folders.remove(pathlib.Path(sys.argv[1]))" "$3"
test -e "$1/kept"
"""


def test_what_is_mounted_in_a_folder_is_not_removed_with_it(tmp_path):
    folder = tmp_path / "cluster"
    mounted = folder / "a/b/c/d/e/f/g"
    mounted.mkdir(parents=True)
    command = ["unshare", "--mount", "sh", "-c", ACT, "sh", str(mounted), sys.executable]
    done = subprocess.run(
        [*command, str(folder)], cwd=paths.CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_containers_beside_a_shared_folder_go_too_even_if_up_was_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FALLBACKS", tmp_path / "var")
    monkeypatch.setattr(down, "clear_leftovers", lambda _: None)
    cluster = paths.Cluster("x", tmp_path / "state")
    for folder in (cluster.folder, cluster.fallback, store.unfinished_of(cluster.fallback)):
        (folder / "layer").mkdir(parents=True)
    down.down(cluster, print)
    assert not paths.FALLBACKS.exists()
    assert not cluster.folder.exists()


def test_down_needs_the_standard_library_alone():
    """It has to work where .venv is half made, or of a Python that is gone."""
    command = [sys.executable, "-I", "-B", "-S", "-c"]
    code = f"import sys; sys.path.insert(0, {str(paths.CHECKOUT)!r}); import cluster.__main__"
    code += ", cluster.lifecycle.down, cluster.workshop.__main__"
    code += ", cluster.workshop.prepare"
    done = subprocess.run([*command, code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
