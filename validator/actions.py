"""solve and reset: the only commands that change the cluster.

They run kubectl and helm of the PATH, each as a list of words that no shell
sees, and show every command as a learner would type it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from validator.commands import for_cluster, join, split, with_flags
from validator.engine import EXERCISES, Exercise, belongs_to_an_exercise, grade
from validator.kubeconfig import CHECKOUT, Connection
from validator.near_misses import KINDS
from validator.snapshot import Snapshot, Unreadable, at, listed, name_of, text
from validator.subjects import LocalImage, Search
from validator.tfjobs import GPU_RESOURCES, SAMPLE_IMAGE, gpus_of_cluster, repository
from validator.verdicts import Verdict

Command = list[str]
# Helm waits for hooks, kubectl for Pods that end in peace, a search for all of its trainings.
TIMEOUT_SECONDS = 300
SEARCH_SECONDS = 1800
NOT_SERVED = 404
# Of further objects of an exercise, the kinds that are read, by kubectl's names.
FURTHER = {
    "job": "jobs",
    "podgroup": "podgroups",
    "pvc": "persistentvolumeclaims",
    "resourceclaimtemplate": "resourceclaimtemplates",
    "tfjob": "tfjobs",
}


class Failed(Exception):
    """A command could not be run, or failed; the message says which and why."""


def solve_commands(
    cluster: Snapshot, exercises: Sequence[Exercise], folder: Path
) -> tuple[list[Command], str]:
    """The commands that bring exercises to done, none for those that are; and what blocks them.

    folder: where manifests are put that had to be changed for this cluster.
    """
    commands: list[Command] = []
    numbers = [each.number for each in exercises]
    for one in grade(cluster, numbers):
        if one.verdict is Verdict.BLOCKED and one.finding and not commands:
            return [], one.finding.found
        if one.verdict is not Verdict.DONE:
            commands += _solution(cluster, one.exercise, folder)
    return commands, ""


def reset_commands(
    cluster: Snapshot, exercises: Sequence[Exercise], with_operator: bool
) -> list[Command]:
    """The commands that delete what these exercises made in the learner's namespace."""
    kept = _claims_of_others(cluster, exercises)
    found = [command for each in exercises for command in _deletions(cluster, each)]
    claims = [c for c in found if c[2] == "pvc" and c[3] not in kept]
    # A claim goes after all that mounts it: kubectl waits until it is gone.
    commands = [c for c in found if c[2] != "pvc"] + [
        c for at, c in enumerate(claims) if c not in claims[:at]
    ]
    for each in exercises:
        if each.release and with_operator and _release_here(cluster, each.release):
            commands.append(["helm", "uninstall", each.release])
    return commands


def run_all(
    commands: Sequence[Command],
    cluster: Snapshot,
    connection: Connection,
    say: Callable[[str], Any],
) -> None:
    """Run commands one after the other. Raises: Failed at the first that fails."""
    for command in commands:
        words = _complete(command, cluster, connection)
        say(f"$ {join(words)}")
        said = _run(words, connection.files)
        if said:
            say(said)


def shown(commands: Sequence[Command], cluster: Snapshot, connection: Connection) -> str:
    """The commands as they run."""
    return "\n".join(f"  {join(_complete(command, cluster, connection))}" for command in commands)


def _claims_of_others(cluster: Snapshot, exercises: Sequence[Exercise]) -> set[str]:
    """The claims that another exercise's objects mount."""
    others = [each for each in EXERCISES.values() if each not in exercises]
    there = [e for e in others if _there(cluster, e.subject.plural, e.subject.name)]
    return {name for each in there for kubectl, name in each.also if kubectl == "pvc"}


def _is_pending(cluster: Snapshot, claim: str) -> bool:
    found = [c for c in cluster.items_if_readable("persistentvolumeclaims") if name_of(c) == claim]
    return any(text(c, "status", "phase") == "Pending" for c in found)


def _solution(cluster: Snapshot, each: Exercise, folder: Path) -> list[Command]:
    if each.install:
        root = f"{CHECKOUT}/"
        plain = each.install_without_gpus if _gpus(cluster) == {} else ()
        lines = plain or each.install
        return [shlex.split(line.replace("{checkout}/", shlex.quote(root))) for line in lines]
    if not each.solution:
        raise Failed(f"exercise {each.number} has no solution that can be applied: see its page")
    name = each.solution
    there = _gpus(cluster)
    if each.solution_without_gpus and there == {}:
        name = each.solution_without_gpus
    path = CHECKOUT / each.folder / "solution" / name
    # What is on a claim that is Bound may be another exercise's as well.
    old = [c for c in _deletions(cluster, each) if c[2] != "pvc" or _is_pending(cluster, c[3])]
    first = f"kubectl apply -f {shlex.quote(str(path))}"
    return [*old, *(_then(line, there, folder) for line in (first, *each.then))]


def _then(line: str, there: dict[str, int] | None, folder: Path) -> Command:
    """A command, with the checkout's folder and with manifests that fit this cluster."""
    root = f"{CHECKOUT}/"
    words = shlex.split(line.replace("{checkout}/", shlex.quote(root)))
    return [str(_fitted(Path(w), there, folder)) if w.endswith(".yaml") else w for w in words]


def _gpus(cluster: Snapshot) -> dict[str, int] | None:
    """What the nodes offer; None where that cannot be read."""
    try:
        return gpus_of_cluster(cluster)
    except Unreadable:
        return None


def _fitted(path: Path, there: dict[str, int] | None, folder: Path) -> Path:
    """The manifest, or a copy of it with the GPU and the registry that this cluster has."""
    original = path.read_text()
    fitted = original
    for resource in GPU_RESOURCES:
        if there and resource not in there:
            fitted = fitted.replace(resource, next(iter(there)))
    registry = os.environ.get("WORKSHOP_REGISTRY", "").rstrip("/")
    if registry:
        fitted = fitted.replace(f"image: {repository(SAMPLE_IMAGE)}", f"image: {registry}/"
                                f"{repository(SAMPLE_IMAGE).rsplit('/', 1)[-1]}")  # fmt: skip
    if fitted == original:
        return path
    copy = folder / path.name
    copy.write_text(fitted)
    return copy


def _deletions(cluster: Snapshot, each: Exercise) -> Iterator[Command]:
    """The exercise's own objects, and one of its name but another kind, which is in the way."""
    own = (each.subject.kubectl, each.subject.name)
    if isinstance(each.subject, LocalImage):
        yield from _in_the_engine(cluster, each.subject)
    elif not each.release and _there(cluster, each.subject.plural, each.subject.name):
        yield ["kubectl", "delete", *own]
    if isinstance(each.subject, Search) and each.subject.trials(cluster):
        yield ["kubectl", "delete", "tfjobs", f"--selector={each.subject.selector}"]
    for kubectl, name in each.also:
        if _may_be_there(cluster, FURTHER.get(kubectl, ""), name):
            yield ["kubectl", "delete", kubectl, name, "--ignore-not-found"]
    if each.subject.plural == "helm" and _release_here(cluster, each.subject.name):
        yield ["helm", "uninstall", "--wait", each.subject.name]
    if each.subject.plural not in KINDS:
        return
    for plural, (_, kubectl) in KINDS.items():
        misplaced = plural != each.subject.plural and _there(cluster, plural, each.subject.name)
        if misplaced and not belongs_to_an_exercise(plural, kubectl, each.subject.name):
            yield ["kubectl", "delete", kubectl, each.subject.name]


def _in_the_engine(cluster: Snapshot, mine: LocalImage) -> Iterator[Command]:
    """The container first: it keeps the image."""
    image = mine.find(cluster) if cluster.items_if_readable("images") else None
    uid = text(image, "metadata", "uid")
    for each in cluster.items_if_readable("containers"):
        if name_of(each) == mine.name or (uid and text(each, "spec", "imageId") == uid):
            yield ["docker", "rm", "--force", name_of(each)]
    if image:
        yield ["docker", "rmi", mine.reference]


def _may_be_there(cluster: Snapshot, plural: str, name: str) -> bool:
    """Also where it was not read; but not where the API has no such kind, and kubectl fails."""
    if at(cluster.data["missing"], plural, "status") == NOT_SERVED:
        return False
    return plural not in cluster.data["objects"] or _there(cluster, plural, name)


def _there(cluster: Snapshot, plural: str, name: str) -> bool:
    items = cluster.items_if_readable(plural)
    return any(name_of(i) == name and not listed(i, "metadata", "ownerReferences") for i in items)


def _release_here(cluster: Snapshot, release: str) -> bool:
    """Whether the release is in the learner's own namespace: another one is the instructor's."""
    secrets = [*cluster.items_if_readable("helm"), *cluster.items_if_readable("helm", "operator")]
    return any(
        i["metadata"].get("labels", {}).get("name") == release
        and i["metadata"].get("namespace") == cluster.namespace
        for i in secrets
    )


def _complete(command: Command, cluster: Snapshot, connection: Connection) -> Command:
    """With the namespace and the context, so that the right cluster is changed, and the kind."""
    line = for_cluster(f"$ {shlex.join(command)}", cluster)
    where = {"--namespace": connection.namespace, "--context": connection.context}
    flags = [f"{flag}={value}" for flag, value in where.items() if value]
    return with_flags(split(line.removeprefix("$ ")), flags)


def _run(command: Command, kubeconfig: str) -> str:
    """The command's output. Raises: Failed."""
    program = shutil.which(command[0])
    if program is None:
        raise Failed(f"{command[0]} is not on PATH: `source .lab/activate` puts it there")
    environment = {**os.environ, "KUBECONFIG": kubeconfig}
    try:
        done = subprocess.run(
            [program, *command[1:]],
            # Else where the learner is: a kubeconfig may be named from there.
            cwd=CHECKOUT if command[:2] == ["python", "-m"] else None,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SEARCH_SECONDS if command[0] == "python" else TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{command[0]} could not be run: {error}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"{shlex.join(command)} failed: {last[-1] if last else 'no reason given'}")
    return done.stdout.strip()
