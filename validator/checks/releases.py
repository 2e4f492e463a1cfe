"""Checks of a Helm release: whether it is deployed, and what is in effect of its chart.

Helm keeps each revision of a release in a Secret. Its data are never read; name, revision and
status are labels of it. What a release made carries Helm's mark: an annotation with its name.
"""

from __future__ import annotations

from shlex import quote

from validator import near_misses
from validator.engine import Check, Seen, names_of_all
from validator.snapshot import Object, created, name_of, text
from validator.subjects import Release, release_trouble, revision
from validator.verdicts import Finding, not_started, wrong

INSTANCE = "app.kubernetes.io/instance"
MANAGED_BY = "app.kubernetes.io/managed-by"
HELM = frozenset({"helm"})
RENAME = (
    "In the chart's template, put the revision into the Job's name: "
    "`name: {{ .Release.Name }}-{{ .Release.Revision }}`. Then upgrade:"
)


class Chart(Release):
    """A release of a chart: the command installs it with its values, or upgrades it to them."""

    def __init__(self, name: str, chart: str, *values: str) -> None:
        """chart: its folder, from ``{checkout}/`` on. values: as for ``--set``."""
        super().__init__(name)
        settings = "".join(f" --set {quote(value)}" for value in values)
        self.command = f"helm upgrade --install {name} {chart}{settings}"


def installed(*start: str) -> Check:
    """There is a release of that name. start: the steps with which a learner begins."""

    def judge(seen: Seen) -> Finding | None:
        if not seen.object:
            return _without_release(seen) or _other_name(seen) or near_misses.missing(seen, start)
        if text(seen.object, "metadata", "labels", "status") == "uninstalled":
            return not_started(
                "uninstalled",
                f"Helm release {seen.subject.name} has been uninstalled; its history is kept",
                f"a Helm release named {seen.subject.name}",
                "If you cleaned up after the check said done: go on. Else install it again:",
                *again(seen),
            )
        return None

    reads = frozenset({"near misses", "helm", "deployments", "jobs"})
    return Check("exists", "{kind} {name} exists.", judge, reads)


def _without_release(seen: Seen) -> Finding | None:
    """An object of the release's name that Helm did not make, or knows nothing of any more."""
    name = seen.subject.name
    for plural, kind in (("deployments", "Deployment"), ("jobs", "Job")):
        for item in seen.cluster.items_if_readable(plural):
            if name_of(item) == name and not text(item, "metadata", "deletionTimestamp"):
                return wrong(
                    f"no-release.{plural}",
                    f"a {kind} named {name}, but no Helm release of that name",
                    f"a Helm release named {name}, which Helm can upgrade and remove",
                    "`kubectl apply` makes objects and no release. Let Helm take them over:",
                    *again(seen, " --take-ownership"),
                )
    return None


def _other_name(seen: Seen) -> Finding | None:
    wanted = seen.subject.name
    for name in sorted(_names(seen)):
        how = near_misses.resemblance(name, wanted)
        if how:
            return wrong(
                f"name.{how}",
                f"a Helm release named {name}, but this exercise needs the name {wanted}",
                f"a Helm release named {wanted}",
                "Helm cannot rename a release. Install the chart under the right name:",
                *again(seen),
            )
    return None


def _names(seen: Seen) -> set[str]:
    """Names of other releases: by Helm's Secrets, and by the labels of what the charts made."""
    others = names_of_all()
    secrets = seen.cluster.items_if_readable("helm")
    made = [
        item
        for plural in ("deployments", "jobs")
        for item in seen.cluster.items_if_readable(plural)
        if text(item, "metadata", "labels", MANAGED_BY) == "Helm"
    ]
    found = {text(s, "metadata", "labels", "name") for s in secrets}
    found |= {text(item, "metadata", "labels", INSTANCE) for item in made}
    return found - others - {""}


def deployed() -> Check:
    """The newest revision of the release is deployed."""

    def judge(seen: Seen) -> Finding | None:
        trouble = release_trouble(seen.object, seen.subject.name)
        if trouble and trouble.cause == "pending":
            return _pending(seen, trouble)
        return _failed(seen, trouble) if trouble and trouble.cause == "failed" else trouble

    return Check("release", "The release is deployed.", judge, HELM | {"jobs"})


def _pending(seen: Seen, trouble: Finding) -> Finding:
    """An interrupted install has nothing to roll back to."""
    if text(seen.object, "metadata", "labels", "status") != "pending-install":
        return trouble
    return trouble.but(
        cause="pending-install",
        fix=(
            "Wait for the helm command to end. If it was interrupted, remove what is there:",
            f"$ helm uninstall --wait {seen.subject.name}",
            "Install it again:",
            *again(seen),
        ),
    )


def _failed(seen: Seen, trouble: Finding) -> Finding:
    name, now, stale = seen.subject.name, revision(seen.object), _stuck(seen)
    if now > 1 and stale:
        return wrong(
            "fixed-name",
            f"the upgrade to revision {now} has failed, and Job {name_of(stale)} is still that of "
            "an earlier revision",
            "a Job of its own for each revision",
            f"The template of a Job cannot be changed. {RENAME}",
            *again(seen),
        )
    return trouble.but(
        cause="upgrade-failed" if now > 1 else "failed",
        found=f"revision {now} of Helm release {name} has failed",
        fix=(
            "Read why, in the last column:",
            f"$ helm history {name} --max=1",
            'With "expected string, got 50", a number has no quotes: pipe it through `quote`. With '
            '"conflict", somebody has changed an object by hand: add --force-conflicts below. With '
            '"already exists" or "cannot be changed once", two objects of the chart have one name.',
            "Install it again:" if now == 1 else "Upgrade it again:",
            *(seen.subject.redo(seen.cluster, seen.object, "") or again(seen)),
        ),
    )


def _stuck(seen: Seen) -> Object | None:
    """A Job that no revision has renamed: no number of a revision at the end of its name."""
    for job in reversed(made(seen, "jobs")):
        if not name_of(job).rpartition("-")[2].isdigit():
            return job
    return None


def upgraded() -> Check:
    """The release is at revision 2 or later, and an upgrade has made its newest Job."""

    def judge(seen: Seen) -> Finding | None:
        job, name = newest(seen, "jobs"), seen.subject.name
        if not job:
            return no_job(seen)
        now = revision(seen.object)
        if now < 2:
            return wrong(
                "first",
                f"Helm release {name} is at revision {now}",
                "revision 2 or later",
                "It is installed. Upgrade it now, with another number of steps:",
                *again(seen),
            )
        if _is_of_an_upgrade(seen, job):
            return None
        return wrong(
            "unchanged",
            f"the release is at revision {now}, but Job {name_of(job)} is that of revision 1",
            "a Job that an upgrade has made",
            RENAME,
            *again(seen),
        )

    title = "It has been upgraded, and its newest Job is that of an upgrade."
    return Check("revision", title, judge, HELM | {"jobs", "deployments"})


def _is_of_an_upgrade(seen: Seen, job: Object) -> bool:
    """Whether the Job is younger than some revision after the first that Helm still has."""
    secrets = [
        s for s in seen.cluster.items("helm")
        if text(s, "metadata", "labels", "name") == seen.subject.name
    ]  # fmt: skip
    if min(map(revision, secrets), default=1) > 1:
        # Helm keeps ten revisions: the first is forgotten.
        return True
    made = created(job)
    later = [created(s) for s in secrets if revision(s) > 1]
    return any(made and since and since <= made for since in later)


def again(seen: Seen, more: str = "") -> tuple[str, ...]:
    """The command that installs the release, or upgrades it."""
    own = seen.subject
    return (f"$ {own.command}{more}",) if isinstance(own, Chart) else ()


def newest(seen: Seen, plural: str) -> Object:
    """The newest object of a kind that the release made; {} for none. Raises: Unreadable."""
    return next(reversed(made(seen, plural)), {})


def made(seen: Seen, plural: str) -> list[Object]:
    """What the release made and nobody is deleting, oldest first. Raises: Unreadable."""
    own = seen.subject
    if not isinstance(own, Release):
        raise TypeError(f"{own.name} is no Helm release")
    found = own.objects(seen.cluster, plural)
    return [item for item in found if not text(item, "metadata", "deletionTimestamp")]


def no_job(seen: Seen) -> Finding:
    """The finding for a release that has made no Job."""
    others = made(seen, "deployments")
    if others:
        return wrong(
            "deployment",
            f"the release has made a Deployment ({name_of(others[-1])}) and no Job",
            "a chart whose template makes a Job: a training ends",
            "Delete from templates/ what is not yours (`helm create` puts a web server there), and "
            "put the Job of the starter there. Then upgrade:",
            *again(seen),
        )
    return wrong(
        "none",
        f"Helm release {seen.subject.name} has no Job",
        "a Job as a part of the release",
        "A Job with the annotation helm.sh/hook runs beside the release and is no part of it: "
        "delete the annotation. This command shows what belongs to the release:",
        f"$ helm get manifest {seen.subject.name}",
        "Then upgrade:",
        *again(seen),
    )
