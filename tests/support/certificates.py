# SPDX-License-Identifier: Apache-2.0
"""Certificates made for a test, and a server that shows one."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Heads = list[tuple[str, dict[str, str]]]
"""Path and headers of each request."""

ADDRESSES = ("127.0.0.1", "0.0.0.0")  # noqa: S104 - nobody listens there
HOSTS = ("api.test", "www.api.test", "localhost")


def write_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a certificate for this machine and its key, and return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(tz=UTC)
    names = [*(x509.IPAddress(ip_address(one)) for one in ADDRESSES), *map(x509.DNSName, HOSTS)]
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


def hashed_folder(folder: Path, *certificates: Path) -> Path:
    """Make a folder of certificates under the names by which OpenSSL finds them, as `c_rehash` does."""
    folder.mkdir()
    for certificate in certificates:
        (folder / certificate.name).write_bytes(certificate.read_bytes())
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    return folder


class Account(BaseHTTPRequestHandler):
    """Answers with an account, and notes the heads of requests."""

    heads: Heads
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.heads.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        body = b'{"entity": {"available": "12.34", "currency": "EUR"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@contextmanager
def account_server(certificate: tuple[Path, Path] | None = None) -> Iterator[tuple[int, Heads]]:
    """Serve an account on loopback.

    :param certificate: and key, to speak TLS
    :returns: its port, and the requests it had
    """
    heads: Heads = []
    handler = type("Noting", (Account,), {"heads": heads})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            listener.socket = context.wrap_socket(listener.socket, server_side=True)
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield listener.server_port, heads
        finally:
            listener.shutdown()
            thread.join()
