"""The hub of exercise 8.3: users log in, start servers and run cells; others stay outside."""

from __future__ import annotations

import json
import uuid

import pytest
import requests
import websocket
import yaml

from tests.cluster import hubs
from tests.cluster.waits import wait_until

# A Pod with JupyterLab is up in five seconds; a slow machine takes several times as long.
START_SECONDS = 120
CODE = "import tensorflow as tf; print('the sum is', int(tf.reduce_sum([20, 22])))"


@pytest.fixture(scope="module")
def hub(cluster):
    with hubs.installed(cluster) as found:
        yield found


class User:
    """Somebody with a browser, without the browser: cookies, and the forms of the hub's pages."""

    def __init__(self, hub, name, password=None):
        """Raises: AssertionError if the hub does not take the password."""
        self.url, self.name = hub.url, name
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.get(f"{hub.url}/hub/login")
        form = {"username": name, "password": password or hub.password, "_xsrf": self.xsrf("/hub/")}
        answer = self.session.post(f"{hub.url}/hub/login", form, allow_redirects=False)
        assert answer.status_code == 302, f"{name} cannot log in: {answer.status_code}"

    def xsrf(self, path):
        """The cookie with which a page proves that a request is its own."""
        return next(c.value for c in self.session.cookies if c.name == "_xsrf" and c.path == path)

    def ask(self, method, path, owner=None, **more):
        """One request to a user's server; one's own, unless another owner is named."""
        home = f"/user/{owner or self.name}/"
        headers = {}
        if method != "GET":
            headers["X-XSRFToken"] = self.xsrf(home)
        return self.session.request(method, f"{self.url}{home}{path}", headers=headers, **more)

    def start_server(self, profile):
        """Fill in the form of the page that starts a server, and wait until the server answers."""
        form = {"profile": profile, "_xsrf": self.xsrf("/hub/")}
        answer = self.session.post(f"{self.url}/hub/spawn", form, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        wait_until(self.serves, START_SECONDS)

    def stop_server(self):
        """Press the button of the hub's page."""
        headers = {"X-XSRFToken": self.xsrf("/hub/"), "Referer": f"{self.url}/hub/home"}
        url = f"{self.url}/hub/api/users/{self.name}/server"
        assert self.session.delete(url, headers=headers).status_code in (202, 204)

    def serves(self):
        """Whether one's server answers. Its page sends a browser to the hub, for a cookie."""
        self.ask("GET", "lab")
        answer = self.ask("GET", "api/status")
        return answer.ok and "kernels" in answer.text

    def run_cell(self, code):
        """Run code in a kernel of one's server. Returns: what it printed."""
        kernel = self.ask("POST", "api/kernels").json()["id"]
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.session.cookies)
        url = f"{self.url.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{kernel}/channels"
        line = websocket.create_connection(
            url, timeout=START_SECONDS, cookie=cookies, http_no_proxy=["127.0.0.1"]
        )
        try:
            line.send(json.dumps(execute_request(code)))
            return printed(line)
        finally:
            line.close()


def execute_request(code):
    """A message of Jupyter's protocol that runs code."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "session": uuid.uuid4().hex,
        "username": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False}
    parts = {"parent_header": {}, "metadata": {}, "channel": "shell"}
    return {"header": header, "content": content, **parts}


def printed(line):
    """What a kernel prints until it has answered. Raises: AssertionError for an error in a cell."""
    text = ""
    while True:
        message = json.loads(line.recv())
        if message["msg_type"] == "stream":
            text += message["content"]["text"]
        if message["msg_type"] == "execute_reply":
            assert message["content"]["status"] == "ok", message["content"]
            return text


def test_a_user_logs_in_starts_a_server_runs_a_cell_and_stops_it(hub):
    user = User(hub, "learner1")
    user.start_server("plain")
    assert "the sum is 42" in user.run_cell(CODE)
    (pod,) = pods(hub, "learner1")
    assert pod["spec"]["automountServiceAccountToken"] is False
    user.stop_server()
    wait_until(lambda: pods(hub, "learner1") == [], START_SECONDS)
    claim = hub.kubectl("get", "pvc", f"{hubs.RELEASE}-learner1", "--output=name")
    assert claim.strip() == f"persistentvolumeclaim/{hubs.RELEASE}-learner1"


def test_the_script_of_the_page_starts_and_stops_a_server_and_nobody_else_reaches_it(hub):
    script = ("sh", "modules/8-jupyter/hub.sh")
    where = f"--namespace={hub.namespace}"
    started = hub.cluster.run(*script, "start", "learner2", "plain", where, timeout=160)
    assert started.stdout == "The server of learner2 is ready\n"
    owner, other = User(hub, "learner2"), User(hub, "learner1")
    assert owner.serves()
    assert other.ask("GET", "lab", owner="learner2").status_code == 403
    assert requests_without_login(hub, "/user/learner2/api/status") == 403
    stopped = hub.cluster.run(*script, "stop", "learner2", where, timeout=160)
    assert stopped.stdout == "The server of learner2 is gone\n"


def requests_without_login(hub, path):
    """The status that a stranger gets."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(hub.url + path, allow_redirects=False).status_code


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("learner1", "not-the-password", id="another password"),
        pytest.param("learner3", None, id="a user whom the values do not name"),
    ],
)
def test_the_hub_lets_nobody_else_in(hub, name, password):
    with pytest.raises(AssertionError, match=f"{name} cannot log in: 403"):
        User(hub, name, password)


def test_the_script_says_that_the_hub_knows_no_such_user(hub):
    script = ("sh", "modules/8-jupyter/hub.sh", "start", "learner3", "plain")
    done = hub.cluster.run(*script, f"--namespace={hub.namespace}", check=False)
    assert done.returncode != 0
    assert "it knows no such user" in done.stderr


@pytest.mark.parametrize(
    ("right", "answer"),
    [
        pytest.param(("create", "pods"), "yes", id="it makes Pods"),
        pytest.param(("create", "persistentvolumeclaims"), "yes", id="it makes claims"),
        pytest.param(("delete", "persistentvolumeclaims"), "no", id="it deletes no home"),
        pytest.param(("get", "secrets"), "no", id="it reads no Secret"),
        pytest.param(("create", "pods", "--subresource=exec"), "no", id="it enters no Pod"),
        pytest.param(("create", "pods", "--namespace=default"), "no", id="no other namespace"),
    ],
)
def test_the_account_of_the_hub_has_few_rights(hub, right, answer):
    account = f"system:serviceaccount:{hub.namespace}:{hubs.RELEASE}"
    where = () if right[-1].startswith("--namespace") else ("--namespace", hub.namespace)
    asked = hub.cluster.kubectl("auth", "can-i", *right, f"--as={account}", *where, check=False)
    assert asked.stdout.strip() == answer


def test_an_upgrade_keeps_the_keys_and_another_release_has_others(hub):
    before = hubs.secret(hub.cluster, hub.namespace)
    hub.cluster.run(*hubs.INSTALL, "--namespace", hub.namespace, timeout=320)
    assert hubs.secret(hub.cluster, hub.namespace) == before
    made = hub.cluster.run("helm", "template", "other", hubs.CHART).stdout
    (other,) = (o for o in yaml.safe_load_all(made) if o["kind"] == "Secret")
    assert set(before.values()).isdisjoint(hubs.keys(other).values())
    assert min(map(len, before.values())) >= 16


def pods(hub, user):
    """The Pods of a user's servers."""
    chosen = f"--selector=hub.jupyter.org/username={user}"
    return json.loads(hub.kubectl("get", "pods", chosen, "--output=json"))["items"]
