"""The builders of checks on live objects, with throw-away exercises: first failing, then done.

What modules 1 to 4 and 7 to 9 judge: Jobs, Deployments with Services and their
answers, Helm releases, claims, images.
"""

import json
import time

import pytest

from validator import cluster as reader
from validator.checks import (
    answers,
    ends_well,
    exists,
    leads_to_pods,
    log_says,
    ready,
    replicas_ready,
    sample_image,
)
from validator.engine import Exercise, grade_one
from validator.kubeconfig import connect
from validator.snapshot import Snapshot
from validator.subjects import Claim, Deployment, Image, Job, Service
from validator.tfjobs import SAMPLE_IMAGE
from validator.verdicts import Verdict

PATIENCE_SECONDS = 150
ON_ITS_WAY = (Verdict.CONVERGING, Verdict.NOT_STARTED)
LABELS = {"app": "unit-web"}
SERVER = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8080, bind='0.0.0.0')"


def exercise(subject, *checks):
    return Exercise("9.9", "thrown away", "9-none#heading", subject, checks)


@pytest.fixture
def check(cluster, namespace):
    """Judge an exercise; ``wait``: until it is neither converging nor not started any more."""

    def checking(each, wait=False):
        connection = connect(str(cluster.kubeconfig), None, namespace)
        until = time.monotonic() + (PATIENCE_SECONDS if wait else 0)
        while True:
            grade = grade_one(Snapshot(reader.read(connection, [each])), each)
            if grade.verdict not in ON_ITS_WAY or time.monotonic() > until:
                return grade.verdict, grade.finding.id if grade.finding else ""
            time.sleep(0.3)

    return checking


@pytest.fixture
def apply(cluster, namespace):
    def applying(*objects):
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        cluster.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(listed))

    return applying


@pytest.fixture
def delete(cluster, namespace):
    def deleting(kind, name):
        cluster.kubectl("delete", kind, name, "-n", namespace, "--wait=true")

    return deleting


def container(script, *more, **fields):
    command = ["python", "-c", script, *more]
    return {"name": "main", "image": SAMPLE_IMAGE, "command": command, **fields}


def job(name, script, **pod):
    spec = {"restartPolicy": "Never", "containers": [container(script)], **pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }


def deployment(name, script, replicas=1):
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    ports = [{"containerPort": 8080}]
    spec = {"containers": [container(script, ports=ports, readinessProbe=probe)]}
    template = {"metadata": {"labels": LABELS}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": template,
        },
    }


def service(name, target=8080, **selector):
    ports = [{"port": 80, "targetPort": target}]
    spec = {"selector": selector or LABELS, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def claim(name, storage_class=None):
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Mi"}},
        **({"storageClassName": storage_class} if storage_class else {}),
    }
    kind = "PersistentVolumeClaim"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_job(check, apply, delete):
    each = exercise(
        Job("unit-job"),
        exists(starter="exercise-1.yaml"),
        sample_image(),
        ends_well(),
        log_says(r"hello \w+", "a greeting"),
    )
    assert check(each) == (Verdict.NOT_STARTED, "exists.none")
    apply(job("unit-job", "raise SystemExit(3)"))
    assert check(each, wait=True) == (Verdict.WRONG, "ends.exit.3")
    delete("job", "unit-job")
    apply(job("unit-job", "print('good morning')"))
    assert check(each, wait=True) == (Verdict.WRONG, "log.none")
    delete("job", "unit-job")
    apply(job("unit-job", "print('hello world')"))
    assert check(each, wait=True) == (Verdict.DONE, "")


def test_a_deployment_its_service_and_what_it_answers(check, apply, cluster, namespace):
    web = exercise(Deployment("unit-web"), exists("", "Make it."), replicas_ready(2), ready())
    path = exercise(
        Service("unit-web"),
        exists("", "Make it."),
        leads_to_pods(),
        answers("unit-web", "80", "/etc/hostname", "unit-web-", "the Pod's name"),
    )
    assert check(web) == (Verdict.NOT_STARTED, "exists.none")
    apply(deployment("unit-web", f"import os; os.chdir('/'); {SERVER}"))
    assert check(web) == (Verdict.WRONG, "replicas.count")
    apply(service("unit-web", target=9))
    cluster.kubectl("scale", "deployment/unit-web", "--replicas=2", "-n", namespace)
    assert check(web, wait=True) == (Verdict.DONE, "")
    assert check(path) == (Verdict.WRONG, "endpoints.port")
    apply(service("unit-web", app="another"))
    assert check(path) == (Verdict.WRONG, "endpoints.selector")
    apply(service("unit-web"))
    assert check(path, wait=True) == (Verdict.DONE, "")


@pytest.mark.parametrize(
    ("there", "request_path", "expected"),
    [
        pytest.param([], "/", (Verdict.WRONG, "answers.no-service"), id="there is no Service"),
        pytest.param(
            [service("unit-web")], "/", (Verdict.CONVERGING, "answers.no-endpoints"),
            id="it leads to no Pod",
        ),
        pytest.param(
            [service("unit-web"), deployment("unit-web", SERVER)], "/nothing",
            (Verdict.WRONG, "answers.status.404"), id="the server itself says 404",
        ),
        pytest.param(
            [service("unit-web"), deployment("unit-web", SERVER)], "/",
            (Verdict.WRONG, "answers.content"), id="it says something else",
        ),
    ],
)  # fmt: skip
def test_what_a_server_does_not_answer(check, apply, there, request_path, expected):
    each = exercise(
        Service("unit-web"), answers("unit-web", "80", request_path, "no such words", "words")
    )
    if there:
        apply(*there)
    assert check(each, wait=expected[0] is Verdict.WRONG) == expected


def test_a_claim(check, apply, delete):
    each = exercise(Claim("unit-models"), exists("", "Make it."), ready())
    assert check(each) == (Verdict.NOT_STARTED, "exists.none")
    apply(claim("unit-models", storage_class="fast"))
    assert check(each) == (Verdict.CONVERGING, "ready.unbound")
    delete("pvc", "unit-models")
    apply(claim("unit-models"))
    assert check(each, wait=True) == (Verdict.DONE, "")


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        pytest.param(SAMPLE_IMAGE, Verdict.DONE, id="one that was loaded"),
        pytest.param("unit/none:1", Verdict.NOT_STARTED, id="one that was not"),
    ],
)
def test_an_image_on_a_node(check, image, verdict):
    each = exercise(Image(image), exists("", "Build it, and load it."))
    assert check(each)[0] is verdict
