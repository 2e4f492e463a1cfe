"""Who took a snapshot, of which cluster, with which checkout."""

import datetime
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.validator import world
from tests.validator.api_server import serve
from validator.handin import identity
from validator.handin.whitelist import whitelisted
from validator.kubeconfig import connect
from validator.progress import digest
from validator.redaction import redact

UID = "bf7c1109-d502-4893-8234-120dacac888d"
NAMESPACE = json.dumps({"metadata": {"name": "kube-system", "uid": UID}})
WHOAMI = json.dumps({"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "ann"}}})


def certificate(*names):
    """A client certificate (PEM) of these common names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    now = datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH that has these programs alone; each is a script of the shell."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def have(**scripts):
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)

    monkeypatch.setenv("PATH", str(folder))
    return have


@pytest.fixture
def cluster(tmp_path):
    """An API server, and a connection to it as the user entry "u"."""
    with serve() as api:
        api.answers = {identity.CLUSTER: NAMESPACE, identity.VERSION: '{"gitVersion": "v1.37.2"}'}
        yield api, connect(str(api.kubeconfig(tmp_path, token="t")), None, None)


def test_all_that_can_be_told_is(cluster, programs):
    _, connection = cluster
    programs(kubectl=f"echo '{WHOAMI}'")
    who = identity.identify(connection, {}, "Ann")
    version = who.pop("checkout")
    assert version.startswith("1.0.0")
    assert who == {
        "user": "ann",
        "cluster": UID,
        "python": ".".join(map(str, sys.version_info[:3])),
        "kubernetes": "v1.37.2",
        "name": "Ann",
    }


def test_the_name_in_the_certificate_comes_first(cluster, programs):
    _, connection = cluster
    programs(kubectl=f"echo '{WHOAMI}'")
    known = replace(connection, certificate=certificate("ben"))
    assert identity.identify(known, {})["user"] == "ben"


@pytest.mark.parametrize("script", ["exit 1", "echo no JSON", "echo '[]'", "echo '{}'; exit 1"])
def test_where_nobody_says_who_it_is_the_users_entry_does(cluster, programs, script):
    _, connection = cluster
    programs(kubectl=script)
    assert identity.identify(connection, {})["user"] == "u"


def test_without_kubectl_the_users_entry_says_who(cluster, programs):
    _, connection = cluster
    assert identity.identify(connection, {})["user"] == "u"


def test_kubectl_is_asked_about_the_same_context(cluster, programs):
    _, connection = cluster
    programs(kubectl='[ "$1 $KUBECONFIG" = "--context=here ' + connection.files + '" ] && echo '
             f"'{WHOAMI}'")  # fmt: skip
    assert identity.identify(connection, {})["user"] == "ann"


@pytest.mark.parametrize("answer", [403, 404, "<html>", "[]", '{"metadata": 5}'])
def test_what_may_not_be_read_is_empty_and_stops_nothing(cluster, programs, answer):
    api, connection = cluster
    api.answers = {identity.CLUSTER: answer, identity.VERSION: answer}
    who = identity.identify(connection, {})
    assert (who["cluster"], who["kubernetes"]) == ("", "")


def test_a_cluster_that_has_gone_since_stops_nothing(tmp_path, programs):
    with serve() as api:
        connection = connect(str(api.kubeconfig(tmp_path)), None, None)
    assert identity.identify(connection, {})["cluster"] == ""


@pytest.mark.parametrize(
    ("pem", "name"),
    [
        pytest.param(None, "", id="no certificate"),
        pytest.param(b"not one", "", id="no PEM"),
        pytest.param(certificate(), "", id="no name"),
        pytest.param(certificate("ann"), "ann", id="a name"),
        pytest.param(certificate("ann") + certificate("ca"), "ann", id="a chain"),
        pytest.param(certificate("system:anne é"), "system:anne é", id="letters of any kind"),
    ],
)
def test_the_user_of_a_certificate(pem, name):
    assert identity.user_of(pem) == name


# The checkout


def git(folder, *arguments):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    command = ["git", *who, "-C", str(folder), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "checkout"
    made.mkdir()
    (made / "pyproject.toml").write_text('[project]\nversion = "2.3"\n')
    return made


def test_a_checkout_has_its_version_and_its_commit(folder):
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=x")
    assert identity.checkout(folder) == f"2.3+{git(folder, 'rev-parse', '--short', 'HEAD')}"


def test_a_zip_has_its_version_alone_even_within_another_repository(folder):
    git(folder.parent, "init", "--quiet")
    git(folder.parent, "commit", "--quiet", "--allow-empty", "--message=x")
    assert identity.checkout(folder) == "2.3"


def test_a_repository_without_a_commit_or_a_git_has_its_version(folder, programs):
    (folder / ".git").write_text("gitdir: /nowhere\n")
    assert identity.checkout(folder) == "2.3"


@pytest.mark.parametrize("written", ["", "not [ TOML", "project = 5", "[project]\n"])
def test_a_project_without_a_version_has_none(folder, written):
    (folder / "pyproject.toml").write_text(written)
    assert identity.checkout(folder) == ""


# The digest


def written():
    """A file's data as the command ``snapshot`` writes them, and as they are loaded again."""
    data = redact(whitelisted(world.done()))
    data["identity"] = {"user": "ann", "digest": digest(data)}
    return json.loads(json.dumps(data, indent=1))


def test_a_file_that_arrived_as_it_was_written_matches_its_digest():
    assert identity.digest_matches(written()) is True


def test_a_file_that_was_changed_does_not():
    changed = written()
    changed["objects"]["tfjobs"][0]["status"]["state"] = "Failed"
    assert identity.digest_matches(changed) is False


@pytest.mark.parametrize("given", [None, {}, {"digest": ""}, {"digest": 5}, [], "x"])
def test_a_file_without_a_digest_says_nothing(given):
    assert identity.digest_matches({**written(), "identity": given}) is None


def test_cryptography_is_imported_only_where_it_is_needed():
    program = "import sys, validator.handin.identity; sys.exit('cryptography' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=identity.CHECKOUT)
