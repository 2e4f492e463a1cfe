"""A cluster that the user already has, used instead of the local one.

`make lab KUBECONFIG=FILE` names it; `cluster.workshop` asks once through
`adopt()`, and the choice is remembered in `.lab/own-cluster.json`. Nothing in
that cluster is changed here: images are handed over in the way it needs
(`load_commands`), everything else is the learner's own `kubectl` and `helm`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cluster import files
from cluster.errors import CannotGoOn
from cluster.host.locks import locked
from cluster.images.builders import full_reference

# What `classroom.kubeconfig_for` writes into the kubeconfig of a learner of a class.
CLASS = "class"
REGISTRY_PATTERN = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*")


@dataclass(frozen=True)
class OwnCluster:
    """The user's cluster: which file, context and server, and how images reach it."""

    kubeconfig: str
    context: str
    server: str
    provider: str  # "kind", "minikube", "class" (its images are there) or "registry"
    registry: str = ""  # host[:port][/prefix], for providers "registry" and "class"


def read(kubeconfig: Path, registry: str = "") -> OwnCluster:
    """Describe the current context of a kubeconfig file.

    Raises: CannotGoOn if it is no good.
    """
    import yaml  # here: `down` and `clean` have to work without .venv

    try:
        config = yaml.safe_load(kubeconfig.read_text())
    except OSError as error:
        reason = error.strerror or error
        raise CannotGoOn(f"cannot read the kubeconfig {kubeconfig}: {reason}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise CannotGoOn(f"{kubeconfig} is not YAML, so it is no kubeconfig") from None
    if not isinstance(config, dict):
        raise CannotGoOn(f"{kubeconfig} is not a kubeconfig")
    context_name = str(config.get("current-context") or "")
    context = _named(config, "contexts", context_name, "context")
    cluster = _named(config, "clusters", context.get("cluster"), "cluster")
    if not cluster.get("server"):
        raise CannotGoOn(
            f"{kubeconfig} has no current context with a server; choose one with"
            f" `kubectl --kubeconfig {kubeconfig} config use-context NAME`"
        )
    registry = registry or str(_of_class(cluster).get("registry") or "")
    if registry and not REGISTRY_PATTERN.fullmatch(registry):
        raise CannotGoOn(f"REGISTRY={registry} is not of the form host[:port][/prefix]")
    return OwnCluster(
        kubeconfig=str(kubeconfig.resolve()),
        context=context_name,
        server=str(cluster["server"]),
        provider=_provider(context_name, cluster),
        registry=registry,
    )


def _named(config: dict[str, Any], section: str, name: object, part: str) -> dict[str, Any]:
    """What one entry of a section holds; {} where it is not there, or is something else."""
    for entry in _entries(config, section):
        if entry.get("name") == name and isinstance(entry.get(part), dict):
            return dict(entry[part])
    return {}


def _entries(config: dict[str, Any], section: str) -> list[dict[str, Any]]:
    entries = config.get(section)
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []


def _provider(context_name: str, cluster: dict[str, Any]) -> str:
    if _of_class(cluster).get("provider") == CLASS:
        return CLASS
    if context_name.startswith("kind-"):
        return "kind"
    extensions = [entry.get("extension") for entry in _entries(cluster, "extensions")]
    if any(isinstance(e, dict) and "minikube" in str(e.get("provider")) for e in extensions):
        return "minikube"
    return "minikube" if context_name == "minikube" else "registry"


def _of_class(cluster: dict[str, Any]) -> dict[str, Any]:
    """What the workshop wrote about a class's cluster; {} for any other."""
    return _named(cluster, "extensions", "tfjob-workshop", "extension")


def image_name(own: OwnCluster, image: str) -> str:
    """The name under which the cluster finds `image`."""
    if own.provider not in ("registry", CLASS) or not own.registry:
        return image
    return f"{own.registry}/{image.removeprefix('localhost/')}"


def load_commands(
    own: OwnCluster, image: str, archive: Path, builder: str = "", push: Sequence[str] = ()
) -> list[list[str]]:
    """The commands that hand one image to the cluster, in order.

    `archive` is a docker-archive of `image`. For a registry, `builder` is docker, podman or
    buildah, and `push` how to call it, with its options or through sudo.
    Raises: CannotGoOn if the cluster needs a registry and none was named.
    """
    if own.provider == "kind":
        name = own.context.removeprefix("kind-")
        return [["kind", "load", "image-archive", str(archive), "--name", name]]
    if own.provider == "minikube":
        return [["minikube", "image", "load", str(archive), "--profile", own.context]]
    if not own.registry:
        raise CannotGoOn(
            f"the cluster of context {own.context} is neither kind nor minikube, so it takes"
            " images from a registry: name one that it can pull from and you can push to with"
            " `make lab KUBECONFIG=FILE REGISTRY=host:port/prefix`"
        )
    call, target = list(push or [builder]), image_name(own, image)
    if builder == "docker":
        load = [*call, "load", "--input", str(archive)]
        return [load, [*call, "tag", image, target], [*call, "push", target]]
    # A registry on this machine itself speaks plain HTTP, as docker assumes too.
    verify = "false" if re.match(r"(localhost|127\.0\.0\.1)(:|/|$)", own.registry) else "true"
    return [
        [*call, "pull", "--quiet", f"docker-archive:{archive}"],
        [*call, "tag", full_reference(image), target],
        [*call, "push", "--quiet", f"--tls-verify={verify}", target],
        [*call, "rmi", "--force", target],
    ]


def remembered(state: Path) -> OwnCluster | None:
    """The cluster chosen earlier, or None. `state` is the checkout's `.lab`."""
    try:
        return OwnCluster(**json.loads((state / "own-cluster.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remember(state: Path, own: OwnCluster) -> None:
    with locked(state / "own-cluster.lock", lambda: None):
        files.write(state / "own-cluster.json", json.dumps(asdict(own), indent=2) + "\n")


def forget(state: Path) -> None:
    (state / "own-cluster.json").unlink(missing_ok=True)


def adopt(state: Path, kubeconfig: Path, registry: str, assume_yes: bool) -> OwnCluster:
    """Use the cluster of `kubeconfig`; asks unless the same one was agreed to before.

    Raises: CannotGoOn if the file is no good; SystemExit if the user declines.
    """
    own = read(kubeconfig, registry)
    before = remembered(state)
    if before and (before.context, before.server) == (own.context, own.server):
        own = own if registry else OwnCluster(**{**asdict(own), "registry": before.registry})
    elif not assume_yes and not _agreed(own):
        sys.exit("Nothing was changed. `make lab` without KUBECONFIG uses a local cluster.")
    if own.provider == "registry" and not own.registry:
        load_commands(own, "", Path())  # raises the sentence that names the fix
    remember(state, own)
    return own


def _agreed(own: OwnCluster) -> bool:
    print(f"Context {own.context} of {own.kubeconfig}, server {own.server}")
    if not sys.stdin.isatty():
        sys.exit("Nothing was changed: add YES=1 to agree to this cluster without being asked.")
    return input("Use this cluster for the workshop? [y/N] ").strip().lower() in ("y", "yes")
