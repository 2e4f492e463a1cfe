"""Checks of a grid: a Helm release with a TfJob for each pair, and one TensorBoard over all."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from validator import painter, places
from validator.case import GRACE_SECONDS
from validator.checks.releases import HELM, Chart, made
from validator.checks.sweeps import LINES, RUNS, all_over, alone, choice, finished, log_of
from validator.checks.sweeps import trainings as tfjobs
from validator.diagnosis import newest_pods, of_deployment, succeeded
from validator.engine import Check, Seen
from validator.snapshot import Object, Snapshot, Unreadable, at, listed, name_of, text, time_at
from validator.tfjobs import main_container, pod_spec
from validator.verdicts import Finding, Verdict, converging

RATES, LAYERS = 2, 3
CLAIM = "module7-runs"
REQUEST = quote(
    json.dumps(
        {
            "experimentName": "",
            "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
            "colParams": [],
            "startIndex": 0,
            "sliceSize": 100,
        },
        separators=(",", ":"),
    )
)
# The log has five digits after the point. A line and its point are written one after the other.
VALUE, SECONDS = 1.1e-5, 10.0
# Where the worst loss is less than this many times the best, nothing was learnt of the values.
SPREAD = 3
# The name ends with an index that is not the first of its loop.
_LATER = re.compile(r"-[1-9]\d*$")


_INDICES = (
    "Put the indices of the loops into the name, and the values into args: "
    "`name: {{ $.Release.Name }}-{{ $i }}-{{ $j }}`."
)


class Grid(Chart):
    """A release whose TfJobs are made again by a new installation: a TfJob's spec is fixed."""

    reads = Chart.reads | frozenset({"tfjobs", "jobs", "pods", "events", "groups"})

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        jobs = self.objects(cluster, "tfjobs")
        return [pod for job in jobs for pod in newest_pods(cluster, job)]

    def ended(self, cluster: Snapshot, item: Object) -> str:
        jobs = self.objects(cluster, "tfjobs")
        return "well" if jobs and all(map(succeeded, jobs)) else ""

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return (f"$ helm uninstall --wait {self.name}", f"$ {self.command}")


class Session(NamedTuple):
    """One row of TensorBoard's HParams."""

    choice: painter.Choice
    loss: float
    time: float


def full_grid() -> Check:
    """Its TfJobs try each of several rates with each of several numbers of layers, once."""

    def judge(seen: Seen) -> Finding | None:
        jobs = tfjobs(seen)
        if len(jobs) < 2:
            return _no_loop(seen, jobs)
        pairs = {name_of(job): pair for job in jobs if (pair := choice(job))}
        odd = next((name_of(job) for job in jobs if name_of(job) not in pairs), "")
        return _no_numbers(seen, odd) if odd else _holes(seen, pairs)

    title = f"Its TfJobs are a full grid, of {RATES} learning rates by {LAYERS} layers or more."
    return Check("grid", title, judge, HELM | {"tfjobs"})


def _no_loop(seen: Seen, jobs: list[Object]) -> Finding:
    if not jobs:
        return seen.wrong(
            "none",
            "the release has made no TfJob",
            "a TfJob for each pair",
            "Keep the starter's TfJob as the body of your two loops. This command shows what the "
            "chart makes:",
            f"$ helm get manifest {seen.subject.name}",
        )
    return seen.wrong(
        "one",
        f"the release has made one TfJob, {name_of(jobs[0])}",
        "a TfJob for each pair",
        "In templates/tfjob.yaml, put two `range` around the TfJob: over learningRate, and in it "
        "over hiddenLayers. A line `---` begins each TfJob: it has to be inside of both. The name "
        "needs both indices.",
    )


def _no_numbers(seen: Seen, name: str) -> Finding:
    return seen.wrong(
        "values",
        f"TfJob {name} has no number as --learning-rate, or none as --hidden-layers",
        "both options, each with one value of the grid",
        "Write `--learning-rate={{ $rate }}` and `--hidden-layers={{ $layers }}` into args.",
    )


def _holes(seen: Seen, pairs: dict[str, painter.Choice]) -> Finding | None:
    tried = list(pairs.values())
    twice = next((pair for pair in tried if tried.count(pair) > 1), None)
    if twice:
        names = [name for name, pair in pairs.items() if pair == twice]
        return seen.wrong(
            "twice",
            f"{len(names)} TfJobs try {twice}: {', '.join(names[:3])}",
            "each pair once",
            "Let args take the variables of the loops: `{{ $rate }}` and `{{ $layers }}`.",
        )
    rates, layers = {p.learning_rate for p in tried}, {p.hidden_layers for p in tried}
    if len(layers) == 1 and all(_LATER.search(name) for name in pairs):
        return seen.wrong(
            "separator",
            f"the release has made {len(pairs)} TfJobs, each with the last number of layers",
            "a TfJob for each pair",
            "Put the line `---` inside of the inner `range`, before apiVersion. Outside of it, "
            "all TfJobs of a loop are one object for Helm, and the last one wins.",
        )
    if len(rates) < RATES or len(layers) < LAYERS:
        return seen.wrong(
            "small",
            f"learning rates: {len(rates)}, numbers of layers: {len(layers)}",
            f"{RATES} learning rates by {LAYERS} numbers of layers, or more",
            "Write more values under hyperParamValues in values.yaml, and let both loops use them.",
        )
    missing = [p for r in sorted(rates) for n in sorted(layers)
               if (p := painter.Choice(r, n)) not in tried]  # fmt: skip
    if not missing:
        return None
    has = "has" if len(missing) == 1 else "have"
    return seen.wrong(
        "holes",
        f"of {len(rates)} by {len(layers)} pairs, {len(missing)} {has} no TfJob: {missing[0]}",
        "each learning rate with each number of layers",
        "Put the second `range` inside the first one. (If you deleted one by hand: an installation "
        "makes all of them.)",
    )


def own_folders() -> Check:
    """Each TfJob writes into a folder of its own, all of them on one claim."""

    def judge(seen: Seen) -> Finding | None:
        folders: dict[str, str] = {}
        for job in tfjobs(seen):
            pod = pod_spec(next(iter(listed(job, "spec", "replicaSpecs")), {}))
            container = main_container(pod)
            path = painter.asked(container, "--log-dir")
            place = places.of_path(pod, container, path)
            if place is None:
                return _not_on_the_claim(seen, name_of(job), path)
            if place.folder in folders:
                return _shared(seen, folders[place.folder], name_of(job), path)
            folders[place.folder] = name_of(job)
        return None

    return Check("folders", "Each TfJob writes into a folder of its own.", judge, RUNS)


def _not_on_the_claim(seen: Seen, name: str, path: str) -> Finding:
    return seen.wrong(
        "lost",
        f"TfJob {name} writes to {path}, which is on no claim: the files go with the Pod",
        f"--log-dir in a folder of the claim {CLAIM}",
        "Write `--log-dir=/runs/rate-{{ $rate }}-layers-{{ $layers }}` into args.",
    )


def _shared(seen: Seen, one: str, other: str, path: str) -> Finding:
    finding = seen.wrong(
        "shared",
        f"TfJobs {one} and {other} both write to {path}: TensorBoard takes them for one run",
        "a folder for each run",
        "Put both values into the folder's name: "
        "`--log-dir=/runs/rate-{{ $rate }}-layers-{{ $layers }}`.",
    )
    return _emptied(seen, finding)


def _emptied(seen: Seen, finding: Finding) -> Finding:
    """The finding with an empty claim: the old one keeps the files of earlier runs.

    The page has the command. The validator itself tells nobody to delete a claim that is bound.
    """
    uninstall, install = seen.subject.redo(seen.cluster, seen.object, "")
    again = (
        "Then make it again:",
        uninstall,
        f"The claim {CLAIM} still has the files of earlier runs. Delete it now, as the page says "
        "of two runs in one folder. Then:",
        install,
    )
    return finding.but(redo=False, fix=(*finding.fix, *again))


def all_succeed() -> Check:
    """All of its TfJobs have succeeded."""

    def judge(seen: Seen) -> Finding | None:
        finding = all_over(seen, succeeded)
        if finding and finding.cause == "refused.name":
            return finding.but(fix=(_INDICES,))
        return finding

    return Check("ends", "All of them have succeeded.", judge, RUNS | {"operator deployments"})


def one_board() -> Check:
    """The release has made one TensorBoard, outside of its TfJobs."""

    def judge(seen: Seen) -> Finding | None:
        deployments = made(seen, "deployments")
        inside = [name_of(job) for job in tfjobs(seen) if at(job, "spec", "tensorboard")]
        if len(deployments) == 1 and not inside:
            return None
        many = len(deployments) + len(inside)
        return seen.wrong(
            "many" if many else "none",
            f"the release has made {many} TensorBoards",
            "one TensorBoard, which reads the folders of all runs",
            "Take the TensorBoard out of the loops: templates/tensorboard.yaml of the starter is "
            "all that it takes."
            if many
            else "Copy templates/tensorboard.yaml from the starter into your chart.",
        )

    title = "It has one TensorBoard for all of them."
    return Check("board", title, judge, HELM | {"tfjobs", "deployments"})


def board_shows_all(service: str) -> Check:
    """TensorBoard's HParams has a row for each TfJob, with the loss of its log."""
    request = f"{service}:80/data/plugin/hparams/session_groups?request={REQUEST}"

    def judge(seen: Seen) -> Finding | None:
        try:
            shown = _sessions(seen.cluster, request)
        except Unreadable as problem:
            return _not_ready(seen) or _silent(seen, problem)
        for job in finished(seen):
            finding = _row(seen, job, shown)
            if finding:
                finding = _graced(seen, finding)
                return _emptied(seen, finding) if finding.redo else finding
        return None

    title = "TensorBoard's HParams has each pair, with the loss of its log."
    reads = RUNS | LINES | {"services", "deployments", f"answer {request}"}
    return Check("hparams", title, judge, reads)


def _sessions(cluster: Snapshot, request: str) -> list[Session]:
    """The rows that TensorBoard answers with. Raises: Unreadable."""
    answer = cluster.answer(request)
    try:
        groups = listed(json.loads(answer.body), "sessionGroups")
    except (ValueError, RecursionError):
        raise Unreadable("answer of TensorBoard", answer.status, "it is no JSON") from None
    return [row for group in groups for row in _rows(group)]


def _rows(group: Object) -> list[Session]:
    try:
        pair = painter.Choice(_number(at(group, "hparams", "learning_rate")),
                              _number(at(group, "hparams", "hidden_layers")))  # fmt: skip
        return [
            Session(pair, _number(metric.get("value")), _number(metric.get("wallTimeSecs")))
            for session in listed(group, "sessions")
            for metric in listed(session, "metricValues")
            if text(metric, "name", "tag") == "loss"
        ]
    except TypeError:
        return []


def _number(value: Any) -> float:
    """Raises: TypeError where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _row(seen: Seen, job: Object, shown: list[Session]) -> Finding | None:
    """What is wrong with the row of one TfJob; None where it is that of its log."""
    wanted, last = choice(job), log_of(alone(seen, job)).lines[-1]
    mine = [row for row in shown if row.choice == wanted]
    if any(_is_of(row, last) for row in mine):
        return None
    if not mine:
        return seen.wrong(
            "missing",
            f"TensorBoard's HParams has no row for {wanted}, which TfJob {name_of(job)} tried",
            "a row for each TfJob",
            f"Let TensorBoard and the TfJobs mount the same claim, {CLAIM}, and `--logdir` be the "
            "folder above those of all runs. If it is so, the folder has files of an earlier run.",
        )
    return seen.wrong(
        "other-run",
        f"TensorBoard's loss for {wanted} is {mine[0].loss:.5f}, and it is not that of TfJob "
        f"{name_of(job)}, whose log says {last.loss:.5f}",
        "the loss of this run's own log",
        f"Let only this release write to the claim {CLAIM}.",
    )


def _is_of(row: Session, line: painter.Line) -> bool:
    near = line.time is None or abs(row.time - line.time.timestamp()) <= SECONDS
    return abs(row.loss - line.loss) <= VALUE and near


def _not_ready(seen: Seen) -> Finding | None:
    """Why TensorBoard's own Pod does not run."""
    board = next(reversed(made(seen, "deployments")), None)
    return of_deployment(seen.cluster, board) if board else None


def _silent(seen: Seen, problem: Unreadable) -> Finding:
    """No answer: on its way, unless the API server refuses to ask."""
    if problem.status not in (404, 502, 503, 504):
        raise problem
    name = seen.subject.name
    return converging(
        "silent",
        f"TensorBoard does not answer: {problem.message}",
        f"a TensorBoard that answers, behind a Service {name}-tensorboard with port 80",
        "Wait. If it stays so, compare the Service's selector with the labels of the Pod:",
        "$ kubectl get pods --show-labels",
        since=_last_end(seen),
    )


def _graced(seen: Seen, finding: Finding) -> Finding:
    """TensorBoard looks for new points every few seconds."""
    since = _last_end(seen)
    if seen.cluster.age_seconds(since) >= GRACE_SECONDS:
        return finding
    wait = "Wait: TensorBoard reads its folders again every few seconds."
    return finding.but(
        verdict=Verdict.CONVERGING, redo=False, since=since, fix=(wait, *finding.fix)
    )


def _last_end(seen: Seen) -> Any:
    ends = [time_at(job, "status", "completionTime") for job in finished(seen)]
    return max((end for end in ends if end), default=None)


def spread() -> Check:
    """The values differ enough that one sees which are good."""

    def judge(seen: Seen) -> Finding | None:
        ranked = ranking(seen)
        best, worst = ranked[0], ranked[-1]
        if worst[0] > SPREAD * best[0]:
            return None
        return seen.wrong(
            "narrow",
            f"losses from {best[0]:.5f} to {worst[0]:.5f}: all values do about as well",
            f"a worst loss of more than {SPREAD} times the best one",
            "Try values that are further apart: learning rates go by tens, as 0.001, 0.01, 0.1.",
        )

    title = "One sees which values are good: the losses differ."
    return Check("spread", title, judge, RUNS | LINES)


def ranking(seen: Seen) -> list[tuple[float, painter.Choice]]:
    """(loss, choice) of all that have succeeded, best first. Raises: Unreadable."""
    found = [(log_of(alone(seen, job)).loss, choice(job)) for job in finished(seen)]
    return sorted((loss, pair) for loss, pair in found if pair)


def best_of_all(seen: Seen) -> str:
    """The best, in a sentence."""
    loss, pair = ranking(seen)[0]
    return f"The best of {len(finished(seen))}: {pair}, loss {loss:.5f}."
