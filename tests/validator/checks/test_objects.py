"""Deployments, Services, claims, releases and answers, on hand-made clusters."""

import pytest

from tests.validator import world
from tests.validator.world import spoiled
from validator.checks import (
    answers,
    exists,
    leads_to_pods,
    ready,
    replicas_ready,
)
from validator.engine import Exercise, grade_one
from validator.subjects import Claim, Deployment, Service
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


def test_a_claim_is_ready_when_it_is_bound():
    for phase, verdict in (("Bound", DONE), ("Pending", WRONG)):
        data = world.cluster_with(persistentvolumeclaims=[world.claim("models", phase)])
        assert judge(Claim("models"), ready(), of=data)[0] is verdict
