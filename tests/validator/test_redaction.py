"""What a snapshot file must not hold, and what it must not lose."""

import base64
import copy
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validator import secrets, world
from tests.validator.recorded_worlds import recorded, the
from validator.engine import EXERCISES, grade_one
from validator.redaction import redact
from validator.snapshot import Snapshot

SERVICE = "module6-ex1-master-ab12-0.secret-team.svc.cluster.local:2222"
TF_CONFIG = json.dumps({"cluster": {"master": [SERVICE, "my-token:2222"]}, "task": {"index": 0}})


def left(node, planted):
    """The words of a planted secret that redaction leaves, however they are written."""
    shown = json.dumps(redact(node), ensure_ascii=False)
    return [word for word in planted.gone if word in shown]


@pytest.mark.parametrize("planted", [pytest.param(p, id=p.id) for p in secrets.TEXTS])
def test_a_secret_in_a_text_is_taken_out(planted):
    assert left({"note": planted.what}, planted) == []


@pytest.mark.parametrize("planted", [pytest.param(p, id=p.id) for p in secrets.TEXTS])
def test_a_secret_in_a_log_is_taken_out_and_the_lines_about_it_stay(planted):
    lines = [f"{secrets.TIME} {line}" for line in planted.what.split("\n")]
    log = "\n".join([world.LOG, *lines, world.LOG])
    clean = redact({"logs": {"p/tensorflow": log}})["logs"]["p/tensorflow"]
    assert [word for word in planted.gone if word in clean] == []
    assert clean.startswith(world.LOG)
    assert clean.endswith(world.LOG)


@pytest.mark.parametrize("planted", [pytest.param(p, id=p.id) for p in secrets.NODES])
def test_a_secret_in_an_object_is_taken_out(planted):
    assert left({"deep": [planted.what]}, planted) == []


@pytest.mark.parametrize(
    "node",
    [
        pytest.param({"name": "TF_CONFIG", "value": TF_CONFIG}, id="TF_CONFIG"),
        pytest.param({"args": ["--max-steps", "500", "--log-dir=/tmp/a"]}, id="the own options"),
        pytest.param({"args": ["--use-auth", "--max-steps", "500"]}, id="an option after a switch"),
        pytest.param({"name": "AZURE_STORAGE_ACCOUNT", "value": "classaccount"}, id="an account"),
        pytest.param(world.LOG, id="the log of a training"),
        pytest.param("chief of the cluster chief " + SERVICE, id="a host that is named secret"),
        pytest.param("tokenizer: ready, max_tokens=512, tokens: 99", id="tokens of words"),
        pytest.param('secret "db-secret" not found', id="a Secret that does not exist"),
        pytest.param("couldn't find key password in Secret a/b", id="a key that does not exist"),
        pytest.param("references non-existent secret key: ca.crt", id="a key of a volume"),
        pytest.param(
            'MountVolume.SetUp failed for volume "my-token" : secret "x" not found', id="a volume"
        ),
        pytest.param(
            'failed to fetch anonymous token: Get "https://auth.example/token?scope=a%3Ab": dial',
            id="a registry that does not answer",
        ),
        pytest.param(
            'pods is forbidden: User "ann" cannot list resource "secrets" in API group ""',
            id="a right that is missing",
        ),
        pytest.param('Back-off pulling image "reg.example:5000/a:1.0@sha256:0a1b"', id="an image"),
        pytest.param("exceeded quota: q, requested: secrets=1, used: secrets=9", id="a quota"),
        pytest.param("module5-ex1-master-27hh-0-564jj.18eb636543ba5e25", id="an event's name"),
        pytest.param("4d742ed4-9818-4c85-af4f-524ddb945160", id="a UID"),
        pytest.param("sha256:" + "0a1b2c3d" * 8, id="a digest"),
        pytest.param({"logs": {"secret-job-x/token": "a line"}}, id="a Pod that is named secret"),
        pytest.param({"missing": {"log my-password/x": {"status": 403}}}, id="a log forbidden"),
        pytest.param({"replicas": 1, "ready": True, "none": None}, id="numbers and truth values"),
        pytest.param({"automountServiceAccountToken": False, "tokens": None}, id="no values"),
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(node):
    assert redact(copy.deepcopy(node)) == node


def test_the_data_that_were_given_are_not_changed():
    data = world.done()
    before = copy.deepcopy(data)
    redact(data)
    assert data == before


# Secrets at any place and in any disguise

SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SECRETS = st.text(SAFE + "!#$*+-._~^", min_size=10, max_size=24).map(lambda s: f"Zq{s}9")
NAMES = st.sampled_from(
    [
        *("password", "DB_PASSWORD", "dbPasswd", "mysql-pwd", "passphrase", "api_key", "apiKey"),
        *("ACCESS-KEY", "account_key", "private.key", "client_secret", "auth_token", "TOKEN"),
        *("credential", "connectionString", "session_token", "MY_SECRET", "x-api-key"),
    ]
)
CARRIERS = st.sampled_from(
    [
        lambda name, secret: f"{name}={secret}",
        lambda name, secret: f"{name}: {secret}",
        lambda name, secret: f"export {name}='{secret}'; run",
        lambda name, secret: f"run --{name.lower()} {secret} --steps 5",
        lambda name, secret: f"run --{name.lower()}={secret}",
        lambda name, secret: f"https://ann:{secret}@host.example/path",
        lambda name, secret: f"https://host.example/path?a=b&access_token={secret}",
        lambda name, secret: f"Authorization: Bearer {secret}",
        lambda name, secret: f"{{'{name}': '{secret}'}}",
        lambda name, secret: json.dumps({name: secret}),
        lambda name, secret: json.dumps([{"name": name, "value": secret}]),
        lambda name, secret: json.dumps({"args": [f"--{name.lower()}", secret]}),
        lambda name, secret: f"- name: {name}\n  value: {secret}\n",
    ]
)
DISGUISES = st.lists(
    st.sampled_from(
        [
            lambda text: json.dumps(text),
            lambda text: json.dumps({"note": [text]}),
            lambda text: f"started with {json.dumps({'note': text})} at once",
            lambda text: f"2026-01-31T12:00:02.5Z {text}",
            lambda text: quote(text, safe=""),
            lambda text: base64.b64encode(text.encode()).decode(),
            lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
            lambda text: f"sh -c {text}",
        ]
    ),
    max_size=3,
)
PLACED = st.sampled_from(
    [
        lambda text: {"note": text},
        lambda text: [[text]],
        lambda text: {"args": ["--max-steps", "500", text]},
        lambda text: {"env": [{"name": "NOTE", "value": text}]},
        lambda text: {"logs": {"p/tensorflow": {"head": text, "tail": text, "cut": True}}},
        lambda text: {"missing": {"nodes": {"status": 403, "message": text}}},
        lambda text: {text: "a key"},
    ]
)


def unwrapped(text, depth=4):
    """A text, and whatever can be decoded out of its words."""
    yield text
    if depth:
        yield from unwrapped(text.replace("\\", ""), depth - 1) if "\\" in text else ()
        for word in text.replace('"', " ").split():
            for padding in ("", "=", "=="):
                try:
                    plain = base64.b64decode(word.translate(str.maketrans("-_", "+/")) + padding)
                    yield from unwrapped(plain.decode(), depth - 1)
                except ValueError:
                    continue


@settings(max_examples=300, deadline=None)
@given(SECRETS, NAMES, CARRIERS, DISGUISES, PLACED)
def test_no_disguise_hides_a_secret(secret, name, carrier, disguises, place):
    text = carrier(name, secret)
    for disguise in disguises:
        text = disguise(text)
    shown = json.dumps(redact(place(text)), ensure_ascii=False)
    assert not any(secret in each for each in unwrapped(shown))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.text('abpasword:=token"\\{}[]()@/%-?& \n\'', max_size=40)
    | st.sampled_from([p.what for p in secrets.TEXTS]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8) | NAMES | st.just("name"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_redaction_takes_any_json_and_a_second_time_changes_nothing(node):
    once = redact(node)
    json.dumps(once)
    assert redact(once) == once


def test_what_is_too_deep_to_be_looked_at_is_left_out():
    deep = json.loads("[" * 900 + f'"{secrets.WORD}"' + "]" * 900)
    assert secrets.WORD not in json.dumps(redact(deep))


def test_a_long_log_takes_no_time():
    """Nothing in it is looked at again and again."""
    lines = "\n".join(f"{secrets.TIME} {'a:b=c' * 200} token {'[' * 200}" for _ in range(500))
    redact({"logs": {"p/tensorflow": lines}})


SHELL = ["sh", "-c", "nvidia-smi; jupyter lab --NotebookApp.token=hunter2"]
PYTHON = ["python", "-m", "notebook", "--password", "hunter2", "nvidia-smi"]
# So long that what marks the end of the password stands behind the part that is quoted.
LONG = ["curl", f"https://ann:hunter2{'p' * 80}@host/x"]


@pytest.mark.parametrize(
    "command", [SHELL, PYTHON, LONG], ids=["in a shell", "as two words", "cut off"]
)
@pytest.mark.parametrize(
    ("number", "kind", "name"),
    [
        ("3.1", "jobs", "module3-ex1"),
        ("5.2", "jobs", "module5-ex2-reader"),
        ("8.1", "deployments", "module8-ex1"),
        ("8.3", "deployments", "module8-ex3"),
        ("9.1", "deployments", "module9-ex1"),
        ("9.2", "jobs", "module9-ex2-load"),
    ],
)
def test_a_finding_that_quotes_a_command_quotes_no_secret(number, kind, name, command):
    data = copy.deepcopy(recorded(f"{number}-solution"))
    container = the(data, kind, name)["spec"]["template"]["spec"]["containers"][0]
    container.update(command=command, args=[])
    finding = grade_one(Snapshot(data), EXERCISES[number]).finding
    assert "hunter2" not in repr(finding)
    assert "REDACTED" in finding.found or (command, number) == (LONG, "3.1")  # its name alone


def test_nor_does_one_about_a_container_that_never_started():
    data = copy.deepcopy(recorded("1.1-no-such-program"))
    the(data, "containers", "module1-ex1")["spec"]["commandLine"] = PYTHON
    finding = grade_one(Snapshot(data), EXERCISES["1.1"]).finding
    assert "`python -m notebook --password REDACTED nvidia-smi`" in finding.found
