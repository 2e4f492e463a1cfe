"""The programs of the cluster, built once with Go from pinned sources into the user's cache.

Each folder of `cluster/go` is a Go module whose committed go.mod and go.sum pin every
byte. A program is stored under the digest of its recipe and sources, so an interrupted
build goes on with the next program, and `folder()` is a folder of links to what this
checkout wants. The version of Go is not part of the digest: an updated Go must not
cost a learner six minutes; go.mod names the oldest that will do.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster import golang, paths

SOURCES = Path(__file__).resolve().parent / "go"
STRIP = "-s -w"
KUBERNETES_VERSION = "1.37.2"
_VERSION_PACKAGE = "k8s.io/component-base/version"
_KUBERNETES_FLAGS = " ".join(
    [
        STRIP,
        f"-X {_VERSION_PACKAGE}.gitVersion=v{KUBERNETES_VERSION}",
        f"-X {_VERSION_PACKAGE}.gitMajor=1",
        f"-X {_VERSION_PACKAGE}.gitMinor=37",
    ]
)
_CNI = "github.com/containernetworking/plugins/plugins"
_CONTAINERD = "github.com/containerd/containerd/v2/cmd"


@dataclass(frozen=True)
class Recipe:
    """How to build one folder of `cluster/go`, and what comes out.

    `usual_minutes` is from an empty cache on two cores.
    """

    packages: tuple[str, ...]
    programs: tuple[str, ...]
    usual_minutes: float = 0.1
    tags: str = ""
    linker_flags: str = STRIP
    also_called: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {
    "kubernetes": Recipe(
        (".",),
        ("kubernetes",),
        5.5,
        linker_flags=_KUBERNETES_FLAGS,
        also_called=(
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubelet",
            "kubectl",
            "node-addons",
            "metrics-server",
        ),
    ),
    "etcd": Recipe(("go.etcd.io/etcd/server/v3",), ("etcd",), 0.5),
    "containerd": Recipe(
        (
            f"{_CONTAINERD}/containerd",
            f"{_CONTAINERD}/containerd-shim-runc-v2",
            f"{_CONTAINERD}/ctr",
        ),
        ("containerd", "containerd-shim-runc-v2", "ctr"),
        0.7,
        tags="no_btrfs,no_devmapper,no_zfs",
    ),
    "cni": Recipe(
        (
            f"{_CNI}/main/ptp",
            f"{_CNI}/main/loopback",
            f"{_CNI}/ipam/host-local",
            f"{_CNI}/meta/portmap",
        ),
        ("ptp", "loopback", "host-local", "portmap"),
    ),
    "coredns": Recipe(("github.com/coredns/coredns",), ("coredns",), 1.5),
    "helm": Recipe(("helm.sh/helm/v4/cmd/helm",), ("helm",), 1.7),
    "pause": Recipe((".",), ("pause",)),
    "nvidia-smi": Recipe((".",), ("nvidia-smi",)),
    "kwok": Recipe(("sigs.k8s.io/kwok/cmd/kwok",), ("kwok",), 1.1),
    "registry": Recipe(
        ("github.com/google/go-containerregistry/cmd/registry",), ("registry",), 0.2
    ),
    "training-operator": Recipe(
        ("github.com/kubeflow/training-operator/cmd/training-operator.v1",),
        ("training-operator.v1",),
        1.8,
    ),
}
# For benchmarks (kwok, and the operator that ours is compared with) and for tests (the registry):
# they ask for them by name.
NEEDED = tuple(name for name in RECIPES if name not in ("kwok", "registry", "training-operator"))


def digest(name: str) -> str:
    """Twelve characters that change with the sources, the recipe and the processor."""
    summed = hashlib.sha256(f"{platform.machine()} {RECIPES[name]}".encode())
    for path in sorted((SOURCES / name).iterdir()):
        summed.update(path.name.encode() + b"\0" + path.read_bytes())
    return summed.hexdigest()[:12]


def folder() -> Path:
    """The folder with all programs that this checkout wants, built or not yet."""
    everything = " ".join(digest(name) for name in NEEDED)
    return paths.CACHE / "bin" / hashlib.sha256(everything.encode()).hexdigest()[:12]


def go_work() -> Path:
    """Go's caches while it builds, up to 9 GB: a build that was cut short goes on from them."""
    return paths.CACHE / "go-work"


def missing(names: Iterable[str] = NEEDED) -> list[str]:
    """Recipes of which a program is not in `folder()` yet."""
    target = folder()
    return [
        name for name in names if not all((target / program).exists() for program in _outputs(name))
    ]


def ensure(names: Iterable[str] = NEEDED) -> Path:
    """Build what is missing, showing progress; returns `folder()`.

    Raises: SystemExit with a sentence if a build fails.
    """
    if not missing(names):
        return folder()
    with _locked():
        to_do = missing(names)
        for number, name in enumerate(to_do, start=1):
            _provide(name, f"{number} of {len(to_do)}")
        shutil.rmtree(go_work(), ignore_errors=True)
    return folder()


def _outputs(name: str) -> tuple[str, ...]:
    recipe = RECIPES[name]
    return recipe.programs + recipe.also_called


def _provide(name: str, position: str) -> None:
    """Link a recipe's programs into `folder()`, building them into the store first if need be."""
    store = paths.CACHE / "bin" / "store" / f"{name}-{digest(name)}"
    if not store.exists():
        _build(name, store, position)
    target = folder()
    paths.make_folder(target)
    for program in _outputs(name):
        source = store / (program if program in RECIPES[name].programs else name)
        link = target / program
        temporary = target / f".{program}.{os.getpid()}"
        os.link(source, temporary)
        temporary.replace(link)


def _build(name: str, store: Path, position: str) -> None:
    recipe = RECIPES[name]
    paths.make_folder(store.parent)
    go = golang.find()
    with tempfile.TemporaryDirectory(dir=store.parent, prefix=f".{name}-") as scratch:
        command = [
            str(go), "build", "-v", "-trimpath", "-buildvcs=false",
            f"-tags={recipe.tags}", f"-ldflags={recipe.linker_flags}",
            "-o", f"{scratch}/", *recipe.packages,
        ]  # fmt: skip
        minutes = f"{recipe.usual_minutes:.0f} minutes" if recipe.usual_minutes >= 1 else "a minute"
        _run(command, SOURCES / name, f"Building {name} ({position}, up to {minutes})")
        if len(recipe.programs) == 1:  # Go names it after its folder, which may be anything
            built = next(Path(scratch).iterdir())
            built.rename(built.with_name(recipe.programs[0]))
        for program in recipe.programs:
            paths.hand_to_user(Path(scratch) / program)
        Path(scratch).chmod(0o755)
        paths.hand_to_user(Path(scratch))
        Path(scratch).rename(store)
        Path(scratch).mkdir()  # the context manager removes it


def _run(command: list[str], source: Path, what: str) -> None:
    """Run a build; counts the packages that Go compiles where someone is watching."""
    start = time.monotonic()
    watching = sys.stdout.isatty()
    print(f"{what} …", end="" if watching else "\n", flush=True)
    lines: list[str] = []
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOCACHE": str(go_work() / "build"),
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOMODCACHE": str(go_work() / "modules"),
        "GOWORK": "off",
    }
    with subprocess.Popen(
        command,
        cwd=source,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as build:
        assert build.stdout is not None
        for count, line in enumerate(build.stdout, start=1):
            lines.append(line)
            if watching:
                print(f"\r\033[K{what}: {count} packages", end="", flush=True)
    seconds = time.monotonic() - start
    if watching:
        print(f"\r\033[K{what}: {seconds:.0f} s")
    if build.returncode:
        sys.exit(_failure(what, lines))


def _failure(what: str, lines: list[str]) -> str:
    """The sentence for a build that failed, by its last lines."""
    text = "".join(lines[-8:])
    if any(sign in text for sign in ("dial tcp", "no such host", "TLS handshake", "i/o timeout")):
        return (
            f"Cannot go on: {what[0].lower()}{what[1:]} needs the network once, to fetch sources,"
            f" and did not reach it; set HTTPS_PROXY or GOPROXY if you are behind a proxy:\n{text}"
        )
    if "no space left" in text:
        return f"Cannot go on: the disk is full; free some space, then run the same again:\n{text}"
    return f"Cannot go on: {what[0].lower()}{what[1:]} failed:\n{text}"


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """One build at a time, also from two checkouts."""
    paths.make_folder(paths.CACHE)
    lock = paths.CACHE / "build.lock"
    with lock.open("w") as handle:
        paths.hand_to_user(lock)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
