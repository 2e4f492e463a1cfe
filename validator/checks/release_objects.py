"""Checks of what a Helm release made: values in effect, labels, its newest Job or Deployment."""

from __future__ import annotations

from collections.abc import Callable

from validator.checks.releases import HELM, INSTANCE, MANAGED_BY, again, made, newest, no_job
from validator.engine import Check, Seen, Subject
from validator.snapshot import Object, listed, mapping, name_of, text
from validator.subjects import Deployment, Job, revision
from validator.tfjobs import main_container, option, words
from validator.verdicts import Finding, wrong

FEW_LINES = 'Let the program say more often how it goes: `"--log-every", "10"` in its args.'


def in_effect(
    setting: str, wanted: str, default: str, plural: str, value: Callable[[Object], str]
) -> Check:
    """A value of the release stands in the object that the chart puts it into.

    default: the chart's. value: finds it in the newest object of the kind ``plural``.
    """

    def judge(seen: Seen) -> Finding | None:
        now = revision(seen.object)
        item = newest(seen, plural)
        if not item:
            return _gone(seen, plural)
        found = value(item)
        if found == wanted:
            return None
        lost = found == default and now > 1
        return wrong(
            "lost" if lost else "default" if found == default else "other",
            f"{setting} is {found or '(empty)'}" + (f" again in revision {now}" if lost else ""),
            f"{setting}: {wanted}",
            "Each `helm upgrade` with --set begins with the chart's own values. Give all values "
            "in one command, or add --reuse-values:"
            if lost
            else "Upgrade the release with this value:",
            *again(seen),
        )

    title = f"{setting} is {wanted} in what the release made."
    return Check(f"value.{setting}", title, judge, HELM | {plural})


def _gone(seen: Seen, plural: str) -> Finding:
    return wrong(
        "none",
        f"the release has no {plural} any more",
        f"the {plural} of the chart",
        "Somebody has deleted what Helm made. An upgrade makes it again:",
        *again(seen),
    )


def window_title(deployment: Object) -> str:
    """The title that a TensorBoard was given; "" for none."""
    pod = mapping(deployment, "spec", "template", "spec")
    return option(main_container(pod), "--window_title")


def service_port(service: Object) -> str:
    """The first port of a Service, as text."""
    return next((str(port.get("port")) for port in listed(service, "spec", "ports")), "")


def makes_a_job() -> Check:
    """The release has made a Job, as a part of it."""

    def judge(seen: Seen) -> Finding | None:
        return None if made(seen, "jobs") else no_job(seen)

    return Check("jobs", "It has made a Job.", judge, HELM | {"jobs", "deployments"})


def job_labels() -> Check:
    """The newest Job carries the labels that say which release it belongs to."""

    def judge(seen: Seen) -> Finding | None:
        job, name = newest(seen, "jobs"), seen.subject.name
        if not job:
            return no_job(seen)
        found = text(job, "metadata", "labels", INSTANCE)
        if found == name and text(job, "metadata", "labels", MANAGED_BY) == "Helm":
            return None
        return wrong(
            "other" if found and found != name else "missing",
            f"Job {name_of(job)} has {f'the label {INSTANCE}: {found}' if found else 'no label '}"
            f"{'' if found else INSTANCE}",
            f"{INSTANCE}: {name}",
            f"Write `{INSTANCE}: {{{{ .Release.Name }}}}` under metadata.labels of the Job. Then "
            "upgrade:",
            *again(seen),
        )

    title = "Its newest Job: its labels say which release it belongs to."
    return Check("labels", title, judge, HELM | {"jobs", "deployments"})


def job_takes(steps: int, setting: str) -> Check:
    """The newest Job asks for so many steps. Its log decides where this is unclear."""

    def judge(seen: Seen) -> Finding | None:
        job = newest(seen, "jobs")
        if not job:
            return no_job(seen)
        container = main_container(mapping(job, "spec", "template", "spec"))
        given = option(container, "--max-steps")
        if given == str(steps) or words(container, "command"):
            return None
        if given and not given.isdigit():
            return None
        return wrong(
            "value" if given else "missing",
            f"Job {name_of(job)} asks for "
            f"{f'--max-steps {given}' if given else 'no number of steps'}",
            f"--max-steps {steps}, from the value {setting}",
            "In the Job's template, let the number come from the values: "
            f'`args: ["--max-steps", {{{{ .Values.{setting} | quote }}}}]`. Then upgrade with the '
            "wanted one:",
            *again(seen),
        )

    title = f"Its newest Job: it asks for --max-steps {steps}."
    return Check("steps", title, judge, HELM | {"jobs", "deployments"})


def newest_job(*checks: Check) -> list[Check]:
    """The checks of a Job, for the newest one that the release made."""
    return [_of_newest("jobs", Job, "job", check) for check in checks]


def newest_deployment(*checks: Check) -> list[Check]:
    """The checks of a Deployment, for the newest one that the release made."""
    return [_of_newest("deployments", Deployment, "deployment", check) for check in checks]


def _of_newest(plural: str, subject: Callable[[str], Subject], word: str, check: Check) -> Check:
    def judge(seen: Seen) -> Finding | None:
        item = newest(seen, plural)
        if not item:
            return no_job(seen) if plural == "jobs" else _gone(seen, plural)
        inner = Seen(seen.cluster, subject(name_of(item)), seen.exercise)
        finding = check.judge(inner)
        return _by_an_upgrade(seen, inner, finding) if finding else None

    title = f"Its newest {word.title()}: {check.title[0].lower()}{check.title[1:]}"
    reads = check.reads | HELM | {plural} | subject("x").reads
    return Check(f"{word}.{check.id}", title, judge, reads)


def _by_an_upgrade(seen: Seen, inner: Seen, finding: Finding) -> Finding:
    """What a release made is made again by an upgrade, and not by kubectl."""
    if finding.cause == "log.few-lines":
        finding = finding.but(fix=(FEW_LINES,), redo=True)
    by_hand = inner.subject.redo(inner.cluster, inner.object, inner.exercise.file)
    fix = tuple(step for step in finding.fix if step not in by_hand)
    if finding.redo or len(fix) < len(finding.fix):
        fix = (*fix, "Then upgrade the release:", *again(seen))
    return finding.but(fix=fix, redo=False)
