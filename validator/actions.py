"""solve and reset: the only commands that change the cluster.

They run kubectl and helm of the PATH, each as a list of words that no shell
sees, and show every command as a learner would type it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence

from validator import operator_release
from validator.engine import Exercise, grade
from validator.kubeconfig import CHECKOUT, Connection
from validator.snapshot import Snapshot, Unreadable
from validator.tfjobs import gpus_of_cluster
from validator.verdicts import Verdict

PLURALS = {"tfjob": "tfjobs", "job": "jobs", "deployment": "deployments", "pod": "pods"}
Command = list[str]
# Helm waits for hooks, kubectl for Pods that end in peace.
TIMEOUT_SECONDS = 180


class Failed(Exception):
    """A command could not be run, or failed; the message says which and why."""


def solve_commands(cluster: Snapshot, numbers: Sequence[str]) -> list[Command]:
    """The commands that bring exercises to done; none for those that are."""
    commands: list[Command] = []
    for one in grade(cluster, numbers):
        if one.verdict is not Verdict.DONE:
            commands += _solution(cluster, one.exercise)
    return commands


def blocked_by(cluster: Snapshot, numbers: Sequence[str]) -> str:
    """The exercise that has to be done before these, and is not among them; "" for none."""
    for one in grade(cluster, numbers):
        needed = {n for each in one.exercise.checks for n in each.requires} - set(numbers)
        for other in grade(cluster, sorted(needed)):
            if other.verdict not in (Verdict.DONE, Verdict.COULD_NOT_CHECK):
                return other.exercise.number
    return ""


def reset_commands(cluster: Snapshot, exercises: Sequence[Exercise]) -> list[Command]:
    """The commands that delete what these exercises made in the learner's namespace."""
    commands: list[Command] = []
    for each in exercises:
        for kind, name in each.objects:
            if _exists(cluster, kind, name):
                commands.append(_delete(kind, name))
    if any(each.number == "5.0" for each in exercises) and _release_here(cluster):
        commands.append(["helm", "uninstall", operator_release.RELEASE])
    return commands


def run_all(
    commands: Sequence[Command], connection: Connection, say: Callable[[str], None]
) -> None:
    """Run commands one after the other. Raises: Failed at the first that fails."""
    for command in commands:
        say(f"$ {shlex.join(command)}")
        say(_run(_with_connection(command, connection), connection.files))


def _solution(cluster: Snapshot, exercise: Exercise) -> list[Command]:
    if exercise.number == "5.0":
        chart = "operator/chart"
        release = operator_release.RELEASE
        return [["helm", "upgrade", "--install", release, chart, "--set", "cloud=azure"]]
    path = exercise.solution
    if exercise.solution_without_gpus and not _has_gpus(cluster):
        path = exercise.solution_without_gpus
    old = [_delete(k, n) for k, n in exercise.objects if _exists(cluster, k, n)]
    return [*old, ["kubectl", "apply", "-f", path]]


def _has_gpus(cluster: Snapshot) -> bool:
    try:
        return bool(gpus_of_cluster(cluster))
    except Unreadable:
        return True


def _exists(cluster: Snapshot, kind: str, name: str) -> bool:
    try:
        return cluster.find(PLURALS[kind], name) is not None
    except Unreadable:
        return False


def _release_here(cluster: Snapshot) -> bool:
    try:
        return bool(operator_release.helm_status(cluster, operator_release.RELEASE))
    except Unreadable:
        return False


def _delete(kind: str, name: str) -> Command:
    return ["kubectl", "delete", kind, name]


def _with_connection(command: Command, connection: Connection) -> Command:
    """Options as single words with ``=``, so that no value is taken for another option."""
    context = "--context" if command[0] == "kubectl" else "--kube-context"
    where = [f"--namespace={connection.namespace}"]
    if connection.context:
        where.append(f"{context}={connection.context}")
    return [*command, *where]


def _run(command: Command, kubeconfig: str) -> str:
    """The command's output. Raises: Failed."""
    program = shutil.which(command[0])
    if program is None:
        raise Failed(f"{command[0]} is not on PATH: `source .lab/activate` puts it there")
    environment = {**os.environ, "KUBECONFIG": kubeconfig}
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{command[0]} could not be run: {error}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"{shlex.join(command)} failed: {last[-1] if last else 'no reason given'}")
    return done.stdout.strip()


def shown(commands: Sequence[Command]) -> str:
    """The commands as a learner would type them."""
    return "\n".join(f"  {shlex.join(command)}" for command in commands)
