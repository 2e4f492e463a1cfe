"""Commands in a fix, made so that they can be pasted: the right namespace, context and kind.

A builder of checks writes ``$ kubectl delete tfjob module5-ex1``: one command,
without pipes or variables; only behind ``test`` may a second one stand. What
the learner's cluster needs besides, such as ``--namespace``, is added here,
once for all of them. Every word that comes out means the same to a shell as to
us, whatever a name in the cluster holds.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from validator.snapshot import Snapshot
from validator.tfjobs import gpus_of_cluster

KUBEFLOW, OURS = "kubeflow.org", "tensorflow.org"
TFJOBS = f"tfjobs.{OURS}"
CHECKOUT = "{checkout}/"
# Kinds of the whole cluster: a command about them has no namespace.
_CLUSTER_WIDE = re.compile(
    r"no(?:des?)?|ns|namespaces?|crds?|customresourcedefinitions?|sc|storageclass(?:es)?"
    r"|pc|priorityclass(?:es)?|pv|persistentvolumes?|clusterrole(?:binding)?s?"
    r"|deviceclass(?:es)?|resourceslices?"
)
# These kubectl commands ask the cluster, not a namespace; drain and the like name a node.
_WITHOUT_NAMESPACE = ("api-resources", "api-versions", "cluster-info", "config", "cordon", "drain",
                      "uncordon", "version")  # fmt: skip
# Behind these stands the name of a Pod or a file, and no kind.
_WITHOUT_KIND = ("apply", "attach", "cp", "exec", "logs", "port-forward", "run")
_TAKE_A_VALUE = ("-c", "-f", "-k", "-l", "-o", "-p", "--for", "--patch", "--type", "--raw")
_NAMESPACE_FLAGS = ("-n", "-A", "--namespace", "--all-namespaces", "--raw")
# The search of module 7 in the solution's folder, and the learner's own copy.
_SEARCHES = ("search.py", "my-module7-ex2.py")
_TFJOB = re.compile(r"(?:^|(?<=,))tfjobs?(?=$|[,/])")
_VALUE = re.compile(r"(--?[\w-]+=)(.+)", re.DOTALL)


def for_cluster(step: str, cluster: Snapshot) -> str:
    """The step of a fix with what this cluster needs; words stay as they are."""
    if not step.startswith("$ "):
        return step
    words = with_flags(_without_gpus(split(step[2:]), cluster), cluster.flags)
    if words[:1] == ["kubectl"] and not cluster.serves_group(OURS):
        words = _without_tfjobs(words)
    if words[:1] == ["kubectl"] and cluster.serves_group(KUBEFLOW):
        words = _with_our_tfjobs(words)
    return f"$ {join(words)}"


def _without_gpus(words: list[str], cluster: Snapshot) -> list[str]:
    """The search of module 7 and a server of module 8 ask for a GPU, but for this."""
    program, script = (*words, "", "")[:2]
    script = script.rpartition("/")[2]
    if program == "python" and script in _SEARCHES and "--no-gpu" not in words:
        changed = [*words, "--no-gpu"]
    elif script == "hub.sh" and words[2:3] == ["start"] and words[4:] == ["gpu"]:
        changed = [*words[:4], "plain"]
    else:
        return words
    has_none = cluster.items_if_readable("nodes") and not gpus_of_cluster(cluster)
    return changed if has_none else words


def pastable(command: str, root: str = CHECKOUT) -> str:
    """A command as a shell takes it; ``root`` leads from the current folder to the checkout."""
    return join([word.replace(CHECKOUT, root) for word in split(command)])


def split(command: str) -> list[str]:
    """The words of a command, as a shell reads them; at spaces where its quotes do not match."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def join(words: Sequence[str]) -> str:
    """The words as one command; what means something to a shell stands in quotes."""
    operators = ("||", "&&") if words[:1] == ["test"] else ()
    return " ".join(word if word in operators else _quoted(word) for word in words)


def with_flags(words: list[str], flags: Sequence[str]) -> list[str]:
    """A command with the flags that reach the right place, where its program takes them."""
    if not _takes_flags(words):
        return words
    missing = [_for_program(f, words[0]) for f in flags if not _needless(f, words)]
    # Behind "--" they would be words of the program that kubectl runs in a Pod.
    end = words.index("--") if "--" in words else len(words)
    return [*words[:end], *missing, *words[end:]]


def _takes_flags(words: list[str]) -> bool:
    """kubectl, helm, the validator, the search, and the scripts, which hand them to kubectl."""
    if words[:1] in (["kubectl"], ["helm"]) or words[:3] == ["python", "-m", "validator"]:
        return True
    program, script = (*words[:2], "", "")[:2]
    return (program == "sh" and script.endswith(".sh")) or (
        program == "python" and script.rpartition("/")[2] in _SEARCHES
    )


def _needless(flag: str, words: list[str]) -> bool:
    """A flag that is given already, or a namespace where there is none to name."""
    name = flag.partition("=")[0]
    own = words[: words.index("--")] if "--" in words else words
    given = {word.partition("=")[0] for word in own}
    if name in given or _for_program(name, words[0]) in given:
        return True
    if name != "--namespace":
        return False
    return not given.isdisjoint(_NAMESPACE_FLAGS) or _is_cluster_wide(words)


def _is_cluster_wide(words: list[str]) -> bool:
    if words[0] != "kubectl":
        return False
    verb = next((words[position] for position in _named(words)), "")
    named = words[_kind_at(words)] if _kind_at(words) else ""
    kinds = [kind.partition("/")[0].partition(".")[0] for kind in named.split(",")]
    return verb in _WITHOUT_NAMESPACE or all(map(_CLUSTER_WIDE.fullmatch, kinds))


def _kind_at(words: list[str]) -> int:
    """Where in a kubectl command the kind stands; 0 where none does."""
    named = list(_named(words))[:2]
    return named[1] if len(named) > 1 and words[named[0]] not in _WITHOUT_KIND else 0


def _named(words: list[str]) -> Iterator[int]:
    """Where in a kubectl command the verb stands, the kind, the names: no flags, no values."""
    for position in range(1, len(words)):
        if words[position] == "--":
            return
        is_value = words[position - 1] in _TAKE_A_VALUE
        if not words[position].startswith("-") and not is_value:
            yield position


def _without_tfjobs(words: list[str]) -> list[str]:
    """Before the operator has brought them, kubectl refuses a list of kinds that names them."""
    at = _kind_at(words)
    kinds = words[at].split(",")
    others = [kind for kind in kinds if not _TFJOB.match(kind)]
    return [*words[:at], ",".join(others), *words[at + 1 :]] if others else words


def _with_our_tfjobs(words: list[str]) -> list[str]:
    """Kubeflow has ``tfjobs`` too: the full name cannot be mistaken."""
    at = _kind_at(words)
    return [*words[:at], _TFJOB.sub(TFJOBS, words[at]), *words[at + 1 :]]


def _for_program(flag: str, program: str) -> str:
    """Helm's name of a flag: its --context is --kube-context."""
    return f"--kube{flag[1:]}" if program == "helm" and flag.startswith("--context") else flag


def _quoted(word: str) -> str:
    """In quotes where a shell would see more in it than a word; of a flag, only its value."""
    if shlex.quote(word.replace(CHECKOUT, "/")) == word.replace(CHECKOUT, "/"):
        return word
    value = _VALUE.fullmatch(word)
    return value[1] + shlex.quote(value[2]) if value else shlex.quote(word)
