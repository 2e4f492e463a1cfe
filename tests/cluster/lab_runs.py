"""What the tests of pages and of notebooks share: a learner's place on the real cluster.

Each run has a namespace of its own, made the current one in a copy of the kubeconfig, and begins
and ends without an operator: the pages install it.
"""

import contextlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
CRD = "tfjobs.tensorflow.org"
# Pages from this module on take the operator that module 5 installs for granted.
FIRST_WITH_OPERATOR = 6


@dataclass(frozen=True)
class Place:
    """Where one run happens: its environment, and its names as the pages have them."""

    environment: dict[str, str]
    aliases: dict[str, str]


@contextlib.contextmanager
def place(cluster, page: Path, folder: Path, purpose: str):
    """Make a place for one page, and leave nothing of it behind."""
    namespace = f"{purpose}-{page.parent.name}"[:40].strip("-").lower()
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_bytes(Path(cluster.kubeconfig).read_bytes())
    environment = {**cluster.env, "KUBECONFIG": str(kubeconfig), "NO_COLOR": "1"}
    nodes = cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").stdout
    remove(cluster, namespace)
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl(
        "config", "set-context", "--current", f"--namespace={namespace}",
        f"--kubeconfig={kubeconfig}",
    )  # fmt: skip
    try:
        if _number(page) >= FIRST_WITH_OPERATOR:
            cluster.run(
                "helm", "install", "tf-job", str(CHECKOUT / "operator" / "chart"),
                "--set", "cloud=azure", "--wait", f"--namespace={namespace}",
            )  # fmt: skip
        yield Place(environment, {namespace: "default", **dict.fromkeys(nodes.split(), "lab-node")})
    finally:
        remove(cluster, namespace)


def remove(cluster, namespace: str) -> None:
    """Delete every operator, the namespace with all that is in it, and what Helm leaves behind."""
    listed = cluster.run("helm", "list", "--all-namespaces", "--output=json").stdout
    for release in json.loads(listed):
        if release["name"] == "tf-job":
            cluster.run("helm", "uninstall", "tf-job", "--namespace", release["namespace"])
    cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s")
    cluster.kubectl("delete", "crd", CRD, "--ignore-not-found", "--timeout=60s")


def activation(environment: dict[str, str], folder: Path) -> Path:
    """Write a file to source, in place of .lab/activate, that leads to `environment`."""
    names = ("PATH", "KUBECONFIG", "PYTHONPATH", "NO_COLOR")
    path = folder / "activate"
    path.write_text(
        "".join(f"export {name}={shlex.quote(environment.get(name, ''))}\n" for name in names)
    )
    return path


def _number(page: Path) -> int:
    """The module's number; the root README has none."""
    head = page.parent.name.split("-")[0]
    return int(head) if head.isdigit() else 0
