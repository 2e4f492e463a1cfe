import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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


def test_a_kubeconfig_speaks_to_the_node_and_checks_who_answers(tmp_path):
    config = yaml.safe_load((issue(tmp_path) / "admin.kubeconfig").read_text())
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == "https://10.213.0.2:6443"
    assert "certificate-authority-data" in cluster
    assert "insecure-skip-tls-verify" not in cluster


def test_keys_are_elliptic_and_so_quick_to_make(tmp_path):
    key = load(issue(tmp_path) / "etcd.crt").public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
