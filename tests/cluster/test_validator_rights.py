"""validator/rbac.yaml on the real cluster: what a learner may read with it, and what not.

``tests/validator/test_rights.py`` shows without a cluster that each right is
needed. Here every request that the reader can make is sent as that learner: the
real API server refuses exactly those that the file does not give.
"""

import json
import uuid

import pytest

from tests.validator.rights import (
    allows,
    is_watched,
    right_of,
    rules,
    that_read_everything,
    watch_of,
)
from validator import cluster as reader
from validator.api import Api, Ask
from validator.handin import identity
from validator.kubeconfig import connect

ROLE, EVERYWHERE, OF_OPERATOR = rules()
NAME = "tfjob-workshop-validator"
IMAGE = "localhost/fashion-mnist:1.2.0"
FORBIDDEN = 403
WATCH_SECONDS = 3


@pytest.fixture(scope="module")
def learner(cluster, operator_release):
    """A namespace with a Job that has a log, a kubeconfig of its learner, and a way to bind."""
    space = f"sec-rights-{uuid.uuid4().hex[:6]}"
    here, there = f"--namespace={space}", f"--namespace={operator_release}"
    cluster.kubectl("create", "namespace", space)
    cluster.kubectl("apply", here, "-f", "validator/rbac.yaml")
    cluster.kubectl("create", "serviceaccount", "ann", here)
    cluster.kubectl("create", "job", "talks", f"--image={IMAGE}", here, "--", "echo", "hello")
    cluster.kubectl("wait", "job/talks", "--for=condition=Complete", here, "--timeout=60s")
    who = f"--serviceaccount={space}:ann"
    cluster.kubectl("create", "rolebinding", space, f"--role={NAME}", who, here)

    def bind_the_others():
        cluster.kubectl("create", "clusterrolebinding", space, f"--clusterrole={NAME}", who)
        operators = f"--clusterrole={NAME}-operator"
        cluster.kubectl("create", "rolebinding", space, operators, who, there)

    path = cluster.kubeconfig.parent / space
    path.write_text(json.dumps(kubeconfig_of(cluster, space)))
    yield connect(str(path), None, None), bind_the_others
    path.unlink()
    cluster.kubectl("delete", "clusterrolebinding", space, "--ignore-not-found")
    cluster.kubectl("delete", "rolebinding", space, there, "--ignore-not-found")
    cluster.kubectl("delete", "clusterrole", NAME, f"{NAME}-operator", "--ignore-not-found")
    cluster.kubectl("delete", "namespace", space, "--wait=false")


def kubeconfig_of(cluster, space):
    token = cluster.kubectl("create", "token", "ann", f"--namespace={space}").stdout.strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json").stdout)
    config["users"][0]["user"] = {"token": token}
    config["contexts"][0]["context"]["namespace"] = space
    return config


def statuses(connection):
    """By path: the status with which each request and each watch of the reader is answered."""
    found, asked = {}, []

    class Listening(Api):
        def fetch(self, asks):
            answers = super().fetch(asks)
            asked.extend(ask.path for ask in asks)
            found.update({ask.path: a.status for ask, a in zip(asks, answers, strict=True)})
            return answers

    exercises = that_read_everything("talks")
    api = Listening(connection)
    try:
        data, _ = reader.read_with(api, exercises)
        api.fetch([Ask(identity.CLUSTER), Ask(identity.VERSION)])
        wanted = [
            *reader.first_round(connection.namespace, exercises),
            *reader.second_round(connection, exercises, data),
        ]
        paths = {watch_of(each.ask.path) for each in wanted if is_watched(each.label)}
        found.update(watches(api, paths))
    finally:
        api.close()
    return data, found


def watches(api, paths):
    """By path: the status of each watch; all are open at the same time."""
    streams = {path: api.stream(f"{path}&timeoutSeconds={WATCH_SECONDS}", "*/*") for path in paths}
    waiting = list(streams.values())
    while waiting:
        assert api.wait(waiting, 10), "a watch is not answered"
        for stream in waiting:
            stream.lines()
        waiting = [stream for stream in waiting if not stream.status and not stream.ended]
    for stream in streams.values():
        stream.close()
    return {path: stream.status for path, stream in streams.items()}


def refused(found):
    return {path for path, status in found.items() if status == FORBIDDEN}


def not_given(found, *bound):
    """Those that no rule gives; ``bound`` are (rules, namespace or "" for the whole cluster)."""
    rights = {path: right_of(path) for path in found}
    return {
        path
        for path, right in rights.items()
        if right
        and not any(
            allows(given, right) for given, where in bound if where in ("", right.namespace)
        )
    }


def test_the_api_server_refuses_what_the_file_does_not_give_and_nothing_else(
    learner, operator_release
):
    connection, bind_the_others = learner
    role = (ROLE, connection.namespace)
    data, alone = statuses(connection)
    assert refused(alone) == not_given(alone, role)
    kinds = {what for what, why in data["missing"].items() if why["status"] == FORBIDDEN}
    assert kinds == {
        *("nodes", "customresourcedefinitions", "operator deployments"),
        *("storageclasses", "dns"),
        *("resourceslices", "deviceclasses", "priorityclasses"),
    }
    assert any("/log?" in path for path in alone)

    bind_the_others()
    data, together = statuses(connection)
    everything = (role, (EVERYWHERE, ""), (OF_OPERATOR, operator_release))
    assert refused(together) == not_given(together, *everything)
    assert not [why for why in data["missing"].values() if why["status"] == FORBIDDEN]
    # Elsewhere a learner is told nothing.
    elsewhere = {right_of(path).namespace for path in refused(together)}
    assert elsewhere <= set(connection.other_namespaces)
