# SPDX-License-Identifier: Apache-2.0

"""TLS with a certificate of one's own: `ca_bundle` counts for both clients, whatever the environment says."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.instasent_connection import connection

from airflow_provider_instasent.hooks.instasent import InstasentHook

pytestmark = pytest.mark.without_base_path


class Account(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"entity": {"available": "12.34", "currency": "EUR"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Keep quiet."""


def write_certificate(folder, name):
    """Write a certificate for 127.0.0.1 and its key, and return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def server(folder):
    """A server that speaks TLS: its base URL, and the certificate to trust."""
    public, private = write_certificate(folder, "ours")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    with ThreadingHTTPServer(("127.0.0.1", 0), Account) as listener:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{listener.server_port}", str(public)
        listener.shutdown()
        thread.join()


@pytest.fixture
def hook_for(monkeypatch):
    def connect(host, **extra):
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(host, extra=extra))
        return InstasentHook()

    return connect


@pytest.fixture
def misleading_environment(folder, monkeypatch):
    """`requests` prefers these to what is set on its session, and `httpx` knows the second."""
    other = str(write_certificate(folder, "other")[0])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other)
    monkeypatch.setenv("SSL_CERT_FILE", other)


@pytest.mark.usefixtures("misleading_environment")
async def test_the_ca_bundle_of_the_connection_is_what_both_clients_trust(server, hook_for):
    host, bundle = server
    hook = hook_for(host, ca_bundle=bundle)
    assert hook.test_connection() == (True, f"Balance 12.34 EUR; API at {host}")
    async with await hook.aget_conn() as client:
        assert (await client.get_account())["available"] == "12.34"


async def test_an_unknown_authority_is_a_tls_failure_that_names_the_setting(server, hook_for):
    from airflow_provider_instasent.api import NotSentError
    from airflow_provider_instasent.api.retry import ONE_ATTEMPT

    hook = hook_for(server[0])
    works, said = hook.test_connection()
    assert not works
    assert "TLS failure" in said
    assert "`ca_bundle`" in said
    async with await hook.aget_conn(retry_policy=ONE_ATTEMPT) as client:
        with pytest.raises(NotSentError, match="TLS failure"):
            await client.get_account()
