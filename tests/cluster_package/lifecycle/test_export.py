import json

import pytest
import yaml

from cluster import files, paths
from cluster.lifecycle import export, kubeconfigs


def env(name, value):
    """A variable of a container as kubectl writes it."""
    return yaml.safe_dump({"spec": {"env": [{"name": name, "value": value}, {"name": "NEXT"}]}})


def applied(content):
    """Compact JSON within JSON, as in the annotation last-applied-configuration."""
    return json.dumps({"applied": json.dumps(content, separators=(",", ":")), "kind": "Pod"})


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        pytest.param("token: abc123", "token: ", "abc123", id="a token"),
        pytest.param("x token=abc123 user=ann", "user=ann", "abc123", id="a token of a log"),
        pytest.param("Authorization: Basic abc", "Authorization: ", "abc", id="a header"),
        pytest.param("proxy http://ann:pw@proxy:3128", "http://ann:", "pw@", id="a proxy"),
        pytest.param("redis://:hunter2@db:1", "@db:1", "hunter2", id="a password without a user"),
        pytest.param("https://ghp1@host/x", "@host/x", "ghp1", id="a token in an address"),
        pytest.param(
            "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb",
            "a\n(left out)\nb",
            "MHc",
            id="a key",
        ),
        pytest.param(f"x eyJ{'a' * 20}.bbb.ccc y", "x (left out) y", "eyJ", id="a signed token"),
        pytest.param(f"token: eyJ{'a' * 20}.b.c\ny", "token: (left out)\ny", "eyJ", id="once"),
        pytest.param(
            "- name: DB_PASSWORD\n  value: hunter2\n- name: NEXT\n",
            "value: (left out)\n- name: NEXT\n",
            "hunter2",
            id="a variable",
        ),
        pytest.param(env("A_TOKEN", "hunter2 it's"), "- name: NEXT", "it", id="with spaces"),
        pytest.param(env("DB_PASSWD_2", "on\n\nhunter2\n"), "- name: NEXT", "hunter2", id="lines"),
        pytest.param(env("API_KEY", "hunter2 " * 30), "- name: NEXT", "hunter2", id="a long line"),
        pytest.param(
            '{"name":"API_TOKEN","value":"abc123"},{"name":"X","value":"y"}',
            '{"name":"API_TOKEN","value":"(left out)"},{"name":"X","value":"y"}',
            "abc123",
            id="a variable in JSON",
        ),
        pytest.param(
            '"name": "API_TOKEN",\n  "value": "abc123"\n}', '"\n}', "abc123", id="in readable JSON"
        ),
        pytest.param(
            applied({"env": [{"name": "API_TOKEN", "value": 'a"bc'}], "image": "x"}),
            r'\"image\":\"x\"}", "kind": "Pod"}',
            "bc",
            id="a variable in JSON within JSON",
        ),
        pytest.param(
            '["--password","hunter3","--steps","9"]', '","--steps","9"]', "hunter3", id="an option"
        ),
        pytest.param(
            applied({"args": ["--db-password", "hunter3", "x"]}),
            r"\",\"x\"]",
            "hunter3",
            id="an option in JSON within JSON",
        ),
        pytest.param(
            "- --password\n- hunter3 hunter4\n- --steps\n",
            "- --password\n- (left out)\n- --steps\n",
            "hunter",
            id="an option in YAML",
        ),
        pytest.param(
            "- --password=hunter3 hunter4\n- -x", "password=(left out)\n- -x", "hunter", id="with ="
        ),
        pytest.param('["--token=a b","c"]', '","c"]', "a b", id="with = in JSON"),
        pytest.param("run --password hunter3 -v", " -v", "hunter3", id="an option of a command"),
        pytest.param("AWS_SECRET_ACCESS_KEY=abc/1+ x", " x", "abc", id="a cloud's key"),
        pytest.param("AWS_SECRET_ACCESS_KEY: 'it''s abc'", "KEY: ", "abc", id="single quotes"),
        pytest.param("export DB_PASSWD='a b' X=y", " X=y", "a b", id="a short name"),
        pytest.param("?api_key=abc", "api_key=", "abc", id="a key of an API"),
        pytest.param("{'apiKey': 'abc', 'x': 1}", "', 'x': 1}", "abc", id="a mapping of Python"),
    ],
)
def test_secrets_are_left_out(text, kept, gone):
    said = export.redacted(text)
    assert kept in said
    assert "(left out)" in said
    assert gone not in said


@pytest.mark.parametrize(
    "text",
    [
        "E1125 kubelet: pod default/x: no such image localhost/x:1",
        "volumes:\n- name: db\n  secret:\n    defaultMode: 420\n    secretName: db-password\n",
        '{"secret":{"secretName":"db-password"},"name":"db"}',
        "- serviceAccountToken:\n    expirationSeconds: 3607\n    path: token\n",
        "tokenExpirationSeconds: 3600",
        "automountServiceAccountToken: false",
        '{"automountServiceAccountToken":false,"x":1}',
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      key: password\n",
        '{"name":"A_TOKEN","valueFrom":{"configMapKeyRef":{"key":"token","name":"settings"}}}',
        "- name: TOKEN_FILE\n  value: /run/token\n",
        "imagePullSecrets:\n- name: registry\n",
        "max_tokens=512 tokens: 9 tokenizer: words",
        'FLAG: --authentication-token-webhook="false"',
        "https://10.0.0.1:6443/api and ann@example",
    ],
)
def test_what_is_no_secret_stays(text):
    assert export.redacted(text) == text


def test_a_merged_cluster_has_names_of_its_own_and_takes_over_no_context():
    ours = {"clusters": [{"name": "workshop", "cluster": {"server": "s"}}]}
    ours["users"] = [{"name": "admin", "user": {"token": "t"}}]
    found = export.renamed(ours, "workshop-lab")
    assert "current-context" not in found
    assert found["contexts"][0]["context"]["cluster"] == "workshop-lab"
    assert found["clusters"][0] == {"name": "workshop-lab", "cluster": {"server": "s"}}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's own kubeconfig; a kubectl that appends it to ours."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho ours; cat "${KUBECONFIG#*:}"\n')
    kubectl.chmod(0o755)
    monkeypatch.setattr(export.binaries, "folder", lambda: tmp_path)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text("theirs\n")
    return tmp_path / ".kube/config"


@pytest.fixture
def merge(own):
    cluster = paths.Cluster("x", own.parent)
    cluster.folder.mkdir(parents=True)
    ours = {
        section: [{"name": name, part: dict.fromkeys(keys, "x")}]
        for section, (name, part, keys) in kubeconfigs.OURS.items()
    }
    cluster.kubeconfig.write_text(json.dumps(ours))
    return lambda: export.merge_kubeconfig(cluster, own, print)


def test_a_second_merge_keeps_the_kubeconfig_as_it_was_before_the_first(own, merge):
    merge()
    merge()
    assert own.read_text() == "ours\nours\ntheirs\n"
    assert own.with_name("config.before-workshop").read_text() == "theirs\n"


def test_a_merge_that_the_disk_has_no_room_for_loses_nothing(own, merge, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(files.paths, "to_disk", fail)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                merge()
    merge()
    assert own.read_text() == "ours\ntheirs\n"
    assert own.with_name("config.before-workshop").read_text() == "theirs\n"


def test_a_kubeconfig_that_is_a_link_stays_one(own, merge):
    real = own.rename(own.with_name("real"))
    own.symlink_to(real)
    merge()
    assert own.is_symlink()
    assert real.read_text() == "ours\ntheirs\n"


def test_a_merged_kubeconfig_is_for_its_owner_alone(own, merge):
    merge()
    assert {path.stat().st_mode & 0o777 for path in own.parent.glob("config*")} == {0o600}
