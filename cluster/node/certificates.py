"""A certificate authority of the cluster's own, a certificate for each component, kubeconfigs.

`lifecycle.start` calls `ensure()`; nothing here knows about processes. Every component
proves who it is and may do what RBAC and the Node authoriser let it, as kubeadm has it.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster import files

LIFETIME_DAYS = 3650
PRIVATE = 0o600
NOT_ENCRYPTED = serialization.NoEncryption()


@dataclass(frozen=True)
class Leaf:
    """A certificate to issue: who it stands for, and the addresses it serves, if any."""

    common_name: str
    organisation: str = ""
    names: tuple[str, ...] = ()
    signer: str = "ca"


@dataclass(frozen=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate = field(repr=False)


# Components that talk to the API server, by the file name of their kubeconfig.
CLIENTS = {
    "admin": Leaf("workshop-admin", "system:masters"),
    "kube-controller-manager": Leaf("system:kube-controller-manager"),
    "kube-scheduler": Leaf("system:kube-scheduler"),
    "kube-proxy": Leaf("system:kube-proxy"),
    "node-addons": Leaf("workshop:node-addons"),
    "load-balancers": Leaf("workshop:load-balancers"),
    # Also what it serves with, under the name of its Service.
    "metrics-server": Leaf(
        "workshop:metrics-server",
        names=("metrics-server.kube-system.svc", "metrics-server.kube-system"),
    ),
}


def leaves(node_name: str, node_address: str, service_address: str) -> dict[str, Leaf]:
    """Every certificate of a cluster by file name; the addresses are the node's and the API's."""
    api_names = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        "127.0.0.1",
        node_address,
        service_address,
    )
    return {
        **CLIENTS,
        "kubelet": Leaf(f"system:node:{node_name}", "system:nodes", (node_name, node_address)),
        "kube-apiserver": Leaf("kube-apiserver", names=api_names),
        "kube-apiserver-kubelet": Leaf("kube-apiserver-kubelet-client", "system:masters"),
        "etcd": Leaf("etcd", names=("localhost", "127.0.0.1"), signer="etcd-ca"),
        "kube-apiserver-etcd": Leaf("kube-apiserver-etcd-client", signer="etcd-ca"),
        "front-proxy": Leaf("front-proxy-client", signer="front-proxy-ca"),
    }


def ensure(folder: Path, node_name: str, node_address: str, service_address: str) -> None:
    """Write what is missing into `folder`; a new address renews the certificates, not the CAs.

    The node then keeps its service accounts' tokens, which Pods hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = leaves(node_name, node_address, service_address)
    issued = json.dumps({name: leaf.__dict__ for name, leaf in wanted.items()}, default=list)
    stamp = folder / "issued.json"
    if stamp.exists() and stamp.read_text() == issued:
        return
    # Until all is written, no stamp: an interruption leaves certificates of two addresses.
    stamp.unlink(missing_ok=True)
    authorities = {name: _authority(folder, name) for name in ("ca", "etcd-ca", "front-proxy-ca")}
    for name, leaf in wanted.items():
        _issue(folder, name, leaf, authorities[leaf.signer])
    _service_account_key(folder)
    for name in (*CLIENTS, "kubelet"):
        write_kubeconfig(folder, name, f"https://{node_address}:6443")
    files.write(stamp, issued)


def write_kubeconfig(folder: Path, name: str, server: str) -> Path:
    """A kubeconfig for one client with everything inside; mode 0600."""

    def embedded(path: str) -> str:
        return base64.b64encode((folder / path).read_bytes()).decode()

    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "workshop",
                "cluster": {"server": server, "certificate-authority-data": embedded("ca.crt")},
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": embedded(f"{name}.crt"),
                    "client-key-data": embedded(f"{name}.key"),
                },
            }
        ],
        "contexts": [
            {
                "name": "workshop",
                "context": {"cluster": "workshop", "user": name, "namespace": "default"},
            }
        ],
        "current-context": "workshop",
    }
    path = folder / f"{name}.kubeconfig"
    # JSON is YAML, too, and is read without a YAML parser: the validator starts sooner.
    files.write(path, json.dumps(config, indent=2), PRIVATE)
    return path


def _authority(folder: Path, name: str) -> Authority:
    """The authority that is there; a new one if there is none, or none that can be read."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        kept = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        if isinstance(kept, ec.EllipticCurvePrivateKey) and (
            kept.public_key() == certificate.public_key()
        ):
            return Authority(kept, certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"workshop-{name}")])
    usage = x509.KeyUsage(True, False, True, False, False, True, True, False, False)
    certificate = (
        _builder(subject, subject, key, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_pair(folder, name, key, certificate)
    return Authority(key, certificate)


def _issue(folder: Path, name: str, leaf: Leaf, authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name)]
    if leaf.organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, leaf.organisation))
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(x509.Name(attributes), authority.certificate.subject, key, authority.key)
    if leaf.names:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        names = x509.SubjectAlternativeName([_general_name(n) for n in leaf.names])
        builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    _write_pair(folder, name, key, builder.sign(authority.key, hashes.SHA256()))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    """What all have. Python trusts nobody without both identifiers, from 3.13 on."""
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signers = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    # An hour into the past: a laptop's clock may be set back after sleep.
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=LIFETIME_DAYS))
        .add_extension(own, critical=False)
        .add_extension(signers, critical=False)
    )


def _service_account_key(folder: Path) -> None:
    """The key that signs service accounts' tokens; kept for the life of the cluster."""
    if (folder / "service-accounts.key").exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    files.write(folder / "service-accounts.pub", public)
    files.write(folder / "service-accounts.key", _pem(key), PRIVATE)


def _write_pair(
    folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    files.write(folder / f"{name}.key", _pem(key), PRIVATE)
    files.write(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, NOT_ENCRYPTED)
