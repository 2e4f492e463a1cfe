"""Which kubeconfig is used, and what it may hold: as kubectl reads it, and never a traceback."""

import base64
import json
import os
import sys

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from validator import kubeconfig
from validator.connect import exec_plugin
from validator.kubeconfig import Connection, NoCluster, candidates, connect

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    """A home and a checkout of the test's own; nothing in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(kubeconfig, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.setattr(exec_plugin, "_answers", {})


def config(server="https://x:1", user=None, **cluster):
    return {
        "current-context": "a",
        "contexts": [
            {"name": "a", "context": {"cluster": "c", "user": "u"}},
            {"name": "b", "context": {"cluster": "c", "user": "u", "namespace": "mine"}},
            {"name": "z", "context": {"cluster": "other", "user": "u", "namespace": "far"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {} if user is None else user}],
    }


def write(path, server="https://x:1", user=None, **cluster):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config(server, user, **cluster)))
    return path


@pytest.fixture
def connected(tmp_path):
    """Connect by a kubeconfig with this user and cluster."""

    def connecting(user=None, server="https://x:1", **cluster):
        return connect(str(write(tmp_path / "k", server, user, **cluster)), None, None)

    return connecting


# Which file, which context


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
    assert connect(path, "b", "other").current_namespace == "mine"


@pytest.mark.parametrize(
    ("context", "namespace", "flags"),
    [
        pytest.param(None, None, (), id="as the kubeconfig has it"),
        pytest.param("b", None, ("--context=b",), id="another context"),
        pytest.param("b", "mine", ("--context=b",), id="the namespace that it has anyway"),
        pytest.param(None, "mine", ("--namespace=mine",), id="another namespace"),
    ],
)
def test_flags_are_what_kubectl_would_not_know(monkeypatch, tmp_path, context, namespace, flags):
    path = str(write(tmp_path / "k"))
    assert connect(path, context, namespace).flags == (f"--kubeconfig={path}", *flags)
    monkeypatch.setenv("KUBECONFIG", path)
    assert connect(None, context, namespace).flags == flags


def test_kubectl_does_not_look_into_lab_but_at_home(monkeypatch, tmp_path):
    write(tmp_path / "home/.kube/config")
    assert connect(None, None, None).flags == ()
    write(tmp_path / "checkout/.lab/clusters/lab/kubeconfig")
    monkeypatch.chdir(tmp_path / "checkout")
    assert connect(None, None, None).flags == ("--kubeconfig=.lab/clusters/lab/kubeconfig",)


@pytest.mark.parametrize(
    ("context", "namespace", "others"),
    [
        pytest.param("a", None, ("mine",), id="default in use"),
        pytest.param("b", None, ("default",), id="mine in use"),
        pytest.param("a", "third", ("default", "mine"), id="another in use"),
    ],
)
def test_other_namespaces_are_those_of_the_same_cluster(tmp_path, context, namespace, others):
    path = str(write(tmp_path / "k"))
    assert connect(path, context, namespace).other_namespaces == others


def test_files_are_merged_the_first_wins(monkeypatch, tmp_path):
    one = write(tmp_path / "1", server="https://one:1")
    two = write(tmp_path / "2", server="https://two:1", user={"token": "second"})
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'gone'}:{one}:{two}")
    connection = connect(None, None, None)
    assert (connection.server, connection.token) == ("https://one:1", None)
    assert connection.files == f"{one}:{two}"


def test_json_needs_no_yaml(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "k"
    path.write_text(json.dumps(config()))
    assert connect(str(path), None, None).server == "https://x:1"


def test_a_pipe_is_read_as_a_file_is(tmp_path):
    read, write_end = os.pipe()
    os.write(write_end, json.dumps(config()).encode())
    os.close(write_end)
    assert connect(f"/dev/fd/{read}", None, None).server == "https://x:1"
    os.close(read)


def test_names_may_look_like_numbers(tmp_path):
    path = tmp_path / "k"
    path.write_text(
        "{current-context: 7, contexts: [{name: 7, context: {cluster: 8, user: 9, namespace: 10}}],"
        " clusters: [{name: 8, cluster: {server: 'https://x'}}],"
        " users: [{name: 9, user: {token: 11}}]}"
    )
    connection = connect(str(path), None, None)
    assert (connection.context, connection.namespace, connection.user) == ("7", "10", "9")
    assert connection.token == "11"


# The cluster


@pytest.mark.parametrize(
    ("server", "cluster", "wanted"),
    [
        pytest.param("https://x:443/", {}, "https://x", id="the usual port"),
        pytest.param("https://x/k8s/c-1/", {}, "https://x/k8s/c-1", id="a path"),
        pytest.param("https://[::1]:6443", {}, "https://[::1]:6443", id="IPv6"),
        pytest.param("x:8080", {}, "http://x:8080", id="no scheme"),
        pytest.param("x", {"insecure-skip-tls-verify": True}, "https://x", id="no scheme, but TLS"),
        pytest.param("https://bücher.test", {}, "https://xn--bcher-kva.test", id="an umlaut"),
        pytest.param("https://ann:s3cr3t@x", {}, "https://x", id="a login in the URL"),
    ],
)
def test_servers(connected, server, cluster, wanted):
    connection = connected(server=server, **cluster)
    assert connection.server == wanted
    assert "s3cr3t" not in repr(connection)
    assert bool(connection.headers) == ("s3cr3t" in server)


def test_data_and_files_give_the_same_certificates(tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    encoded = base64.b64encode(b"PEM").decode()
    by_file = write(tmp_path / "1", **{"certificate-authority": "ca.pem"})
    by_data = write(tmp_path / "2", **{"certificate-authority-data": encoded})
    for path in (by_file, by_data):
        assert connect(str(path), None, None).authority == b"PEM"


@pytest.mark.parametrize(
    ("environment", "server", "asked"),
    [
        pytest.param({"HTTPS_PROXY": "p:1"}, "https://a.test", True, id="upper case, no scheme"),
        pytest.param({"https_proxy": "http://p:1"}, "https://a.test", True, id="lower case"),
        pytest.param({"HTTP_PROXY": "http://p:1"}, "https://a.test", False, id="for http alone"),
        pytest.param({"HTTP_PROXY": "http://p:1"}, "http://a.test", True, id="an http server"),
        pytest.param({"HTTPS_PROXY": "http://p:1"}, "https://127.0.0.9:6443", False, id="loopback"),
        pytest.param({"HTTPS_PROXY": "http://p:1"}, "https://[::1]", False, id="IPv6 loopback"),
        pytest.param({"HTTPS_PROXY": "http://p:1"}, "https://localhost", False, id="localhost"),
        pytest.param({"HTTPS_PROXY": "http://p:no"}, "https://a.test", False, id="nonsense"),
    ],
)
def test_a_proxy_of_the_environment(connected, monkeypatch, environment, server, asked):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert connected(server=server).proxy == ("http://p:1" if asked else "")


@pytest.mark.parametrize(
    ("rules", "server", "excluded"),
    [
        pytest.param("*", "a.test", True, id="all"),
        pytest.param("a.test", "a.test", True, id="the name"),
        pytest.param(" b.test , A.TEST ", "a.test", True, id="one of several, upper case"),
        pytest.param("a.test", "x.a.test", True, id="a name below"),
        pytest.param("a.test", "xa.test", False, id="a longer name"),
        pytest.param(".a.test", "x.a.test", True, id="a suffix"),
        pytest.param(".a.test", "a.test", False, id="a suffix is not the name"),
        pytest.param("*.a.test", "x.a.test", True, id="a star"),
        pytest.param("10.0.0.0/8", "10.1.2.3:6443", True, id="a network"),
        pytest.param("10.0.0.0/8", "11.1.2.3", False, id="another network"),
        pytest.param("10.0.0.0/8", "a.test", False, id="a network has no names"),
        pytest.param("10.0.0.0/99", "10.1.2.3", False, id="a network of no use"),
        pytest.param("10.1.2.3", "10.1.2.3:6443", True, id="an address"),
        pytest.param("fd00::/8", "[fd00::1]:6443", True, id="an IPv6 network"),
        pytest.param("fd00::1", "[fd00::1]", True, id="an IPv6 address"),
        pytest.param("a.test:6443", "a.test:6443", True, id="a port"),
        pytest.param("a.test:6443", "a.test:443", False, id="another port"),
        pytest.param("10.1.2.3:6443", "10.1.2.3:6443", True, id="an address and a port"),
    ],
)
def test_no_proxy_is_understood_as_go_does(connected, monkeypatch, rules, server, excluded):
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    monkeypatch.setenv("no_proxy", rules)
    assert connected(server=f"https://{server}").proxy == ("" if excluded else "http://p:1")


def test_the_kubeconfigs_proxy_is_asked_whatever_the_environment_says(connected, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    monkeypatch.setenv("NO_PROXY", "*")
    connection = connected(server="https://127.0.0.1:1", **{"proxy-url": "http://q:s3cr3t@q:2"})
    assert connection.proxy == "http://q:s3cr3t@q:2"
    assert "s3cr3t" not in repr(connection)


# The user


def test_a_token_file_comes_before_a_token(connected, tmp_path):
    (tmp_path / "t").write_text(" from the file\n")
    assert connected({"token": "t", "tokenFile": "t"}).token == "from the file"


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        pytest.param({"auth-provider": {"name": "oidc"}}, {}, "auth-provider", id="auth-provider"),
        pytest.param({}, {"proxy-url": "socks5://p:1"}, "socks5 proxy", id="a SOCKS proxy"),
        pytest.param({}, {"proxy-url": "https://p"}, "https proxy", id="a proxy with TLS"),
        pytest.param(
            {"client-certificate-data": "eA==", "client-key": "key"},
            {},
            "client key is encrypted",
            id="an encrypted key",
        ),
    ],
)
def test_what_only_kubectl_can_do_is_left_to_it(connected, tmp_path, user, cluster, words):
    (tmp_path / "key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    connection = connected(user, **cluster)
    assert words in connection.by_kubectl
    assert connected().by_kubectl == ""


# Login programs


def plugin(script, **more):
    return {"exec": {"command": sys.executable, "args": ["-c", script], **more}}


def printing(status):
    return f"print({json.dumps(json.dumps({'status': status}))})"


def test_a_credential_plugin_is_asked(connected):
    assert connected(plugin(printing({"token": "t"}))).token == "t"
    pair = {"clientCertificateData": "C", "clientKeyData": "K"}
    connection = connected(plugin(printing(pair)))
    assert (connection.certificate, connection.key) == (b"C", b"K")


ECHO = """
import json, os
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
print(json.dumps({"status": {"token": json.dumps([info, os.environ["ADDED"]])}}))
"""


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_plugin_is_told_what_it_wants_to_know(connected, version):
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    more = {
        "apiVersion": f"client.authentication.k8s.io/{version}",
        "env": [{"name": "ADDED", "value": "yes"}],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    cluster = {"certificate-authority-data": "UEVN", "extensions": [extension]}
    info, added = json.loads(connected(plugin(ECHO, **more), **cluster).token)
    assert added == "yes"
    assert info["apiVersion"].endswith(version)
    assert info["spec"] == {
        "interactive": False,
        "cluster": {
            "server": "https://x:1",
            "certificate-authority-data": "UEVN",
            "config": {"audience": "x"},
        },
    }


def test_a_command_with_a_slash_is_relative_to_the_kubeconfig(tmp_path, monkeypatch):
    program = tmp_path / "there/bin/login"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho \'{"status": {"token": "here"}}\'')
    program.chmod(0o755)
    path = write(tmp_path / "there/k", user={"exec": {"command": "bin/login"}})
    monkeypatch.chdir(tmp_path)
    assert connect(os.path.relpath(path), None, None).token == "here"


@pytest.mark.parametrize(
    ("expires", "calls"),
    [
        pytest.param(None, 1, id="never"),
        pytest.param("2999-01-01T00:00:00Z", 1, id="later"),
        pytest.param("2001-01-01T00:00:00Z", 2, id="long ago"),
        pytest.param("soon", 1, id="not a time"),
    ],
)
def test_a_login_is_kept_until_it_expires(connected, tmp_path, expires, calls):
    count = f"open({str(tmp_path / 'calls')!r}, 'a').write('x'); "
    user = plugin(count + printing({"token": "t", "expirationTimestamp": expires}))
    connection = connected(user)
    connected(user)
    assert len((tmp_path / "calls").read_text()) == calls
    assert connection.renew().token == "t"
    assert len((tmp_path / "calls").read_text()) == calls + 1


def test_what_a_plugin_says_is_seen_and_what_it_prints_is_not(connected, capfd):
    script = "import sys; print('code ABC', file=sys.stderr); print('s3cr3t'); sys.exit(3)"
    with pytest.raises(NoCluster, match=r"failed \(exit code 3\)") as caught:
        connected(plugin(script))
    assert capfd.readouterr().err == "code ABC\n"
    assert "s3cr3t" not in caught.value.message + caught.value.next_step


# What cannot be used


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "no kubeconfig at", id="no file"),
        pytest.param("a: [", "not YAML", id="no YAML"),
        pytest.param("a: 2026-99-99", "not YAML", id="a date that is none"),
        pytest.param("!!timestamp x", "not YAML", id="a tag that does not fit"),
        pytest.param("[" * 5000, "not YAML", id="too deep"),
        pytest.param("just words", "not a kubeconfig", id="no mapping"),
        pytest.param("[1]", "not a kubeconfig", id="a list"),
        pytest.param("", "no current context", id="empty"),
        pytest.param("{}", "no current context", id="no context"),
        pytest.param("current-context: [1]", "no current context", id="a context that is a list"),
        pytest.param("current-context: x", "no context named x", id="an unknown context"),
        pytest.param(
            "{current-context: x, contexts: 5}", "contexts is not a list", id="contexts: 5"
        ),
        pytest.param(
            "{current-context: x, contexts: [{name: x, context: 5}]}",
            "not a mapping",
            id="context: 5",
        ),
        pytest.param(
            "{current-context: x, contexts: [7, {name: x}]}", "names no cluster", id="no cluster"
        ),
        pytest.param(
            "{current-context: x, contexts: [{name: x, context: {cluster: y}}]}",
            "no cluster named y",
            id="an unknown cluster",
        ),
    ],
)
def test_a_kubeconfig_of_no_use_is_told_in_a_sentence(tmp_path, text, words):
    path = tmp_path / "k"
    if text is not None:
        path.write_text(text)
    with pytest.raises(NoCluster, match=words) as caught:
        connect(str(path), None, None)
    assert str(path) in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"\xff\xfe\x00binary", "not a text file", id="binary"),
        pytest.param(b"\x00\x01", "not YAML", id="control characters"),
        pytest.param(b"\xef\xbb\xbf{}", "no current context", id="a byte order mark"),
    ],
)
def test_a_file_that_is_none(tmp_path, content, words):
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(NoCluster, match=words):
        connect(str(tmp_path / "k"), None, None)


@pytest.mark.parametrize("name", ["", "/x\0y", "x" * 5000])
def test_a_path_that_is_none(tmp_path, name):
    with pytest.raises(NoCluster, match="kubeconfig"):
        connect(str(tmp_path) + name, None, None)


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param({"server": server}, id=str(server))
        for server in (
            "",
            None,
            "https://[::1",
            "https://x:99999",
            "https://x:abc",
            "ftp://x",
            "//",
            "https://",
            "https://a b",
            "https://x\ny",
            ["x"],
            {"a": 1},
            "unix:///x",
            "https://" + "ü" * 99,
        )
    ]
    + [
        pytest.param({"insecure-skip-tls-verify": "false"}, id="a flag that is a text"),
        pytest.param({"certificate-authority-data": "%%%"}, id="no base64"),
        pytest.param({"certificate-authority-data": "é"}, id="not even ASCII"),
        pytest.param({"certificate-authority-data": [1]}, id="a list for data"),
        pytest.param({"certificate-authority": "gone"}, id="an authority that is gone"),
        pytest.param({"certificate-authority": "."}, id="an authority that is a folder"),
        pytest.param({"proxy-url": "nonsense"}, id="a proxy without a scheme"),
        pytest.param({"proxy-url": "http://[::1"}, id="a proxy that is no URL"),
        pytest.param({"proxy-url": 5}, id="a proxy that is a number"),
    ],
)
def test_a_cluster_of_no_use_is_told_in_a_sentence(connected, cluster):
    with pytest.raises(NoCluster, match="kubeconfig") as caught:
        connected(**cluster)
    assert "Traceback" not in caught.value.message
    assert caught.value.next_step


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("user", "words"),
    [
        pytest.param([], "not a mapping", id="a list"),
        pytest.param({"token": f"{SECRET}\n{SECRET}"}, "line break", id="a token of two lines"),
        pytest.param({"token": [SECRET]}, "token is not a text", id="a token that is a list"),
        pytest.param({"tokenFile": "gone"}, "tokenFile gone cannot be read", id="no token file"),
        pytest.param({"client-certificate": "gone"}, "cannot be read", id="no certificate"),
        pytest.param({"client-key-data": SECRET + "%"}, "not base64", id="a key that is no base64"),
        pytest.param({"client-certificate-data": "eA=="}, "no client-key", id="half a pair"),
        pytest.param({"as-groups": ["g"]}, "no `as`", id="groups of nobody"),
        pytest.param({"as": "a\r\nb: c"}, "line break", id="a header in a name"),
        pytest.param({"as": "a", "as-groups": "g"}, "not a list", id="groups that are a text"),
        pytest.param({"as": "a", "as-user-extra": [1]}, "not a mapping", id="extra: a list"),
        pytest.param({"exec": 5}, "exec is not a mapping", id="exec: 5"),
        pytest.param({"exec": {"args": ["x"]}}, "no command", id="no command"),
        pytest.param({"exec": {"command": "x", "args": 5}}, "args is not a list", id="args: 5"),
        pytest.param({"exec": {"command": "x", "env": 5}}, "env is not a list", id="env: 5"),
        pytest.param({"exec": {"command": "x", "env": [5]}}, "without a name", id="env: [5]"),
        pytest.param(
            {"exec": {"command": "true", "env": [{"name": "A"}]}}, "no login", id="no value"
        ),
        pytest.param({"exec": {"command": "true", "env": [{"name": "="}]}}, "started", id="env: ="),
        pytest.param(
            {"exec": {"command": "no-such", "installHint": "see\n the page"}},
            "not installed",
            id="gone",
        ),
        pytest.param({"exec": {"command": "/"}}, "Permission denied", id="a folder"),
        pytest.param({"exec": {"command": "false"}}, r"failed \(exit code 1\)", id="fails"),
        pytest.param(
            {"exec": {"command": "x", "interactiveMode": "Always"}},
            "needs a terminal",
            id="terminal",
        ),
        pytest.param(plugin(printing(None)), "neither a token", id="status: null"),
        pytest.param(plugin(printing([SECRET])), "neither a token", id="status: a list"),
        pytest.param(
            plugin(printing({"clientKeyData": SECRET})), "neither a token", id="a key alone"
        ),
        pytest.param(plugin(printing({"token": f"{SECRET}\n"})), "line break", id="two lines"),
        pytest.param(plugin(f"print('{SECRET}')"), "no login", id="prints words"),
        pytest.param(plugin("print('[' * 9999)"), "no login", id="prints nonsense"),
    ],
)
def test_a_user_of_no_use_is_told_in_a_sentence(connected, monkeypatch, user, words):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(NoCluster, match=words) as caught:
        connected(user)
    assert "kubeconfig" in caught.value.message
    assert SECRET not in caught.value.message + caught.value.next_step


def test_how_to_install_a_plugin_is_passed_on(connected):
    with pytest.raises(NoCluster) as caught:
        connected({"exec": {"command": "no-such", "installHint": "see\n  the page"}})
    assert caught.value.next_step == "see the page"


# Anything at all

KEYS = (
    *("current-context", "contexts", "clusters", "users", "name", "context", "cluster", "user"),
    *(
        "server",
        "namespace",
        "token",
        "exec",
        "command",
        "args",
        "env",
        "proxy-url",
        "as",
        "c",
        "u",
    ),
    *("as-user-extra", "client-key-data", "certificate-authority", "tls-server-name", "extensions"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["a", "c", "u", "https://x", "http://[::1", "/dev/null", "true"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=8,
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_kubeconfig_gives_a_connection_or_a_sentence(monkeypatch, tmp_path, data):
    monkeypatch.setattr(exec_plugin, "_run", lambda *_: b'{"status": {"token": "t"}}')
    shape = config()
    for section, key in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
        fields = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)
        if data.draw(st.booleans()):
            shape[section][0][key] |= data.draw(fields)
    shape |= data.draw(st.dictionaries(st.sampled_from(KEYS[:4]), VALUES, max_size=1))
    dump = data.draw(st.sampled_from([json.dumps, yaml.safe_dump]))
    (tmp_path / "k").write_text(dump(shape), "utf-8", "surrogatepass")
    outcome = connection_or_problem(tmp_path / "k")
    assert isinstance(outcome, Connection) or (outcome.message and outcome.next_step)


def connection_or_problem(path):
    try:
        return connect(str(path), None, None)
    except NoCluster as problem:
        return problem


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=60) | st.text(alphabet="{}[]:, -&*!|>\"'a\n\t", max_size=40))
def test_any_file_gives_a_sentence(tmp_path, content):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(NoCluster):
        connect(str(tmp_path / "k"), None, None)
