"""GETs to the API server: in order, on one connection, and a plain sentence when they fail."""

import datetime as dt
import json
import os
import re
import signal
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.validator.api_server import RawServer, Reply, saying, serve, tunnel
from validator import api as api_module
from validator.api import METADATA_ONLY, Api, Ask
from validator.connect import http_connection
from validator.connect.connection import Connection, NoCluster
from validator.connect.http_message import Body, parse_head
from validator.kubeconfig import connect

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PODS, WATCH = "/api/v1/pods", "/api/v1/pods?watch=true"
NAMES = [f"/api/v1/pods/p{n}" for n in range(15)]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def impatient(monkeypatch):
    """For servers that are silent."""
    monkeypatch.setattr(http_connection, "SILENCE_SECONDS", 0.4)


@pytest.fixture
def server():
    with serve() as running:
        yield running


@pytest.fixture
def raw():
    servers = []

    def start(script):
        servers.append(RawServer(script))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


def api_for(url, **more):
    return Api(Connection(url, "here", "learner", "", **more))


def get(url, *paths, **more):
    return api_for(url, **more).fetch([Ask(path) for path in paths or (PODS,)])


# On one connection


def test_answers_come_in_order_on_one_connection(server):
    server.answers = {path: path for path in NAMES}
    api = api_for(server.url)
    for _ in range(2):
        assert [a.body.decode() for a in api.fetch([Ask(p) for p in NAMES])] == NAMES
    assert (server.connections, server.requests) == (1, 30)


def test_all_requests_are_sent_before_the_first_answer(raw):
    def answer_when_all_are_there(line, received):
        while received.count(b"GET ") < 15:
            received += line.recv(65536)
        line.sendall(OK * 15)

    server = raw(answer_when_all_are_there)
    assert [a.status for a in get(server.url, *NAMES)] == [200] * 15
    assert server.connections == 1


def test_more_than_fits_into_a_socket_is_sent_in_parts(server):
    asks = [Ask(f"{PODS}?x={'x' * 4000}")] * 40
    assert [a.status for a in api_for(server.url).fetch(asks)] == [200] * 40
    assert server.connections == 1


def test_a_server_that_closes_after_each_answer_is_asked_on(raw):
    server = raw(saying(OK))
    assert [a.body for a in get(server.url, *NAMES)] == [b"ok"] * 15
    assert server.connections == 15


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(raw):
    server = raw(saying(OK, b""))
    api = api_for(server.url)
    assert [api.fetch([Ask(PODS)])[0].status for _ in range(3)] == [200] * 3


# What an answer is


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(OK, b"ok", id="with a length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n"
            b"0\r\nTrailer: x\r\n\r\n",
            b"abcde",
            id="in chunks, with an extension and a trailer",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end", id="until it closes"),
        pytest.param(b"HTTP/1.0 200\r\nContent-Length: 1\r\n\r\nx", b"x", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok", id="after an interim answer"),
    ],
)
def test_a_body_is_read_however_it_is_framed(raw, answer, body):
    (whole,) = get(raw(saying(answer)).url)
    assert (whole.status, whole.body, read_byte_by_byte(answer)) == (200, body, body)


def read_byte_by_byte(answer):
    buffer, taken, framed = bytearray(), b"", None
    for n in range(len(answer)):
        buffer += answer[n : n + 1]
        head = None if framed else parse_head(buffer)
        framed = Body(head) if head else framed
        taken += framed.take(buffer) if framed else b""
    framed.closed()
    return taken


def test_a_refusal_is_told_in_the_apis_words(server):
    server.default = 403
    (answer,) = get(server.url)
    assert (answer.status, answer.message, answer.is_status) == (403, "refused with 403", True)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        pytest.param(403, "no entry here\x1b[2J", "HTTP 403: no entry here [2J", id="plain text"),
        pytest.param(502, "<html>Bad gateway</html>", "HTTP 502", id="a page"),
        pytest.param(500, '{"message": "x"}', "HTTP 500", id="JSON of something else"),
        pytest.param(404, "[" * 100_000, "HTTP 404", id="JSON that is too deep"),
    ],
)
def test_what_a_backend_says_is_not_taken_for_the_apis(server, status, body, message):
    server.default = Reply(status, body)
    (answer,) = get(server.url)
    assert (answer.status, answer.message, answer.is_status) == (status, message, False)


def test_a_body_is_cut_at_its_bound_and_what_follows_still_comes(server):
    server.answers = {"/a": "x" * 1000, "/b": "y" * 1000, "/c": "z" * 5_000_000, "/d": "end"}
    asks = [
        Ask("/a", most_bytes=10),
        Ask("/b", most_bytes=1000),
        Ask("/c", most_bytes=10),
        Ask("/d"),
    ]
    answers = api_for(server.url).fetch(asks)
    assert [(len(a.body), a.cut) for a in answers] == [
        (10, True),
        (1000, False),
        (10, True),
        (3, False),
    ]


def test_a_body_without_an_end_is_cut(raw):
    def flood(line, _):
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)

    (answer,) = api_for(raw(flood).url).fetch([Ask(PODS, most_bytes=100)])
    assert answer.cut
    assert answer.body == b"x" * 100


def test_the_servers_clock_is_known(raw):
    dated = OK.replace(b"\r\nC", b"\r\nDate: Wed, 25 Nov 2026 20:29:06 GMT\r\nC")
    api = api_for(raw(saying(dated)).url)
    assert api.server_time is None
    api.fetch([Ask(PODS)])
    assert api.server_time == dt.datetime(2026, 11, 25, 20, 29, 6, tzinfo=dt.UTC)


# When there is no good answer


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(saying(9.0), "does not answer within", id="silent"),
        pytest.param(saying(b"HTTP/1.1 20", 9.0), "does not answer within", id="silent midway"),
        pytest.param(saying(b"a: b\r\n\r\n"), "not HTTP", id="headers without a status line"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n", 0.1] * 9), "too slowly", id="dripping"
        ),
        pytest.param(saying(), "closed the connection", id="closes at once"),
        pytest.param(saying(b"SSH-2.0-OpenSSH\r\n", 9.0), "not HTTP", id="another protocol"),
        pytest.param(saying(b"HTTP/1.1 2oo OK\r\n\r\n"), "not HTTP", id="a status of letters"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000), "too long", id="headers"
        ),
        pytest.param(saying(b"HTTP/1.1 200 " + b"x" * 99_999), "too long", id="a status line"),
        pytest.param(
            saying(OK.replace(b"Length: 2", b"Length: 20")), "in the middle", id="a cut body"
        ),
        pytest.param(saying(OK.replace(b"2\r\n\r\n", b"-2\r\n\r\n")), "length", id="length -2"),
        pytest.param(saying(OK.replace(b"2\r\n\r\n", b"9" * 99 + b"\r\n\r\n")), "length", id="9…9"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
            "length",
            id="a coding that was not asked for",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx"),
            "chunks",
            id="a chunk of -1",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 9999),
            "chunks",
            id="a chunk size without an end",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n"),
            "chunks",
            id="a chunk that is longer than it says",
        ),
        pytest.param(
            saying(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 20_000
            ),
            "trailers",
            id="trailers",
        ),
    ],
)
def test_a_hostile_server_is_told_in_a_sentence_and_soon(raw, impatient, script, words):
    server, before = raw(script), time.monotonic()
    answers = get(server.url, *NAMES)
    assert {(a.status, a.body) for a in answers} == {(0, b"")}
    assert all(words in a.message for a in answers), answers[0].message
    assert server.connections <= 2
    assert time.monotonic() - before < 5


def test_nobody_listening_is_asked_once(raw):
    server = raw(saying())
    server.close()
    (answer,) = get(server.url)
    assert (answer.status, answer.message) == (0, f"nothing listens at {server.url}")


def test_a_name_that_nobody_knows():
    (answer,) = get("http://no-such-host.invalid")
    assert answer.message == "the name no-such-host.invalid is not known (DNS)"


def test_one_path_that_hangs_does_not_take_the_others_with_it(raw, impatient):
    def hang_at_p3(line, received):
        for request in received.split(b"\r\n\r\n")[:-1]:
            time.sleep(9 if b"/p3 " in request else 0)
            line.sendall(OK)

    assert [a.status for a in get(raw(hang_at_p3).url, *NAMES)] == [200] * 3 + [0] + [200] * 11


def test_control_c_ends_at_once_on_a_silent_server(raw):
    url, before = raw(saying(20.0)).url, time.monotonic()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        get(url)
    assert time.monotonic() - before < 5


def busy(*replies):
    return iter(replies).__next__


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_wants(server, monkeypatch, status):
    slept = []
    monkeypatch.setattr(api_module.time, "sleep", slept.append)
    later = Reply(status, "", {"Retry-After": "2"})
    server.answers = {"/a": busy(later, later, "yes"), "/b": "at once"}
    answers = get(server.url, "/a", "/b")
    assert [a.body for a in answers] == [b"yes", b"at once"]
    assert (slept, server.requests) == ([2.0, 2.0], 4)


@pytest.mark.parametrize(
    ("reply", "requests", "seconds"),
    [
        pytest.param(Reply(429, "", {"Retry-After": "1"}), 4, 3.0, id="three more tries"),
        pytest.param(Reply(429, "", {"Retry-After": "3"}), 3, 6.0, id="8 seconds in all"),
        pytest.param(Reply(429, "", {"Retry-After": "60"}), 1, 0, id="not for a minute"),
        pytest.param(Reply(503, "<html>"), 4, 1.5, id="a load balancer without a server"),
        pytest.param(
            Reply(503, '{"kind":"Status","message":"no endpoints"}'),
            1,
            0,
            id="no Pod behind a Service",
        ),
        pytest.param(500, 1, 0, id="another error"),
    ],
)
def test_patience_is_bounded(server, monkeypatch, reply, requests, seconds):
    slept = []
    monkeypatch.setattr(api_module.time, "sleep", slept.append)
    server.default = reply
    assert get(server.url)[0].status >= 429
    assert (server.requests, sum(slept)) == (requests, seconds)


# Who asks


def test_login_and_impersonation_are_sent(server, tmp_path):
    user = {
        "username": "ann",
        "password": "p:w",
        "as": "bob",
        "as-groups": ["g1", "g2"],
        "as-user-extra": {"acme/Team": ["x"]},
    }
    connection = connect(str(server.kubeconfig(tmp_path, **user)), None, None)
    assert Api(connection).fetch([Ask(PODS)])[0].status == 200
    (head,) = server.heads
    assert head["Authorization"] == "Basic YW5uOnA6dw=="
    assert (head["Impersonate-User"], head.get_all("Impersonate-Group")) == ("bob", ["g1", "g2"])
    assert head["Impersonate-Extra-acme%2FTeam"] == "x"
    assert "p:w" not in repr(connection)


def test_a_token_that_was_renewed_is_read_again(server, tmp_path):
    (tmp_path / "token").write_text("old\n")
    path = server.kubeconfig(tmp_path, tokenFile="token")
    api = Api(connect(str(path), None, None))
    server.answers = {PODS: busy(401, "welcome")}
    (tmp_path / "token").write_text("new\n")
    assert api.fetch([Ask(PODS)])[0].body == b"welcome"
    assert [head["Authorization"] for head in server.heads] == ["Bearer old", "Bearer new"]


def test_a_login_that_cannot_change_is_refused_once(server):
    server.default = 401
    assert get(server.url, token="t")[0].status == 401
    assert server.requests == 1


def test_the_path_of_the_server_stands_before_every_path(server):
    assert get(f"{server.url}/k8s/clusters/c-1")[0].status == 200
    assert server.seen[0][0] == f"/k8s/clusters/c-1{PODS}"


def test_a_path_cannot_add_a_header(server):
    get(server.url, "/a b\r\nX: y")
    assert server.seen[0][1] == "/a%20b%0D%0AX:%20y"


@pytest.mark.parametrize(
    "url",
    ["", "no url", "ftp://x", "https://[::1", "https://x:99999", "https://x:abc", "https://a\nb"],
)
def test_an_address_of_no_use_is_no_cluster(url):
    with pytest.raises(NoCluster, match="not a usable URL"):
        api_for(url)


# TLS


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.certificate = self._issue("test-ca", None)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def _issue(self, name, names):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if names is None else self.certificate.subject
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), 1000)
        builder = builder.not_valid_before(now - dt.timedelta(hours=1))
        builder = builder.not_valid_after(now + dt.timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(names is None, None), True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return key, builder.sign(key if names is None else self.key, hashes.SHA256())

    def pair(self, name, *names):
        """(certificate, key), both PEM."""
        key, certificate = self._issue(name, names)
        pkcs8 = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        return (
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(serialization.Encoding.PEM, pkcs8, plain),
        )

    def server(self, *names):
        """A server's TLS that wants a client certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = self.folder / "pair.pem"
        path.write_bytes(b"".join(self.pair("server", *names)))
        context.load_cert_chain(path)
        context.load_verify_locations(cadata=self.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_server(authority):
    """One whose certificate says that it is api.test."""
    with serve(authority.server(x509.DNSName("api.test"))) as running:
        yield running


def test_a_client_certificate_and_a_server_name_are_used(authority):
    context = authority.server(x509.DNSName("api.test"))
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = authority.pair("ann")
    with serve(context) as running:
        known = {"authority": authority.pem, "server_name": "api.test"}
        answers = get(running.url, *NAMES, certificate=certificate, key=key, **known)
        assert [a.status for a in answers] == [200] * 15
        (without,) = get(running.url, **known)
        assert without.status == 0
        assert re.search("certificate required|closed the (TLS )?connection", without.message)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({}, "Hostname mismatch|IP address mismatch", id="another name"),
        pytest.param({"server_name": "x.test"}, "Hostname mismatch", id="another server name"),
        pytest.param({"authority": None}, "self-signed certificate", id="no authority"),
        pytest.param({"server_name": "." * 3}, "tls-server-name", id="a server name of no use"),
    ],
)
def test_a_certificate_that_does_not_fit_is_told(tls_server, authority, more, words):
    (answer,) = get(tls_server.url, **{"authority": authority.pem, **more})
    assert answer.status == 0
    assert re.search(words, answer.message), answer.message


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"insecure": True, "authority": None}, id="insecure"),
        pytest.param({"server_name": "api.test"}, id="the server name of the kubeconfig"),
    ],
)
def test_what_the_kubeconfig_trusts_is_trusted(tls_server, authority, more):
    pem = b"# Autorit\xc3\xa9\n" + authority.pem
    assert get(tls_server.url, **{"authority": pem, **more})[0].status == 200


def test_the_servers_own_certificate_can_be_the_authority(authority):
    context = authority.server(x509.DNSName("api.test"))
    own = (authority.folder / "pair.pem").read_bytes()
    with serve(context) as running:
        assert get(running.url, authority=own, server_name="api.test")[0].status == 200


def test_a_server_without_tls_is_told(server):
    (answer,) = get(server.url.replace("http:", "https:"))
    assert "does not speak TLS" in answer.message


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"authority": b"nonsense"}, id="an authority that is none"),
        pytest.param(
            {"authority": b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"}, id="PEM"
        ),
        pytest.param({"certificate": b"x", "key": b"y"}, id="a pair that is none"),
    ],
)
def test_certificates_that_cannot_be_read_are_no_cluster(more):
    with pytest.raises(NoCluster, match="certificates in the kubeconfig cannot be read"):
        api_for("https://127.0.0.1:1", **more)


# Proxies


def test_a_proxy_tunnels_to_a_tls_server(tls_server, authority, raw):
    proxy = raw(tunnel)
    known = {"authority": authority.pem, "server_name": "api.test"}
    url = proxy.url.replace("//", "//ann:p%20w@")
    assert [a.status for a in get(tls_server.url, *NAMES, proxy=url, **known)] == [200] * 15
    assert proxy.connections == 1
    assert b"Proxy-Authorization: Basic YW5uOnAgdw==\r\n" in proxy.received[0]


def test_a_proxy_passes_plain_requests_on(raw):
    proxy = raw(saying(OK))
    assert get("http://api.test:81", proxy=proxy.url)[0].status == 200
    assert proxy.received[0].startswith(b"GET http://api.test:81/api/v1/pods HTTP/1.1\r\n")
    assert b"\r\nHost: api.test:81\r\n" in proxy.received[0]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(saying(b"HTTP/1.1 407 No\r\n\r\n"), r"wants a login \(HTTP 407\)", id="407"),
        pytest.param(saying(b"HTTP/1.1 502 No\r\n\r\n"), r"refuses to connect", id="502"),
        pytest.param(saying(), "closed the connection", id="closes"),
        pytest.param(saying(9.0), "does not answer", id="silent"),
    ],
)
def test_a_proxy_that_refuses_is_named_without_its_password(raw, impatient, script, words):
    proxy = raw(script)
    url = proxy.url.replace("//", "//ann:s3cr3t@")
    (answer,) = get("https://api.test", proxy=url)
    assert answer.status == 0
    assert re.search(f"the proxy {proxy.url} {words}", answer.message)


# Streams


def follow(api, path=WATCH, until=lambda stream, lines: stream.ended):
    """All lines until the stream ends."""
    stream, lines, limit = api.stream(path), [], time.monotonic() + 5
    while not until(stream, lines) and time.monotonic() < limit:
        for ready in api.wait([stream], 0.5):
            lines += ready.lines()
    return stream, lines


def test_a_watch_gives_events_as_they_come_and_ends(server):
    api = api_for(server.url)
    server.tell(PODS, {"type": "ADDED"})
    stream, lines = follow(api, until=lambda _, lines: lines)
    assert (json.loads(lines[0]), stream.status, stream.ended) == ({"type": "ADDED"}, 200, False)
    assert (api.wait([stream], 0.05), stream.lines()) == ([], [])
    server.tell(PODS, {"n": 1}, {"n": 2})
    server.end(PODS)
    rest = []
    while not stream.ended:
        assert api.wait([stream], 2) == [stream]
        rest += stream.lines()
    assert [json.loads(line)["n"] for line in rest] == [1, 2]
    assert (stream.message, stream.lines()) == ("", [])
    assert server.seen == [(PODS, WATCH, "application/json")]


def test_several_streams_are_waited_for_while_lists_are_fetched(server):
    api = api_for(server.url)
    one, two = api.stream(WATCH), api.stream("/api/v1/events?watch=true")
    server.tell("/api/v1/events", "hello")
    ready = []
    while two not in ready:
        ready = api.wait([one, two], 2)
        one.lines()
    assert api.fetch([Ask(PODS)])[0].status == 200
    lines = two.lines()
    while not lines:
        api.wait([two], 2)
        lines = two.lines()
    assert lines == [b"hello"]
    for stream in (one, two):
        stream.close()
        stream.close()
    assert server.connections == 3


def test_a_watch_over_tls(tls_server, authority):
    tls_server.tell(PODS, *map(str, range(2000)))
    tls_server.end(PODS)
    api = api_for(tls_server.url, authority=authority.pem, server_name="api.test")
    assert follow(api)[1] == [b"%d" % n for n in range(2000)]


@pytest.mark.parametrize("status", [401, 403, 410, 429])
def test_a_watch_that_is_refused_ends_with_the_apis_words(server, status):
    server.answers = {PODS: status}
    stream, lines = follow(api_for(server.url))
    assert (stream.status, stream.message, lines) == (status, f"refused with {status}", [])


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "status", "lines", "words"),
    [
        pytest.param(
            saying(CHUNKED + b"4\r\na\nb\n\r\n"), 200, [b"a", b"b"], "middle", id="broken off"
        ),
        pytest.param(saying(CHUNKED + b"3\r\na\nb\r\n"), 200, [b"a"], "middle", id="in mid-line"),
        pytest.param(
            saying(CHUNKED, b"3\r\na\nb\r\n0\r\n\r\n"), 200, [b"a", b"b"], "", id="no last LF"
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\n\r\na\n", 0.1, b"b"), 200, [b"a", b"b"], "", id="plain"
        ),
        pytest.param(saying(), 0, [], "without an answer", id="closed"),
        pytest.param(saying(b"nonsense"), 0, [], "not HTTP", id="nonsense"),
        pytest.param(saying(CHUNKED + b"x\r\n"), 200, [], "chunks", id="nonsense in the body"),
    ],
)
def test_a_stream_that_breaks_says_so_and_keeps_whole_lines(raw, script, status, lines, words):
    stream, got = follow(api_for(raw(script).url))
    assert (stream.status, got) == (status, lines)
    assert words in stream.message
    assert bool(words) == bool(stream.message)


def test_a_line_without_an_end_is_not_kept(raw, monkeypatch):
    monkeypatch.setattr("validator.connect.stream.MOST_LINE_BYTES", 1000)
    stream, lines = follow(api_for(raw(saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 9999, 9.0)).url))
    assert (lines, stream.message) == ([], "a line is too long")


def test_a_stream_to_nobody_has_ended(raw):
    server = raw(saying())
    server.close()
    api = api_for(server.url)
    stream = api.stream(WATCH)
    assert (stream.ended, stream.status, api.wait([stream], None)) == (True, 0, [stream])
    assert "nothing listens" in stream.message


# By kubectl

KUBECTL = """#!/bin/sh
echo "$KUBECONFIG $*" >> "$CALLS"
case "$2" in
*pods*watch*) echo '{"n": 1}'; echo '{"n": 2}';;
*secrets) echo '{"items": [{"metadata": {"name": "s", "annotations": {"a": "b",
  "kubectl.kubernetes.io/last-applied-configuration": "s3cr3t"}}, "data": {"k": "s3cr3t"}}]}';;
*pods) echo '{"items": []}';;
*big) yes | head -c 1000000;;
*jobs*) echo 'Error from server (Forbidden): jobs is forbidden' >&2; exit 1;;
*nodes) echo 'error: You must be logged in to the server (Unauthorized)' >&2; exit 1;;
*) echo 'Unable to connect to the server: x' >&2; exit 1;;
esac
"""


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """A kubectl that writes down how it was called. Gives: an Api that uses it."""
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return api_for("https://x", by_kubectl="its proxy is a socks5 proxy", user="u")


def test_kubectl_answers_where_only_kubectl_can(kubectl, tmp_path):
    asks = [Ask(PODS), Ask("/jobs"), Ask("/nodes"), Ask("/gone"), Ask("/big", most_bytes=5)]
    answers = kubectl.fetch(asks)
    assert [(a.status, a.message) for a in answers] == [
        (200, ""),
        (403, "jobs is forbidden"),
        (401, "Unauthorized"),
        (0, "kubectl failed: Unable to connect to the server: x"),
        (200, ""),
    ]
    assert (answers[4].body, answers[4].cut) == (b"y\ny\ny", True)
    call = (tmp_path / "calls").read_text().splitlines()
    assert f" get --raw={PODS} --context=here --request-timeout=10s" in call


def test_without_an_accept_header_secrets_are_stripped(kubectl):
    (answer,) = kubectl.fetch([Ask("/secrets", METADATA_ONLY)])
    assert json.loads(answer.body) == {
        "items": [{"metadata": {"name": "s", "annotations": {"a": "b"}}}]
    }
    (answer,) = kubectl.fetch([Ask("/secrets", METADATA_ONLY.replace("List", ""))])
    assert json.loads(answer.body) == {"metadata": None}
    assert kubectl.fetch([Ask("/big", METADATA_ONLY)])[0].status == 0


def test_kubectl_follows_a_watch(kubectl):
    stream, lines = follow(kubectl)
    assert (lines, stream.status, stream.message) == ([b'{"n": 1}', b'{"n": 2}'], 200, "")
    stream, lines = follow(kubectl, "/jobs?watch=true")
    assert (lines, stream.status, stream.message) == ([], 403, "jobs is forbidden")


def test_without_kubectl_there_is_no_cluster(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCluster, match=r"only kubectl can reach .* not on PATH"):
        api_for("https://x", by_kubectl="its proxy is a socks5 proxy")
