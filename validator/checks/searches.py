"""Checks of a search: TfJobs of one label, of which the hopeless ones were suspended."""

from __future__ import annotations

import re
from datetime import timedelta

from validator import near_misses, painter
from validator.case import GRACE_SECONDS, WAIT
from validator.checks.grids import ranking
from validator.checks.sweeps import (
    LINES,
    RUNS,
    all_over,
    alone,
    choice,
    finished,
    is_suspended,
    last_end,
    log_of,
    trainings,
)
from validator.diagnosis import succeeded
from validator.engine import Check, Seen
from validator.snapshot import Object, condition, is_true, name_of, text, time_at
from validator.subjects import TfJob
from validator.tfjobs import BEST, PRUNED_AT, SWEEP, main_container
from validator.verdicts import Finding, Verdict, converging, wrong

FEWEST_TRIALS, FEWEST_WHOLE = 10, 3
DECADES = 2
# A TfJob that was suspended sooner has not even started TensorFlow.
LEAST_RUN = timedelta(seconds=2)
_START = (
    "If you have no copy of the starter yet, make one:",
    "$ test -e {checkout}/my-module7-ex2.py || "
    "cp {checkout}/modules/7-hyper-param-sweeping/starter/search.py {checkout}/my-module7-ex2.py",
    "Complete it as the page says, and run it:",
    "$ python {checkout}/my-module7-ex2.py",
)


def trials_exist() -> Check:
    """There are TfJobs with the search's label."""

    def judge(seen: Seen) -> Finding | None:
        if seen.object:
            return None
        return _without_label(seen) or near_misses.missing(seen, _START)

    reads = frozenset({"near misses", "tfjobs"})
    return Check("exists", f"There are TfJobs with the label {SWEEP}: {{name}}.", judge, reads)


def _without_label(seen: Seen) -> Finding | None:
    name = seen.subject.name
    jobs = seen.cluster.items("tfjobs") if seen.cluster.served("tfjobs") else []
    mine = [job for job in jobs if _number(name_of(job), name) is not None]
    if not mine:
        return None
    found = text(mine[0], "metadata", "labels", SWEEP)
    return wrong(
        "other-label" if found else "no-label",
        f"TfJob {name_of(mine[0])} has {f'the label {SWEEP}: {found}' if found else 'no label '}"
        f"{'' if found else SWEEP}",
        f"the label {SWEEP}: {name} on each TfJob of the search",
        f'Let the program write `"labels": {{"{SWEEP}": "{name}"}}` into metadata. Then delete '
        "these, and run it again:",
        f"$ kubectl delete tfjob {' '.join(map(name_of, mine))}",
        f"$ python {{checkout}}/my-{name}.py",
    )


def _number(name: str, prefix: str) -> int | None:
    match = re.fullmatch(re.escape(prefix) + r"-(\d{1,6})", name)
    return int(match[1]) if match else None


def trials_are_over() -> Check:
    """Each has succeeded, or is suspended."""

    def judge(seen: Seen) -> Finding | None:
        return all_over(seen, lambda job: succeeded(job) or is_suspended(job))

    title = "Each TfJob has succeeded, or is suspended."
    return Check("ends", title, judge, RUNS | {"operator deployments"})


def enough_trials() -> Check:
    """There are enough trials, and none of them was deleted."""

    def judge(seen: Seen) -> Finding | None:
        jobs, name = trainings(seen), seen.subject.name
        numbers = {n for job in jobs if (n := _number(name_of(job), name)) is not None}
        # A search may count from 0 or from 1.
        first = min(1, min(numbers, default=0))
        gone = sorted(set(range(first, max(numbers, default=-1) + 1)) - numbers)
        if gone and len(numbers) == len(jobs):
            return _deleted(seen, gone)
        return None if len(jobs) >= FEWEST_TRIALS else _few(seen, len(jobs))

    title = f"There are {FEWEST_TRIALS} trials or more, and all are still there."
    return Check("trials", title, judge, frozenset({"tfjobs"}))


def _deleted(seen: Seen, gone: list[int]) -> Finding:
    named = ", ".join(f"{seen.subject.name}-{number}" for number in gone[:3])
    are = "trial is" if len(gone) == 1 else "trials are"
    return seen.wrong(
        "deleted",
        f"{len(gone)} {are} gone: {named}",
        "all trials, the hopeless ones suspended",
        "Do not delete a hopeless TfJob: suspend it. Its Pod goes and frees the GPU, and the TfJob "
        "stays to show what was tried.",
    )


def _few(seen: Seen, count: int) -> Finding:
    newest = last_end(trainings(seen))
    if newest and seen.cluster.age_seconds(newest) < GRACE_SECONDS:
        return converging("next", f"{count} trials so far", f"{FEWEST_TRIALS} or more", WAIT,
                          since=newest)  # fmt: skip
    return seen.wrong(
        "few",
        f"{count} trials",
        f"{FEWEST_TRIALS} or more: among a few, none can be called hopeless",
        f"Let the search take {FEWEST_TRIALS} trials or more, and let it run to its end.",
    )


def choices() -> Check:
    """What was tried: rates over two decades, several numbers of layers."""

    def judge(seen: Seen) -> Finding | None:
        tried = [choice(job) for job in trainings(seen)]
        pairs = [pair for pair in tried if pair and pair.learning_rate > 0]
        rates = sorted({pair.learning_rate for pair in pairs})
        if len(pairs) < len(tried):
            return _no_numbers(seen)
        if len(rates) == 1 or len({pair.hidden_layers for pair in pairs}) == 1:
            return _same(seen, pairs)
        if len(rates) * 2 <= len(pairs):
            return _grid(seen, rates, len(pairs))
        return _narrow(seen, rates) if rates[-1] < rates[0] * 10**DECADES else None

    title = "It tried learning rates of different sizes, and several numbers of layers."
    return Check("choices", title, judge, RUNS)


def _no_numbers(seen: Seen) -> Finding:
    return seen.wrong(
        "values",
        "a TfJob has no number above 0 as --learning-rate, or none as --hidden-layers",
        "both options in the args of each TfJob",
        "Take the values from the trial: `trial.suggest_float`, `trial.suggest_int`.",
    )


def _same(seen: Seen, pairs: list[painter.Choice]) -> Finding:
    rates = {pair.learning_rate for pair in pairs}
    what = "learning rate" if len(rates) == 1 else "number of layers"
    return seen.wrong(
        "same-rate" if len(rates) == 1 else "same-layers",
        f"all {len(pairs)} trials have the same {what}",
        "another value for each trial",
        "In `choose`, let the trial suggest it: "
        + (
            '`trial.suggest_float("learning_rate", 0.0001, 0.3, log=True)`.'
            if len(rates) == 1
            else '`trial.suggest_int("hidden_layers", 2, 8)`.'
        ),
    )


def _grid(seen: Seen, rates: list[float], count: int) -> Finding:
    return seen.wrong(
        "grid",
        f"{count} trials share {len(rates)} learning rates: that is a grid",
        "a rate of its own for each trial, which the search chooses",
        "Let the trial suggest the rate: `trial.suggest_float(…, log=True)`.",
    )


def _narrow(seen: Seen, rates: list[float]) -> Finding:
    return seen.wrong(
        "narrow",
        f"learning rates from {rates[0]:.5f} to {rates[-1]:.5f}: the small ones were not tried",
        f"rates over {DECADES} powers of ten or more",
        "Add `log=True` to `suggest_float`: without it, nine of ten rates are above a tenth of the "
        "largest.",
    )


def some_pruned() -> Check:
    """A hopeless TfJob was suspended while it ran, and says at which step."""

    def judge(seen: Seen) -> Finding | None:
        pruned = [job for job in trainings(seen) if is_suspended(job)]
        if not pruned:
            return _none_pruned(seen)
        for job in pruned:
            finding = _not_pruned(seen, job)
            if finding:
                return finding
        return None

    title = "A hopeless one was suspended while it ran, and says at which step."
    return Check("pruned", title, judge, RUNS)


def _none_pruned(seen: Seen) -> Finding:
    return seen.wrong(
        "none",
        f"of {len(trainings(seen))} trials, none was suspended",
        "hopeless trials that are suspended before their end",
        "In `look`, report each loss with `trial.report(loss, step)`, and then ask "
        "`trial.should_prune()`. If you do, your machine was faster than the search: run it with "
        "--max-steps 5000.",
    )


def _not_pruned(seen: Seen, job: Object) -> Finding | None:
    name, at = name_of(job), text(job, "metadata", "annotations", PRUNED_AT)
    made, ended = condition(job, "Created"), condition(job, "Suspended")
    began, stopped = time_at(made, "lastTransitionTime"), time_at(ended, "lastTransitionTime")
    ran = is_true(job, "Created") and began and stopped and stopped - began >= LEAST_RUN
    if not ran:
        return seen.wrong(
            "never-ran",
            f"TfJob {name} is suspended, and it has not run before",
            "a TfJob that trains, and is suspended because of its losses",
            "Create each TfJob without `suspend`, and set it only when `trial.should_prune()` says "
            "so.",
        )
    last = painter.steps(_container(job))
    if not at:
        return seen.wrong(
            "unmarked",
            f"TfJob {name} is suspended, and has no annotation {PRUNED_AT}",
            "the step of its last report, in this annotation",
            "Set the annotation together with `suspend`, as `TfJobs.suspend` of the starter does.",
        )
    if at.isdecimal() and len(at) < 10 and last and 0 < int(at) < last:
        return None
    return seen.wrong(
        "step",
        f"TfJob {name} is suspended at step {at[:20]}, of {last}",
        "a step before the last one",
        "Report the step that stands in the log, and suspend the TfJob with this step.",
    )


def enough_whole() -> Check:
    """Some trials went to their end: by them the others are judged."""

    def judge(seen: Seen) -> Finding | None:
        whole = finished(seen)
        if len(whole) >= FEWEST_WHOLE:
            return None
        return seen.wrong(
            "few",
            f"{len(whole)} trials went to their end",
            f"{FEWEST_WHOLE} or more: a trial is hopeless only in comparison with others",
            "Let the pruner wait: `MedianPruner(n_startup_trials=4, n_warmup_steps=500)`.",
        )

    title = f"{FEWEST_WHOLE} trials or more went to their end."
    return Check("whole", title, judge, frozenset({"tfjobs"}))


def best_labelled() -> Check:
    """The label ``best`` is on the TfJob with the lowest last loss, and on no other."""

    def judge(seen: Seen) -> Finding | None:
        marked = [job for job in trainings(seen) if text(job, "metadata", "labels", BEST) == "true"]
        if len(marked) != 1:
            return _not_one(seen, marked)
        losses = {name_of(job): log_of(alone(seen, job)).loss for job in finished(seen)}
        best = min(losses, key=lambda name: losses[name])
        name = name_of(marked[0])
        if losses.get(name) == losses[best]:
            return None
        how = f"loss {losses[name]:.5f}" if name in losses else "suspended"
        return seen.wrong(
            "other" if name in losses else "suspended",
            f"the label {BEST}: true is on TfJob {name} ({how}), and {best} has the loss "
            f"{losses[best]:.5f}",
            f"the label on {best}",
            'A loss is better the lower it is: `create_study(direction="minimize")`, which is the '
            "default. And take `study.best_trial`.",
        )

    title = f"The label {BEST}: true is on the one with the lowest loss."
    return Check("best", title, judge, RUNS | LINES)


def _not_one(seen: Seen, marked: list[Object]) -> Finding:
    if marked:
        return seen.wrong(
            "several",
            f"{len(marked)} TfJobs have the label {BEST}: true",
            "one TfJob with this label",
            "Set the label once, after the search.",
        )
    newest = last_end(trainings(seen))
    finding = seen.wrong(
        "none",
        f"no TfJob has the label {BEST}: true",
        "the label on the TfJob with the lowest loss",
        "Let the search run to its end: it sets the label then.",
    )
    if newest and seen.cluster.age_seconds(newest) < GRACE_SECONDS:
        return finding.but(
            verdict=Verdict.CONVERGING, redo=False, since=newest, fix=(WAIT, *finding.fix)
        )
    return finding


def best_is_good(most: float) -> Check:
    """The lowest loss is at most this."""

    def judge(seen: Seen) -> Finding | None:
        loss, pair = ranking(seen)[0]
        if loss <= most:
            return None
        return seen.wrong(
            "loss",
            f"the best, {pair}, has the loss {loss:.5f}",
            f"{most} or less",
            "Search rates from 0.0001 to 0.3, with 2,000 steps, in 12 trials.",
        )

    return Check("good", f"Its loss is {most} or less.", judge, RUNS | LINES)


def cost(seen: Seen) -> str:
    """The best, and how many steps the search took of those of all trials to their end."""
    loss, pair = ranking(seen)[0]
    full = [painter.steps(_container(job)) or 0 for job in trainings(seen)]
    saved = sum(
        steps - int(text(job, "metadata", "annotations", PRUNED_AT))
        for job, steps in zip(trainings(seen), full, strict=True)
        if is_suspended(job)
    )
    pruned = sum(is_suspended(job) for job in trainings(seen))
    were = "was" if pruned == 1 else "were"
    return (
        f"The best of {len(full)}: {pair}, loss {loss:.5f}. {pruned} {were} suspended: "
        f"{sum(full) - saved:,} steps instead of {sum(full):,}."
    )


def _container(job: Object) -> Object:
    pod = next((pod for _, pod in TfJob("").templates(job)), {})
    return main_container(pod)
