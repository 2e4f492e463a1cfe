"""Checks of the TensorBoard that a TfJob asks for: its folder, its Deployment, what it shows."""

from __future__ import annotations

import json
from typing import Any

from validator import boards, evidence, places
from validator.case import GRACE_SECONDS, Case
from validator.checks.models import logs_path
from validator.diagnosis import of_deployment
from validator.engine import Check, Seen
from validator.snapshot import Object, Unreadable, listed, mapping, name_of, text, time_at
from validator.tfjobs import main_container
from validator.verdicts import Finding, Verdict, converging

TAGS = "data/plugin/scalars/tags"
LOSS = "data/plugin/scalars/scalars?run=chief&tag=loss"
RUNS, SCALARS = ("chief", "test"), ("loss", "accuracy")
# The log has four digits of a value. A line and its point are written one after the other.
VALUE, SECONDS = 1e-3, 10.0
_KINDS = frozenset({"tfjobs", "deployments", "pods", "events", "nodes", "logs"})
_NONE = (404, 502, 503, 504)


def board_reads_the_logs(claim: str) -> Check:
    """The TfJob asks for a TensorBoard, on the folder into which its training writes."""

    def judge(seen: Seen) -> Finding | None:
        board = mapping(seen.object, "spec", "tensorboard")
        if not board:
            return _no_board(seen, claim)
        return _not_mounted(seen, board, claim) or _other_folder(seen, board)

    title = f"Its TensorBoard reads the training's logs, on the claim {claim}."
    return Check("board", title, judge, frozenset({"deployments", "near misses"}))


def _no_board(seen: Seen, claim: str) -> Finding:
    own = seen.cluster.items_if_readable("deployments")
    by_hand = any(
        name_of(d) == seen.subject.name and not listed(d, "metadata", "ownerReferences")
        for d in own
    )
    return seen.wrong(
        "by-hand" if by_hand else "none",
        f"spec.tensorboard is missing{', and there is a Deployment by hand' if by_hand else ''}",
        "spec.tensorboard in the TfJob: from it the operator makes a TensorBoard",
        f"Write `tensorboard:` under spec, with `logDir: {logs_path(seen) or 'FOLDER'}`, and with "
        f"`volumes` and `volumeMounts` for the claim {claim}.",
    )


def _not_mounted(seen: Seen, board: Object, claim: str) -> Finding | None:
    if any(m.claim == claim for m in places.mounts(board, board)):
        return None
    missing = [key for key in ("volumes", "volumeMounts") if not listed(board, key)]
    return seen.wrong(
        "no-volumes" if missing else "not-mounted",
        f"spec.tensorboard has no {' and no '.join(missing)}"
        if missing
        else f"spec.tensorboard does not mount the claim {claim}",
        f"the claim {claim} in spec.tensorboard",
        "TensorBoard is a Pod of its own, and takes no volume from the template. Write the same "
        "`volumes` and `volumeMounts` under `tensorboard`.",
    )


def _other_folder(seen: Seen, board: Object) -> Finding | None:
    """Whether TensorBoard reads another folder of the volume than the training writes to."""
    pod, logs = next((pod for _, pod in seen.templates), {}), logs_path(seen)
    read = text(board, "logDir").rstrip("/")
    there = places.of_path(board, board, read) if read else None
    written = places.of_path(pod, main_container(pod), logs) if logs else None
    if written is None or (there and there[:2] == written[:2]):
        return None
    if there and there.mount.sub_path != written.mount.sub_path:
        return seen.wrong(
            "sub-path",
            f"subPath of tensorboard: {there.mount.sub_path or '(none)'}; of the training: "
            f"{written.mount.sub_path or '(none)'}",
            "the same subPath in both",
            f"Set `subPath: {written.mount.sub_path}` in the volumeMounts of `tensorboard`.",
        )
    return seen.wrong(
        "log-dir",
        f"TensorBoard reads {read}"
        + (f" (in the volume: {there.folder})" if there else ", which is not on the claim")
        + f", and the training writes to {logs} (in the volume: {written.folder})",
        f"logDir: {logs}, with the claim mounted as in the template",
        f"Set `logDir: {logs}`, and mount the claim as in the template: the same mountPath, the "
        "same subPath.",
    )


def board_stands() -> Check:
    """The Deployment that the operator has made of ``spec.tensorboard`` is available."""

    def judge(seen: Seen) -> Finding | None:
        deployment = boards.part(seen.cluster, "deployments", seen.object)
        if deployment is None:
            return _not_made(seen)
        trouble = of_deployment(seen.cluster, deployment)
        if trouble and trouble.cause.startswith("image."):
            image = text(main_container(mapping(deployment, "spec", "template", "spec")), "image")
            return trouble.but(redo=True, fix=_of_image(seen, image))
        return trouble

    title = "The operator's TensorBoard is available."
    return Check("board-stands", title, judge, _KINDS | {"persistentvolumeclaims"})


def _not_made(seen: Seen) -> Finding:
    name = seen.subject.name
    case = Case(seen.cluster, f"TfJob {name}", "a TensorBoard")
    since = time_at(seen.object, "status", "startTime")
    return converging(
        "none",
        f"the operator has made no Deployment of TensorBoard for TfJob {name} yet",
        "a Deployment that belongs to the TfJob",
        "Wait. If it stays so, somebody may have deleted it, or the operator says why:",
        f"$ kubectl describe tfjob {name}",
        since=since,
        late=case.last_warning(seen.object),
    )


def _of_image(seen: Seen, image: str) -> tuple[str, ...]:
    if text(seen.object, "spec", "tfImage"):
        return (f"TensorBoard's image is that of spec.tfImage, {image}. Correct or delete it.",)
    return (
        f"TensorBoard's image is that of the operator, {image}. Set `tfImage` under spec to an "
        "image that the cluster has; or let the operator be upgraded with `--set tfImage=IMAGE`.",
    )


def board_shows_the_run() -> Check:
    """TensorBoard answers, and its points are those of this training's log."""

    def judge(seen: Seen) -> Finding | None:
        missing = _missing_tags(_asked(seen, TAGS))
        if missing:
            return _graced(seen, _no_runs(seen, missing))
        log = _log(seen)
        odd = _odd_lines(log, _points(_asked(seen, LOSS)))
        if not odd:
            return None
        line = odd[-1]
        return _graced(
            seen,
            seen.wrong(
                "other-run",
                f"TensorBoard does not show this run's loss: its log says {line.loss:.4f} at step "
                f"{line.number}, and no point of that time has this value",
                "a point for each step line of the log",
                "Let both mount the same folder of the claim, one that only this run writes to.",
            ),
        )

    title = "TensorBoard answers, and shows the loss and the accuracy of this run."

    def unless_silent(seen: Seen) -> Finding | None:
        try:
            return judge(seen)
        except Unreadable as problem:
            return _silent(seen, problem)

    reads = _KINDS | {"services", *boards.reads("{name}", TAGS, LOSS)}
    return Check("board-shows", title, unless_silent, frozenset(reads))


def _asked(seen: Seen, path: str) -> Any:
    """The JSON that TensorBoard has answered. Raises: Unreadable."""
    request = boards.request(seen.cluster, seen.object, path)
    if not request:
        raise Unreadable("TensorBoard's Service", 404, "the operator has made none")
    answer = seen.cluster.answer(request)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Unreadable(f"answer {request}", answer.status, "it is no JSON") from None


def _silent(seen: Seen, problem: Unreadable) -> Finding:
    """No answer: on its way, unless the API server refuses to ask."""
    if problem.status not in _NONE:
        raise problem
    return converging(
        "silent",
        f"TensorBoard does not answer yet: {problem.message}",
        "a TensorBoard that answers",
        "Wait. If it stays so, read what it prints:",
        f"$ kubectl logs --selector=tf_job_name={seen.subject.name},app=tensorboard --tail=20",
        since=time_at(seen.object, "status", "completionTime"),
    )


def _missing_tags(answer: Any) -> str:
    """What is missing of the runs and their scalars, in words; "" for nothing."""
    for run in RUNS:
        tags = mapping(answer, run)
        if not tags:
            return (
                f"runs that it shows: {', '.join(sorted(answer)) or 'none'}"
                if isinstance(answer, dict)
                else "runs that it shows: none"
            )
        for tag in SCALARS:
            if tag not in tags:
                return f"scalars of the run {run}: {', '.join(sorted(tags))}"
    return ""


def _no_runs(seen: Seen, missing: str) -> Finding:
    return seen.wrong(
        "no-runs",
        f"TensorBoard does not show this training; {missing}",
        f"the runs {' and '.join(RUNS)}, each with {' and '.join(SCALARS)}",
        "Compare mountPath, subPath and logDir of `tensorboard` with what the training writes to.",
    )


def _graced(seen: Seen, finding: Finding) -> Finding:
    """TensorBoard looks for new points every few seconds."""
    since = time_at(seen.object, "status", "completionTime")
    if seen.cluster.age_seconds(since) >= GRACE_SECONDS:
        return finding
    return finding.but(
        verdict=Verdict.CONVERGING,
        redo=False,
        since=since,
        fix=("Wait: TensorBoard reads its folder again every few seconds.", *finding.fix),
    )


def _log(seen: Seen) -> evidence.Training:
    if not seen.pod:
        raise Unreadable("the log of the training", 0, "its Pod is gone")
    return evidence.read(
        seen.log(seen.pod, text(main_container(mapping(seen.pod, "spec")), "name"))
    )


def _points(answer: Any) -> list[tuple[float, float, float]]:
    """(time, step, value) of each point."""
    rows = answer if isinstance(answer, list) else []
    return [
        (float(row[0]), float(row[1]), float(row[2]))
        for row in rows
        if isinstance(row, list) and len(row) == 3 and all(isinstance(n, int | float) for n in row)
    ]


def _odd_lines(
    log: evidence.Training, points: list[tuple[float, float, float]]
) -> list[evidence.Step]:
    """The step lines for which there is no point of this step, value and time.

    There may be more points than lines: those of an earlier try in the same folder.
    """
    return [
        line
        for line in log.steps
        if not any(
            step == line.number
            and abs(value - line.loss) <= VALUE
            and (line.time is None or abs(when - line.time.timestamp()) <= SECONDS)
            for when, step, value in points
        )
    ]
