"""Plays the cases on a real cluster: sets each up, asks the validator, cleans up.

Works with anything that has the ``run`` and ``kubectl`` of the ``cluster`` fixture.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.validator.cases import ENDED, MISTAKES, Case, Typed
from tests.validator.cases_module0 import Edited
from validator import cluster as reader
from validator import exercises  # noqa: F401 (registers the checks)
from validator.engine import EXERCISES, Grade, Seen, grade_one
from validator.kubeconfig import Connection, connect
from validator.snapshot import Snapshot, Unreadable, text
from validator.tfjobs import main_container
from validator.verdicts import Verdict

CHECKOUT = Path(__file__).resolve().parent.parent.parent
OPERATOR_NAMESPACE = "tf-job-system"
SOLUTION = CHECKOUT / "modules/4-helm/solution/module4-ex2"
SWEEPS = CHECKOUT / "modules/7-hyper-param-sweeping"
# By exercise, the chart of which {chart} is a copy, with the mistake's own files.
CHARTS = {"7.1": SWEEPS / "solution/module7-ex1"}
# What words of a command stand for; {chart} is the case's own chart.
FOLDERS = {
    "tensorboard": CHECKOUT / "modules/4-helm/charts/tensorboard",
    "starter": CHECKOUT / "modules/4-helm/starter/module4-ex2",
    "solution": SOLUTION,
    "sweeps": SWEEPS,
    "mistakes": MISTAKES,
    "kubernetes": CHECKOUT / "modules/2-kubernetes",
    "further": CHECKOUT / "modules/9-going-further",
    "jupyter": CHECKOUT / "modules/8-jupyter",
    "cheats": MISTAKES.parent / "cheats/commands",
}
# A training of four replicas takes a minute on two cores, and many times that on busy ones.
TRAINING_SECONDS = 1200.0
# What is wrong only when it lasts, such as a missing claim, is said after a minute.
PATIENCE_SECONDS = 120.0
# What is right, or wrong, has to be so a moment later as well.
LASTING_SECONDS = 2.0
# Between two looks: a look reads all that the validator ever reads, and takes from the trainings
# what it costs. So the longer the wait, the longer the pause.
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.4, 10.0
PAUSE_OF_THE_WAIT = 0.05


@dataclass
class Answer:
    """What the validator said at last, what it had read, and what it said wrongly on the way."""

    data: dict[str, Any]
    grade: Grade
    accused: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        finding = self.grade.finding
        words = f"{finding.id}: {finding.found} -> {finding.next_step}" if finding else ""
        return f"{self.grade.verdict.value} {words}"


@contextmanager
def played(cluster: Any, case: Case) -> Iterator[Connection]:
    """How to reach the namespace with what the case's learner made."""
    name = f"case-{case.exercise.replace('.', '-')}-{case.name}"[:50] + f"-{uuid.uuid4().hex[:4]}"
    spaces = [name, f"{name}-other"] if case.elsewhere else [name]
    try:
        for command in case.commands:
            run_for_operator(cluster, command)
        for space in spaces:
            cluster.kubectl("create", "namespace", space)
            wait = ("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
            cluster.kubectl(*wait, "--namespace", space)
        if case.label:
            cluster.kubectl("label", "namespace", name, case.label)
        yield connection(cluster, name, spaces[1:])
    finally:
        for space in spaces:
            clean_up(cluster, space)


def clean_up(cluster: Any, namespace: str) -> None:
    """Without waiting for programs that do not listen to SIGTERM: others need their GPUs."""
    where = ("--namespace", namespace, "--wait=false", "--ignore-not-found")
    cluster.kubectl("delete", "tfjobs,jobs,cronjobs", "--all", *where, check=False)
    at_once = ("--grace-period=0", "--force")
    cluster.kubectl("delete", "pods", "--all", *at_once, *where, check=False)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false", check=False)


def connection(cluster: Any, namespace: str, others: list[str]) -> Connection:
    """``others``: what further contexts of the learner's kubeconfig name."""
    found = connect(str(cluster.kubeconfig), None, namespace)
    return replace(found, other_namespaces=tuple(others), flags=(f"--namespace={namespace}",))


def run_for_operator(cluster: Any, command: tuple[str, ...]) -> None:
    """A command about the operator, in its namespace."""
    interrupted = command[0] == "timeout"
    where = () if command[0] == "sh" else ("--namespace", OPERATOR_NAMESPACE)
    more = (OPERATOR_NAMESPACE,) if command[0] == "sh" else where
    failing = interrupted or "--timeout" in command
    cluster.run(*command, *more, check=not failing, timeout=180)


def apply(cluster: Any, case: Case, where: Connection) -> None:
    """What the learner types."""
    if isinstance(case, Typed):
        type_commands(cluster, case, where)
    elif case.manifest is not None:
        _apply_manifest(cluster, case, case.manifest, where)


def _apply_manifest(cluster: Any, case: Case, manifest: Path, where: Connection) -> None:
    namespace = where.other_namespaces[0] if case.elsewhere else where.namespace
    words = (CHECKOUT / manifest).read_text()
    if case.named:
        words = words.replace("module6-ex1", case.named).replace("module5-ex2", case.named)
    cluster.kubectl("apply", "--namespace", namespace, "-f", "-", input=words)


def type_commands(cluster: Any, case: Typed, where: Connection) -> None:
    """Run what the learner types."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder, "chart")
        shutil.copytree(CHARTS.get(case.exercise, SOLUTION), chart)
        if case.manifest and case.manifest.is_dir():
            shutil.copytree(case.manifest, chart, dirs_exist_ok=True)
        for line in case.typed:
            command = line.removeprefix("! ").format(chart=chart, manifest=case.manifest, **FOLDERS)
            space = f" --namespace={where.namespace}"
            # A pipe of two programs: each gets the namespace.
            whole = " | ".join(part + space for part in command.split(" | "))
            patience = TRAINING_SECONDS if case.trains else 180.0
            done = cluster.run("sh", "-c", whole, check=not line.startswith("! "), timeout=patience)
            assert not (line.startswith("! ") and done.returncode == 0), f"{line} did not fail"


def ask(cluster: Any, case: Case, where: Connection) -> Answer:
    """Look until the validator says what the case wants, and still says it a moment later."""
    acts, accused = list(case.acts), set[str]()
    lasting = 0.0 if case.verdict is Verdict.CONVERGING else LASTING_SECONDS
    start = time.monotonic()
    end = start + (TRAINING_SECONDS if case.trains else PATIENCE_SECONDS)
    since: float | None = None
    while True:
        answer = replace(look(case, where), accused=accused)
        finding, now = answer.grade.finding, time.monotonic()
        if answer.grade.verdict is Verdict.WRONG and case.verdict is not Verdict.WRONG and finding:
            accused.add(finding.id)
        as_wanted = not acts and fits(case, answer.grade)
        since = (since or now) if as_wanted else None
        if case.at_once or now > end or (since is not None and now - since >= lasting):
            return answer
        if acts and _is_due(acts[0].after, answer):
            _do(cluster, acts.pop(0).command, where)
        # What the learner does next must not come late.
        time.sleep(PAUSE_SECONDS if acts else _pause(now - start))


def _pause(waited: float) -> float:
    """Seconds until the next look, after so many of waiting."""
    return min(max(PAUSE_SECONDS, waited * PAUSE_OF_THE_WAIT), LONGEST_PAUSE_SECONDS)


def _do(cluster: Any, command: tuple[str, ...], where: Connection) -> None:
    """In the case's namespace, unless the command names another."""
    space = () if "--namespace" in command else ("--namespace", where.namespace)
    cluster.run(*command, *space, timeout=180)


def look(case: Case, where: Connection) -> Answer:
    """Read what all exercises read, and judge the case's own."""
    data = reader.read(where, list(EXERCISES.values()))
    if isinstance(case, Edited):
        case.edit(data)
    return Answer(data, grade_one(Snapshot(data), EXERCISES[case.exercise]))


def _is_due(after: str, answer: Answer) -> bool:
    each = answer.grade.exercise
    seen = Seen(Snapshot(answer.data), each.subject, each)
    if after == ENDED:
        return seen.ended != ""
    try:
        log = seen.log(seen.pod, text(main_container(seen.pod.get("spec", {})), "name"))
    except Unreadable:
        return False
    return any(re.search(after, line.text) for line in log.lines)


def fits(case: Case, grade: Grade) -> bool:
    """Whether the validator said what the case wants."""
    finding = grade.finding
    if grade.verdict is not case.verdict or finding is None:
        return grade.verdict is case.verdict
    fix = "\n".join(finding.fix)
    return finding.id == case.id and case.found in finding.found and case.fix in fix
