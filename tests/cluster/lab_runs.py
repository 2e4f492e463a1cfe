"""What the tests of pages and of notebooks share: a learner's place on the real cluster.

Each run has a copy of the checkout, and a namespace of its own, made the current one in a copy of
the kubeconfig. Pages from module 5 on and that for instructors begin and end without an operator:
module 5 installs it, and so does `python -m cluster.workshop class`.
"""

import contextlib
import json
import os
import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cluster.workshop import engine
from modules import here, workplace
from tests import containers, side_by_side

CHECKOUT = workplace.CHECKOUT
INSTRUCTORS = CHECKOUT / "docs" / "instructors.md"
CRD = "tfjobs.tensorflow.org"
# The module that installs the operator; later ones take it for granted, earlier ones do not care.
INSTALLS_OPERATOR = 5
# What pages make outside their namespace, beside the operator's own objects.
CLUSTER_WIDE = ("deviceclasses", "persistentvolumes", "priorityclasses", "namespaces")
# Objects that the cluster makes by itself, and the operator, which stays for the next module.
NOT_OF_A_PAGE = (
    *("event/", "event.events", "endpoints/", "endpointslice.", "lease.", "podmetrics."),
    *("configmap/kube-root-ca.crt", "serviceaccount/default"),
)
OF_THE_OPERATOR = ("tf-job-operator", "sh.helm.release.v1.tf-job.")
CLEAN_UP_SECONDS = 120
FORWARDED = re.compile(r"^\$ kubectl port-forward .* (\d+):\d+", re.M)


@dataclass(frozen=True)
class Place:
    """Where one run happens: a folder, an environment, and what the cluster is called and can.

    `began_with` are the names of the objects that were there before.
    """

    folder: Path
    environment: dict[str, str]
    cluster: here.Here
    began_with: frozenset[str] = field(default_factory=frozenset)


@contextlib.contextmanager
def place(cluster, page: Path, folder: Path, purpose: str) -> Iterator[Place]:
    """Make a place for one page, and leave nothing of it behind."""
    namespace = _namespace(page, purpose)
    kubeconfig = _kubeconfig(cluster, namespace, folder)
    needs_operator = number(page) > INSTALLS_OPERATOR
    remove(cluster, namespace, with_operator=_has_operator(page))
    cluster.kubectl("create", "namespace", namespace)
    try:
        with _ports_alone(page), workplace.copy_of() as copy, _docker(page) as docker:
            given = {**cluster.env, **docker, "KUBECONFIG": str(kubeconfig)}
            given["PATH"] = os.pathsep.join((str(engine.folder()), cluster.env["PATH"]))
            environment = workplace.environment(copy, given)
            if needs_operator:
                _install_operator(cluster, namespace)
            began_with = _objects(cluster, namespace)
            yield Place(copy, environment, here.look(environment), began_with)
    finally:
        remove(cluster, namespace, with_operator=_has_operator(page))


@contextlib.contextmanager
def _ports_alone(page: Path) -> Iterator[None]:
    """No other page has the ports that this one forwards meanwhile."""
    with contextlib.ExitStack() as stack:
        for port in ports(page.read_text()):
            stack.enter_context(side_by_side.alone(f"port-{port}"))
        yield


def ports(markdown: str) -> list[int]:
    """The ports of the host that a page forwards, in the order in which every page takes them."""
    return sorted({int(port) for port in FORWARDED.findall(markdown)})


@contextlib.contextmanager
def _docker(page: Path) -> Iterator[dict[str, str]]:
    """The variables of a `docker` without containers. A page that runs some has the host alone."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(side_by_side.host_alone())
        docker = containers.environment()
        containers.empty(docker)
        if "\n$ docker " not in page.read_text():
            stack.close()
        yield docker


def left_over(cluster, place: Place, page: Path, purpose: str) -> list[str]:
    """What a page has made and its clean-up has not removed; Pods have a minute to end."""
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    while True:
        left = sorted(_objects(cluster, _namespace(page, purpose)) - place.began_with)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(1)


def _objects(cluster, namespace: str) -> frozenset[str]:
    """The names of all objects that a page could have made, as ``pod/x``."""
    listed = cluster.kubectl("api-resources", "--verbs=list", "--namespaced", "--output=name")
    inside = _names(cluster, listed.stdout.split(), f"--namespace={namespace}")
    outside = _names(cluster, CLUSTER_WIDE)
    return frozenset(
        name
        for name in (*inside, *outside)
        if not name.startswith(NOT_OF_A_PAGE) and not any(o in name for o in OF_THE_OPERATOR)
    )


def _names(cluster, kinds, *arguments: str) -> list[str]:
    found = cluster.kubectl(
        "get", ",".join(kinds), "--output=name", "--ignore-not-found", *arguments
    )
    return found.stdout.split()


def _namespace(page: Path, purpose: str) -> str:
    return f"{purpose}-{page.parent.name}"[:40].strip("-").lower()


def _kubeconfig(cluster, namespace: str, folder: Path) -> Path:
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_bytes(Path(cluster.kubeconfig).read_bytes())
    cluster.kubectl(
        "config", "set-context", "--current", f"--namespace={namespace}",
        f"--kubeconfig={kubeconfig}",
    )  # fmt: skip
    return kubeconfig


def _has_operator(page: Path) -> bool:
    return page == INSTRUCTORS or number(page) >= INSTALLS_OPERATOR


def _install_operator(cluster, namespace: str) -> None:
    cluster.run(
        "helm", "install", "tf-job", "operator/chart",
        "--set", "cloud=azure", "--wait", f"--namespace={namespace}",
    )  # fmt: skip


def remove(cluster, namespace: str, with_operator: bool) -> None:
    """Delete the namespace with all that is in it, and, if it is in the way, every operator.

    There is one operator per cluster: the chart cannot be installed beside another release of it.
    """
    if with_operator:
        listed = cluster.run("helm", "list", "--all-namespaces", "--output=json").stdout
        for release in json.loads(listed):
            if release["name"] == "tf-job":
                cluster.run("helm", "uninstall", "tf-job", "--namespace", release["namespace"])
    cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--timeout=300s")
    if with_operator:
        cluster.kubectl("delete", "crd", CRD, "--ignore-not-found", "--timeout=60s")


def activation(environment: dict[str, str], folder: Path) -> Path:
    """Write a file to source, in place of .lab/activate, that leads to `environment`."""
    names = ("PATH", "KUBECONFIG", "PYTHONPATH", "NO_COLOR", "WORKSHOP_CLUSTER", engine.STORE)
    path = folder / "activate"
    path.write_text(
        "".join(f"export {name}={shlex.quote(environment.get(name, ''))}\n" for name in names)
    )
    return path


def number(page: Path) -> int:
    """The module's number; the root README has none."""
    head = page.parent.name.split("-")[0]
    return int(head) if head.isdigit() else 0
