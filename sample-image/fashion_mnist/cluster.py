"""Who this replica is among whom: TF_CONFIG, as the operator writes it.

    {"cluster": {"master": ["j-master-76no-0:2222"], "ps": [...], "worker": [...]},
     "task": {"type": "worker", "index": 0}, "environment": "cloud"}

MASTER is what 2017 called the replica that TensorFlow calls the chief; both names
are taken and `chief` is used from here on. Pure: no TensorFlow, no network.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from fashion_mnist.failure import Failure

CHIEF, WORKER, PS, EVALUATOR = "chief", "worker", "ps", "evaluator"
TYPES = (CHIEF, WORKER, PS, EVALUATOR)
ADDRESS = re.compile(r"(.+):([0-9]{1,5})")


class Shape(Enum):
    """How the replicas of a job train together."""

    ALONE = "alone"
    PARAMETER_SERVERS = "parameter servers"
    ALL_REDUCE = "all-reduce"


@dataclass(frozen=True)
class Cluster:
    """The addresses (host:port) of every replica by type, and which of them this one is."""

    addresses: Mapping[str, tuple[str, ...]]
    task_type: str = CHIEF
    task_index: int = 0

    @property
    def name(self) -> str:
        """This replica in the log: `chief`, or for example `worker 1`."""
        return CHIEF if self.task_type == CHIEF else f"{self.task_type} {self.task_index}"

    @property
    def address(self) -> str:
        """Where this replica serves: host:port."""
        return self.addresses[self.task_type][self.task_index]

    @property
    def shape(self) -> Shape:
        if self.count(PS):
            return Shape.PARAMETER_SERVERS
        return Shape.ALL_REDUCE if self.count(WORKER) else Shape.ALONE

    def count(self, task_type: str) -> int:
        return len(self.addresses.get(task_type, ()))

    def peers(self, *types: str) -> dict[str, str]:
        """Name and address of every replica of these types."""
        return {
            CHIEF if task_type == CHIEF else f"{task_type} {index}": address
            for task_type in types
            for index, address in enumerate(self.addresses.get(task_type, ()))
        }

    @property
    def run_name(self) -> str:
        """The chief's address, which the operator makes once for each TfJob."""
        return self.addresses[CHIEF][0]

    def spec(self) -> dict[str, list[str]]:
        """What TensorFlow wants to know: the replicas that train."""
        return {
            task_type: list(hosts)
            for task_type, hosts in self.addresses.items()
            if task_type != EVALUATOR
        }

    def __str__(self) -> str:
        return ", ".join(
            f"{task_type} {' '.join(self.addresses[task_type])}"
            for task_type in TYPES
            if self.count(task_type)
        )


def read(environment: Mapping[str, str]) -> Cluster | None:
    """The cluster that TF_CONFIG describes, or None where there is none.

    Raises: Failure with a sentence if it cannot be understood.
    """
    text = environment.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(f"it is not JSON ({error})") from error
    if not isinstance(config, dict):
        raise _bad("it is not a JSON object")
    if "cluster" not in config and "task" not in config:
        return None
    return _checked(_addresses(config.get("cluster")), config.get("task"))


def _addresses(cluster: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(cluster, dict):
        raise _bad("`cluster` is missing")
    addresses = {}
    for given, hosts in cluster.items():
        task_type = _type(given)
        if not isinstance(hosts, list) or not all(_is_address(host) for host in hosts):
            raise _bad(f"`cluster.{given}` is not a list of host:port")
        if task_type in addresses:
            raise _bad("`cluster` has both a master and a chief")
        addresses[task_type] = tuple(hosts)
    return addresses


def _is_address(host: object) -> bool:
    parts = ADDRESS.fullmatch(host) if isinstance(host, str) else None
    try:
        return parts is not None and bool(parts[1].encode("idna")) and 1 <= int(parts[2]) <= 65535
    except UnicodeError:  # no name that DNS can know: a label is empty or over 63 letters
        return False


def _type(given: object) -> str:
    task_type = CHIEF if given == "master" else given
    if task_type not in TYPES:
        raise _bad(f"{given!r} is none of master, chief, worker, ps, evaluator")
    return task_type


def _checked(addresses: dict[str, tuple[str, ...]], task: object) -> Cluster:
    if not isinstance(task, dict) or "type" not in task:
        raise _bad("`task` does not say which replica this is")
    task_type, index = _type(task["type"]), task.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise _bad(f"`task.index` is {index!r}, not a whole number from 0")
    cluster = Cluster(addresses, task_type, index)
    if cluster.count(CHIEF) != 1:
        raise _bad(f"`cluster` has {cluster.count(CHIEF)} chiefs; exactly one MASTER is needed")
    if task_type != EVALUATOR and index >= cluster.count(task_type):
        raise _bad(f"`cluster` has no {task_type} {index}, which this replica is said to be")
    if cluster.count(PS) and not cluster.count(WORKER):
        raise _bad("there are parameter servers and no worker; add a WORKER or leave out the PS")
    return cluster


def _bad(why: str) -> Failure:
    return Failure(f"Cannot use TF_CONFIG: {why}; the operator writes it from the TfJob's spec.")
