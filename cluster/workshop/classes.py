"""Prepare a class on the cluster that kubectl speaks to, and undo it.

`classroom` says what each learner gets; here kubectl and helm make it. Everything may be run
again: what is there is kept, new names are added.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.workshop import classroom, table
from cluster.workshop.classroom import Object, Share

# In the current folder; git leaves alone what begins with my-.
FOLDER = Path("my-class")
RELEASE = "tf-job"


def prepare(names_file: Path, share: Share, days: int, registry: str) -> None:
    """Operator, namespaces and rights, and a kubeconfig for each learner."""
    names = _names(names_file)
    _refuse_strangers(names)
    _require_images(registry)
    _install_operator(registry)
    _run("kubectl", "apply", "--filename", str(paths.CHECKOUT / "validator" / "rbac.yaml"),
         "--namespace", classroom.OPERATOR_NAMESPACE)  # fmt: skip
    _apply(classroom.shared_objects())
    FOLDER.mkdir(parents=True, exist_ok=True, mode=0o700)
    cluster = _current_cluster()
    for at, name in enumerate(names, 1):
        _apply(classroom.objects_for(name, share))
        file = _write_kubeconfig(name, cluster, days, registry)
        print(f"{at}/{len(names)}  {name}: {file}", flush=True)
    print(f"Give each learner the file. It is a key, and good for {days} days. They type:\n"
          "\n    make lab KUBECONFIG=NAME.kubeconfig\n")  # fmt: skip


def remove(names_file: Path) -> None:
    """Delete the learners' namespaces with all that is in them; the operator stays."""
    names = _names(names_file)
    _refuse_strangers(names)
    _run("kubectl", "delete", "namespace", "--ignore-not-found", *names)
    # What a learner has outside a namespace of their own bears their name.
    for name in names:
        outside = [o for o in classroom.objects_for(name, Share()) if _is_outside(o, name)]
        _run("kubectl", "delete", "--ignore-not-found", "--filename=-",
             input=_list(outside))  # fmt: skip
        (FOLDER / f"{name}.kubeconfig").unlink(missing_ok=True)
    print(f"{len(names)} namespaces are gone. The operator stays; this removes it:\n")
    print(f"    helm uninstall {RELEASE} --namespace {classroom.OPERATOR_NAMESPACE}\n")


def _is_outside(item: Object, name: str) -> bool:
    where: str = item["metadata"].get("namespace", "")
    return bool(item["kind"] != "Namespace" and where != name)


def _names(file: Path) -> list[str]:
    try:
        return classroom.names_in(file.read_text())
    except ValueError as error:
        raise CannotGoOn(f"{file} is not a list of learners", str(error)) from None


def _refuse_strangers(names: Sequence[str]) -> None:
    listed = json.loads(_run("kubectl", "get", "namespaces", "--output=json"))["items"]
    if there := classroom.strangers(names, listed):
        raise CannotGoOn(
            f"the cluster has a namespace {there[0]} that is not of a class",
            fix="write another name into the list, or delete that namespace yourself",
        )


def _require_images(registry: str) -> None:
    """A node has what the learners run, or pulls it from a registry."""
    if registry:
        return
    nodes = json.loads(_run("kubectl", "get", "nodes", "--output=json"))["items"]
    there = {
        name
        for node in nodes
        for image in node["status"].get("images", [])
        for name in image.get("names") or ()
    }
    for image in table.WORKSHOP:
        if image not in there:
            raise CannotGoOn(
                f"no node has {image}",
                fix="bring it there with `make lab` (on a cluster of your own: with KUBECONFIG=FILE"
                " and, unless it is kind or minikube, REGISTRY=host:port/prefix)",
            )


def _install_operator(registry: str) -> None:
    """Once for all learners; one that runs already is kept, wherever it is."""
    listed = json.loads(_run("helm", "list", "--all-namespaces", "--output=json"))
    there = [each["namespace"] for each in listed if each["name"] == RELEASE]
    if there and there[0] != classroom.OPERATOR_NAMESPACE:
        raise CannotGoOn(
            f"an operator is installed in namespace {there[0]}",
            "a class shares one",
            f"uninstall it with `helm uninstall {RELEASE} --namespace {there[0]}`",
        )
    named = [f"image.repository={registry}/tf-job-operator"] if registry else []
    settings = [word for value in ("cloud=azure", *named) for word in ("--set", value)]
    _run("helm", "upgrade", "--install", RELEASE, str(paths.CHECKOUT / "operator" / "chart"),
         "--namespace", classroom.OPERATOR_NAMESPACE, "--create-namespace", "--wait",
         *settings)  # fmt: skip


def _current_cluster() -> Object:
    """Server and certificate of the shell's current context."""
    config = json.loads(
        _run("kubectl", "config", "view", "--raw", "--minify", "--flatten", "--output=json")
    )
    cluster: Object = config["clusters"][0]["cluster"]
    return cluster


def _write_kubeconfig(name: str, cluster: Object, days: int, registry: str) -> Path:
    token = _run("kubectl", "create", "token", classroom.ACCOUNT, "--namespace", name,
                 f"--duration={days * 24}h")  # fmt: skip
    config = classroom.kubeconfig_for(name, cluster, token.strip(), registry)
    path = FOLDER / f"{name}.kubeconfig"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(config, file, indent=2)  # kubectl reads JSON as well
    return path


def _apply(objects: Sequence[Object]) -> None:
    _run("kubectl", "apply", "--filename=-", input=_list(objects))


def _list(objects: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _run(*command: str, input: str | None = None) -> str:
    """What a command prints. Raises: CannotGoOn with its own words where it fails."""
    try:
        done = subprocess.run(command, input=input, capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotGoOn(
            f"`{command[0]}` is not on PATH", fix="type `source .lab/activate` after `make lab`"
        ) from None
    if done.returncode:
        raise CannotGoOn(f"`{' '.join(command[:3])} …` failed", done.stderr)
    return done.stdout
