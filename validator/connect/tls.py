"""TLS as the kubeconfig wants it. Imported for https alone: ssl takes some milliseconds."""

from __future__ import annotations

import os
import re
import socket
import ssl

from validator.connect.connection import Address, Connection, NoCluster

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----", re.DOTALL)


def context(connection: Connection) -> ssl.SSLContext:
    """Raises: NoCluster if the kubeconfig's certificates cannot be read."""
    try:
        made = ssl.create_default_context(cadata=_authorities(connection.authority))
        # As in Go: any certificate that the kubeconfig has is trusted, and old ones are.
        made.verify_flags &= ~ssl.VERIFY_X509_STRICT
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if connection.insecure:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        if connection.certificate and connection.key:
            _load_pair(made, connection.certificate, connection.key)
    except (ssl.SSLError, ValueError):
        raise NoCluster(
            f"the certificates in the kubeconfig cannot be read (context {connection.context})",
            "fetch the kubeconfig again, or name another with --kubeconfig FILE",
        ) from None
    except OSError as error:
        raise NoCluster(
            f"the client key needs a temporary file, and there is none: {error.strerror}",
            "set TMPDIR to a folder in which you can write",
        ) from None
    return made


def wrap(
    plain: socket.socket, made: ssl.SSLContext, address: Address, name: str | None
) -> ssl.SSLSocket:
    """Shake hands. A name in bytes spares the import of encodings.idna."""
    host: str | bytes = name or address.host
    host = host.encode() if isinstance(host, str) and host.isascii() else host
    return made.wrap_socket(plain, server_hostname=host)


def refused(error: OSError) -> bool:
    """Whether the server's certificate is the trouble: asking again cannot help."""
    return isinstance(error, ssl.SSLCertVerificationError)


def words(error: OSError) -> str:
    """What an error of TLS means, as a part of a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not fit the kubeconfig ({error.verify_message})"
    if isinstance(error, ssl.SSLEOFError):
        return "it closed the TLS connection without an answer"
    reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    if reason in ("wrong version number", "record layer failure"):
        return "it does not speak TLS: is the port right?"
    return f"the TLS connection failed ({reason})"


def _authorities(pem: bytes | None) -> str | None:
    """The certificates alone: tools write comments between them."""
    if not pem:
        return None
    found = b"\n".join(_CERTIFICATE.findall(pem)).decode("ascii")
    if not found:
        raise ValueError("no certificate")
    return found


def _load_pair(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """The ssl module reads a pair from a file only: one of mode 0600, for a moment.

    Without tempfile, which takes 3 ms to import.
    """
    folder = os.environ.get("TMPDIR") or "/tmp"
    path = os.path.join(folder, f"tfjob-workshop-{os.urandom(8).hex()}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate + b"\n" + key)
        # Without a password OpenSSL would ask for one on the terminal.
        made.load_cert_chain(path, password="")
    finally:
        os.unlink(path)
