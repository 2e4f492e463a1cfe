import contextlib
import ssl

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cluster import paths
from cluster.node import certificates


def issue(folder, address="10.213.0.2"):
    certificates.ensure(folder, "node", address, "10.96.0.1")
    return folder


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def names(certificate):
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


def test_each_certificate_is_signed_by_its_own_authority(tmp_path):
    issue(tmp_path)
    for name, leaf in certificates.leaves("node", "10.213.0.2", "10.96.0.1").items():
        load(tmp_path / f"{name}.crt").verify_directly_issued_by(
            load(tmp_path / f"{leaf.signer}.crt")
        )


def test_a_strict_client_trusts_the_api_server(tmp_path):
    """As Python's are from 3.13 on."""
    folder = issue(tmp_path)
    strict = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "kube-apiserver.crt", folder / "kube-apiserver.key")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = strict.wrap_bio(back, there, server_hostname="127.0.0.1")
    server = serving.wrap_bio(there, back, server_side=True)
    for side in (client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    client.do_handshake()


def test_the_kubelet_is_a_node_and_nothing_more(tmp_path):
    subject = load(issue(tmp_path) / "kubelet.crt").subject
    who = [
        subject.get_attributes_for_oid(oid)[0].value
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    ]
    assert who == ["system:node:node", "system:nodes"]


def test_the_api_server_is_valid_under_every_name_that_clients_use(tmp_path):
    served = names(load(issue(tmp_path) / "kube-apiserver.crt"))
    assert {"10.213.0.2", "10.96.0.1", "127.0.0.1", "kubernetes.default.svc"} <= served


def test_metrics_server_is_valid_under_the_name_of_its_service(tmp_path):
    served = names(load(issue(tmp_path) / "metrics-server.crt"))
    assert "metrics-server.kube-system.svc" in served


def test_keys_and_kubeconfigs_are_readable_by_their_owner_alone(tmp_path):
    issue(tmp_path)
    private = [*tmp_path.glob("*.key"), *tmp_path.glob("*.kubeconfig")]
    assert private
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_nothing_is_issued_again_without_need(tmp_path):
    before = {path: path.read_bytes() for path in issue(tmp_path).iterdir()}
    assert {path: path.read_bytes() for path in issue(tmp_path).iterdir()} == before


def test_a_new_address_keeps_the_authority_and_the_service_accounts_key(tmp_path):
    kept = [tmp_path / name for name in ("ca.crt", "ca.key", "service-accounts.key")]
    issue(tmp_path)
    before = [path.read_bytes() for path in kept]
    issue(tmp_path, "10.213.9.2")
    assert [path.read_bytes() for path in kept] == before
    assert "10.213.9.2" in names(load(tmp_path / "kube-apiserver.crt"))


def interrupted_issue(monkeypatch, folder, address, whole_files):
    """Issue certificates, and stop after so many files. Returns: whether it came so far."""
    written = iter(range(whole_files))

    def stop(_):
        if next(written, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(paths, "to_disk", stop)
        try:
            issue(folder, address)
        except KeyboardInterrupt:
            return True
    return False


def everything_fits(folder, address):
    """Each certificate has its key and its authority, and the API server has the address."""
    for name, leaf in certificates.leaves("node", address, "10.96.0.1").items():
        certificate = load(folder / f"{name}.crt")
        certificate.verify_directly_issued_by(load(folder / f"{leaf.signer}.crt"))
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        assert key.public_key() == certificate.public_key(), name
    assert address in names(load(folder / "kube-apiserver.crt"))


def test_an_interruption_at_any_file_is_made_good_by_the_next_run(tmp_path, monkeypatch):
    files = 0
    while interrupted_issue(monkeypatch, tmp_path / str(files), "10.213.0.2", files):
        everything_fits(issue(tmp_path / str(files)), "10.213.0.2")
        files += 1
    assert files > 40


def test_an_interrupted_change_of_address_can_be_taken_back(tmp_path, monkeypatch):
    files = 0
    issue(tmp_path)
    while interrupted_issue(monkeypatch, tmp_path, "10.213.9.2", files):
        everything_fits(issue(tmp_path), "10.213.0.2")
        files += 1
    assert files > 30


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "etcd-ca.crt", "front-proxy-ca.key"])
@pytest.mark.parametrize("content", ["", "-----BEGIN CERT"])
def test_an_authority_that_cannot_be_read_is_made_again(tmp_path, name, content):
    (issue(tmp_path) / name).write_text(content)
    (tmp_path / "issued.json").unlink()
    everything_fits(issue(tmp_path), "10.213.0.2")


def test_an_authority_whose_key_is_anothers_is_made_again(tmp_path):
    other = issue(tmp_path / "other")
    (issue(tmp_path) / "ca.key").write_bytes((other / "ca.key").read_bytes())
    (tmp_path / "issued.json").unlink()
    everything_fits(issue(tmp_path), "10.213.0.2")


def test_a_kubeconfig_speaks_to_the_node_and_checks_who_answers(tmp_path):
    config = yaml.safe_load((issue(tmp_path) / "admin.kubeconfig").read_text())
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == "https://10.213.0.2:6443"
    assert "certificate-authority-data" in cluster
    assert "insecure-skip-tls-verify" not in cluster


def test_keys_are_elliptic_and_so_quick_to_make(tmp_path):
    key = load(issue(tmp_path) / "etcd.crt").public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
