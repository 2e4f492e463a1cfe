"""What the cluster of the current kubeconfig is called and can do.

    python -m modules.here gpu        ends with 0 if it has GPUs, else with 1 and a sentence
    python -m modules.here gpu-2017   if they have the name of 2017
    python -m modules.here gpu-today  if they have other names only
    python -m modules.here no-gpu     if it has none
    python -m modules.here local      if it is the workshop's local cluster

`runner` asks for the names, so that a page that was written on the local cluster also fits
another one; pages ask for the abilities by `only="gpu"` and `only="local"`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from modules.fence import ABILITIES

# What the pages show.
NODE, NAMESPACE = "lab-node", "default"
# The context that `python -m cluster` writes.
LOCAL_CONTEXT = "workshop"
TRIES = 2
NAME_2017 = "alpha.kubernetes.io/nvidia-gpu"
MISSING = {
    "gpu": "Not run here: this cluster has no GPUs.",
    "gpu-2017": f"Not run here: this cluster has no {NAME_2017}.",
    "gpu-today": f"Not run here: it is for a cluster whose GPUs are not called {NAME_2017}.",
    "no-gpu": "Not run here: it is for a cluster without GPUs.",
    "local": "Not run here: this is not the workshop's local cluster.",
}


@dataclass(frozen=True)
class Here:
    """`aliases` maps names of this cluster to those on the pages."""

    aliases: dict[str, str] = field(default_factory=dict)
    abilities: frozenset[str] = frozenset()

    @property
    def answers(self) -> bool:
        """Whether its nodes were seen: each cluster has GPUs or none."""
        return bool(self.abilities & {"gpu", "no-gpu"})


def look(environment: Mapping[str, str] | None = None) -> Here:
    """Ask the cluster of this environment. A cluster that does not answer can do nothing."""
    config = _kubectl(environment, "config", "view", "--minify")
    nodes = _kubectl(environment, "get", "nodes").get("items", [])
    context = (config.get("contexts") or [{}])[0].get("context", {})
    return facts(config.get("current-context", ""), context.get("namespace", ""), nodes)


def facts(context: str, namespace: str, nodes: list[dict]) -> Here:
    """What follows from the current context, its namespace and the nodes."""
    aliases = {node["metadata"]["name"]: NODE for node in nodes}
    if namespace:
        aliases[namespace] = NAMESPACE
    abilities = _of_gpus({name for node in nodes for name in _gpus(node)}) if nodes else set()
    if context == LOCAL_CONTEXT:
        abilities.add("local")
    changed = {ours: shown for ours, shown in aliases.items() if ours != shown}
    return Here(changed, frozenset(abilities))


def _of_gpus(names: set[str]) -> set[str]:
    if not names:
        return {"no-gpu"}
    return {"gpu", "gpu-2017" if NAME_2017 in names else "gpu-today"}


def _gpus(node: dict) -> set[str]:
    """The names of its GPUs. Simulated ones count: the pages' commands work with them."""
    allocatable = node.get("status", {}).get("allocatable", {})
    return {name for name, quantity in allocatable.items() if "gpu" in name and quantity != "0"}


def _kubectl(environment: Mapping[str, str] | None, *arguments: str) -> dict:
    command = ["kubectl", *arguments, "--output=json", "--request-timeout=30s"]
    for _ in range(TRIES):  # else one answer that got lost would leave out blocks of a page
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            return json.loads(done.stdout)
        except OSError:
            break
        except ValueError:
            continue
    return {}


def main(arguments: list[str] | None = None) -> int:
    """Say whether the current cluster can do all of some things. Returns: 0 if so, else 1."""
    parser = argparse.ArgumentParser(prog="python -m modules.here")
    parser.add_argument("abilities", nargs="+", choices=sorted(ABILITIES))
    has = look().abilities
    missing = [a for a in parser.parse_args(arguments).abilities if a not in has]
    if missing:
        print(MISSING[missing[0]])
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
