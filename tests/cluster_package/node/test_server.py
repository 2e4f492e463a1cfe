import http.server
import json
import ssl
import threading

import pytest

from cluster.node import certificates
from cluster.node.server import Server

CHANGES = [
    {"type": "ADDED", "object": {"n": 1}},
    {"type": "ERROR", "object": {"code": 410}},
    {"type": "ADDED", "object": {"n": 2}},
]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path; keeps what it was asked."""

    def do_GET(self):
        self.server.asked.append((self.command, self.path, self.headers["Content-Type"]))
        code, _, what = self.path.strip("/").partition("/")
        lines = CHANGES if "watch" in self.path else [{"message": f"no {what}"}]
        self.send_response(int(code))
        self.end_headers()
        self.wfile.write("".join(f"{json.dumps(line)}\n" for line in lines).encode())

    do_PATCH = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    certificates.ensure(folder, "node", "10.213.0.2", "10.96.0.1")
    return folder


@pytest.fixture
def api(pki):
    """An API server that wants a certificate of the cluster's own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
    context.verify_mode = ssl.CERT_REQUIRED
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    listening.asked = []
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield listening
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def server(api, pki):
    return Server("127.0.0.1", api.server_address[1], pki, "load-balancers")


def test_an_answer_is_an_object_and_a_patch_merges(server, api):
    assert server.ask("PATCH", "/200/x", {"a": 1}) == {"message": "no x"}
    assert api.asked == [("PATCH", "/200/x", "application/merge-patch+json")]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(404, FileNotFoundError, id="what is gone"),
        pytest.param(409, FileExistsError, id="another of that name"),
        pytest.param(403, OSError, id="anything else"),
    ],
)
def test_a_refusal_has_the_servers_sentence(server, status, error):
    with pytest.raises(error, match=f"GET /{status}/pods: {status} no pods$"):
        server.ask("GET", f"/{status}/pods")


def test_a_watch_ends_where_the_server_has_forgotten_its_beginning(server, api):
    assert list(server.watch("/200/watch", {"resourceVersion": "7"})) == [("ADDED", {"n": 1})]
    assert "resourceVersion=7" in api.asked[0][1]
