"""Which kubeconfig is used, and what it may hold."""

import base64
import json
import sys

import pytest
import yaml

from validator import kubeconfig
from validator.kubeconfig import NoCluster, candidates, connect


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    """A home and a checkout of the test's own; nothing in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(kubeconfig, "CHECKOUT", tmp_path / "checkout")


def write(path, server="https://x:1", user=None, **cluster):
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {
        "current-context": "a",
        "contexts": [
            {"name": "a", "context": {"cluster": "c", "user": "u"}},
            {"name": "b", "context": {"cluster": "c", "user": "u", "namespace": "mine"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def test_the_order_of_places(monkeypatch, tmp_path):
    home = write(tmp_path / "home/.kube/config")
    assert candidates(None) == [home]
    lab = write(tmp_path / "checkout/.lab/clusters/lab/kubeconfig")
    assert candidates(None) == [lab]
    own = write(tmp_path / "own")
    record = tmp_path / "checkout/.lab/own-cluster.json"
    record.write_text(json.dumps({"kubeconfig": str(own)}))
    assert candidates(None) == [own]
    monkeypatch.setenv("KUBECONFIG", f"{lab}:{home}")
    assert candidates(None) == [lab, home]
    assert candidates(str(own)) == [own]


def test_context_and_namespace_of_the_command_line_win(tmp_path):
    path = str(write(tmp_path / "k"))
    assert (connect(path, None, None).context, connect(path, None, None).namespace) == (
        "a",
        "default",
    )
    assert connect(path, "b", None).namespace == "mine"
    assert connect(path, "b", "other").namespace == "other"


def test_files_are_merged_the_first_wins(monkeypatch, tmp_path):
    one = write(tmp_path / "1", server="https://one:1")
    two = write(tmp_path / "2", server="https://two:1")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'gone'}:{one}:{two}")
    assert connect(None, None, None).server == "https://one:1"


def test_data_and_files_give_the_same_certificates(tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    encoded = base64.b64encode(b"PEM").decode()
    by_file = write(tmp_path / "1", **{"certificate-authority": "ca.pem"})
    by_data = write(tmp_path / "2", **{"certificate-authority-data": encoded})
    for path in (by_file, by_data):
        assert connect(str(path), None, None).authority == b"PEM"


def test_a_credential_plugin_is_asked(tmp_path):
    said = json.dumps({"status": {"token": "from the plugin"}})
    plugin = {"command": sys.executable, "args": ["-c", f"print('''{said}''')"]}
    path = write(tmp_path / "k", user={"exec": plugin})
    assert connect(str(path), None, None).token == "from the plugin"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "no kubeconfig at", id="no file"),
        pytest.param("a: [", "not YAML", id="no YAML"),
        pytest.param("just words", "not a kubeconfig", id="no mapping"),
        pytest.param("{}", "no current context", id="no context"),
        pytest.param("current-context: x", "no context named x", id="an unknown context"),
    ],
)
def test_a_kubeconfig_of_no_use_is_told_in_a_sentence(tmp_path, text, words):
    path = tmp_path / "k"
    if text is not None:
        path.write_text(text)
    with pytest.raises(NoCluster, match=words) as caught:
        connect(str(path), None, None)
    assert caught.value.next_step


@pytest.mark.parametrize(
    "user",
    [
        pytest.param({"tokenFile": "gone"}, id="a token file that is gone"),
        pytest.param({"client-certificate": "gone"}, id="a certificate that is gone"),
        pytest.param({"exec": {"command": "no-such-plugin"}}, id="a plugin that is gone"),
        pytest.param({"exec": {"command": "false"}}, id="a plugin that fails"),
    ],
)
def test_credentials_that_cannot_be_had(tmp_path, user):
    with pytest.raises(NoCluster):
        connect(str(write(tmp_path / "k", user=user)), None, None)
