"""Deployments, Services, claims, releases and answers, on hand-made clusters."""

import pytest

from tests.validator import world
from tests.validator.world import spoiled
from validator.checks import (
    answers,
    ends_well,
    exists,
    leads_to_pods,
    mounts_claim,
    newest,
    ready,
    release,
    replicas_ready,
    value_in,
)
from validator.engine import Exercise, grade_one
from validator.subjects import Claim, Deployment, Job, Release, Service
from validator.verdicts import Verdict

WRONG, DONE, BLOCKED = Verdict.WRONG, Verdict.DONE, Verdict.BLOCKED
COULD_NOT, CONVERGING = Verdict.COULD_NOT_CHECK, Verdict.CONVERGING
NOT_STARTED = Verdict.NOT_STARTED


def judge(subject, *checks, of, changes=()):
    each = Exercise("9.9", "t", "9-x#y", subject, checks)
    grade = grade_one(spoiled(*changes, of=of), each)
    return grade.verdict, grade.finding.id if grade.finding else ""


def web(*changes, ready_now=True, **more):
    """A Deployment with its Pod, and a Service that leads to it."""
    made = world.deployment("web", ports=[{"containerPort": 8080, "name": "http"}], **more)
    pod = world.pod_of(made, world.at_work(ready=ready_now), ready=ready_now)
    service = world.service("web", 80, 8080, app="web")
    data = world.cluster_with(deployments=[made], pods=[pod], services=[service])
    for change in changes:
        change(data)
    return data


def service(**spec):
    return lambda data: data["objects"]["services"][0]["spec"].update(spec)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(web(), (DONE, ""), id="as many as asked for"),
        pytest.param(web(replicas=2), (WRONG, "replicas.count"), id="another number"),
        pytest.param(world.cluster_with(), (NOT_STARTED, "exists.none"), id="nothing made"),
    ],
)
def test_replicas_of_a_deployment(data, expected):
    checks = (exists("", "Make it."), replicas_ready(1), ready())
    assert judge(Deployment("web"), *checks, of=data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(web(), (DONE, ""), id="to a Pod that is ready, at its port"),
        pytest.param(
            web(service(ports=[{"port": 80, "targetPort": "http"}])), (DONE, ""), id="by its name"
        ),
        pytest.param(
            web(service(selector={"app": "wbe"})), (WRONG, "endpoints.selector"), id="to no Pod"
        ),
        pytest.param(web(service(selector={})), (WRONG, "endpoints.selector"), id="to nothing"),
        pytest.param(
            web(service(ports=[{"port": 80}])), (WRONG, "endpoints.port"), id="at a closed port"
        ),
        pytest.param(
            web(ready_now=False), (CONVERGING, "endpoints.not-ready"), id="to a Pod that starts"
        ),
    ],
)
def test_where_a_service_leads(data, expected):
    assert judge(Service("web"), exists("", "Make it."), leads_to_pods(), of=data) == expected


def answered(status, body):
    def change(data):
        data["answers"]["web:80/health"] = {"status": status, "body": body}

    return change


def refused(status, message="refused"):
    def change(data):
        data["missing"]["answer web:80/health"] = {"status": status, "message": message}

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(answered(200, "all ok"), (DONE, ""), id="as wanted"),
        pytest.param(answered(200, "hello"), (WRONG, "answers.content"), id="something else"),
        pytest.param(answered(404, "none"), (WRONG, "answers.status.404"), id="with a 404"),
        pytest.param(answered(403, "who?"), (WRONG, "answers.status.403"), id="with its own 403"),
        pytest.param(
            refused(403), (COULD_NOT, "answers.forbidden"), id="the API server's 403 is a right"
        ),
        pytest.param(refused(404), (WRONG, "answers.no-service"), id="there is no Service"),
        pytest.param(
            refused(503), (CONVERGING, "answers.no-endpoints"), id="nobody behind it answers yet"
        ),
        pytest.param(refused(0), (COULD_NOT, "answers.unreadable"), id="no answer at all"),
        pytest.param(lambda data: None, (COULD_NOT, "answers.unreadable"), id="not read"),
    ],
)
def test_what_a_server_answers(change, expected):
    check = answers("web", "80", "/health", "ok", "the word ok")
    assert judge(Service("web"), check, of=web(change)) == expected


def job(**pod):
    made = world.job("train")
    made["spec"]["template"]["spec"].update(pod)
    return world.cluster_with(jobs=[made])


def mounted(path, name="m", claim="models", **more):
    volume = {"name": "m", "persistentVolumeClaim": {"claimName": claim}}
    mounts = [{"name": name, "mountPath": path, **more}]
    return job(volumes=[volume], containers=[world.container(volumeMounts=mounts)])


@pytest.mark.parametrize(
    ("data", "sub_path", "expected"),
    [
        pytest.param(mounted("/tmp/model"), False, (DONE, ""), id="at the folder"),
        pytest.param(mounted("/tmp"), False, (DONE, ""), id="above the folder"),
        pytest.param(mounted("/tmp/model", subPath="a"), True, (DONE, ""), id="in a part of it"),
        pytest.param(mounted("/tmp"), True, (WRONG, "claim.no-sub-path"), id="in no part of it"),
        pytest.param(mounted("/data"), False, (WRONG, "claim.beside"), id="beside it"),
        pytest.param(mounted("/tmpx"), False, (WRONG, "claim.beside"), id="at a longer name"),
        pytest.param(mounted("/tmp", "x"), False, (WRONG, "claim.not-mounted"), id="not mounted"),
        pytest.param(
            mounted("/tmp", claim="others"), False, (WRONG, "claim.no-volume"), id="another claim"
        ),
        pytest.param(job(), False, (WRONG, "claim.no-volume"), id="none"),
    ],
)
def test_where_a_claim_is_mounted(data, sub_path, expected):
    check = mounts_claim("models", "/tmp/model", sub_path=sub_path)
    assert judge(Job("train"), check, of=data) == expected


def test_a_claim_is_ready_when_it_is_bound():
    for phase, verdict in (("Bound", DONE), ("Pending", WRONG)):
        data = world.cluster_with(persistentvolumeclaims=[world.claim("models", phase)])
        assert judge(Claim("models"), ready(), of=data)[0] is verdict


def released(*secrets, jobs=()):
    made = [world.of_release(job, "mine") for job in jobs]
    return world.cluster_with(helm=list(secrets), jobs=[*made, world.job("another")])


def trained(number, steps):
    job = world.job(f"mine-{number}", None, world.condition("Complete"))
    job["metadata"]["creationTimestamp"] = f"2026-01-31T11:5{number}:00Z"
    job["metadata"]["annotations"] = {}
    job["spec"]["template"]["spec"]["containers"][0]["args"] = ["--max-steps", steps]
    return job


ONE, TWO = world.helm_secret("mine"), world.helm_secret("mine", 2)
PATH = ("spec", "template", "spec", "containers", 0, "args", 1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(released(ONE, TWO), (DONE, ""), id="upgraded once"),
        pytest.param(released(ONE), (WRONG, "release.revision"), id="not upgraded"),
        pytest.param(
            released(TWO, world.helm_secret("mine", 10, "failed")), (WRONG, "release.failed"),
            id="the newest, by number, has failed",
        ),
        pytest.param(
            released(ONE, world.helm_secret("mine", 2, "pending-upgrade")),
            (CONVERGING, "release.pending"), id="an upgrade is on its way",
        ),
        pytest.param(
            released(world.helm_secret("yours", 2)), (NOT_STARTED, "exists.none"),
            id="another release",
        ),
    ],
)  # fmt: skip
def test_revisions_of_a_release(data, expected):
    checks = (exists("", "Install it."), release(revision_at_least=2))
    assert judge(Release("mine"), *checks, of=data) == expected


def test_a_value_is_looked_for_in_what_the_release_made():
    check = value_in("jobs", PATH, "200", "maxSteps")
    both = released(TWO, jobs=[trained(1, "100"), trained(2, "200")])
    assert judge(Release("mine"), check, of=both) == (DONE, "")
    first = released(TWO, jobs=[trained(1, "100")])
    assert judge(Release("mine"), check, of=first) == (WRONG, "value.maxSteps.value")


def test_the_newest_of_its_jobs_is_judged_like_any_job():
    check = newest("jobs", Job, [ends_well()])
    data = released(TWO, jobs=[trained(1, "100"), trained(2, "200")])
    second = data["objects"]["jobs"][1]
    data["objects"]["pods"] = [world.pod("p", second, world.terminated(0), phase="Succeeded")]
    assert judge(Release("mine"), check, of=data) == (DONE, "")
    second["status"]["conditions"] = [world.condition("Failed", "True", "DeadlineExceeded")]
    expected = (WRONG, "newest.jobs.ends.failed.DeadlineExceeded")
    assert judge(Release("mine"), check, of=data) == expected
    assert judge(Release("mine"), check, of=released(TWO)) == (WRONG, "newest.jobs.none")
