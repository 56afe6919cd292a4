# SPDX-License-Identifier: Apache-2.0

"""TLS with a certificate of one's own: `ca_bundle` counts for both clients, whatever the environment says."""

from __future__ import annotations

import pytest
from support.certificates import account_server, write_certificate
from support.instasent_connection import connection

from airflow_provider_instasent.hooks.instasent import InstasentHook

pytestmark = pytest.mark.without_base_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def server(folder):
    """A server that speaks TLS: its base URL, and the certificate to trust."""
    certificate = write_certificate(folder, "ours")
    with account_server(certificate) as (port, _):
        yield f"https://127.0.0.1:{port}", str(certificate[0])


@pytest.fixture
def hook_for(monkeypatch):
    def connect(host, **extra):
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(host, extra=extra))
        return InstasentHook()

    return connect


@pytest.fixture
def misleading_environment(folder, monkeypatch):
    """Left to themselves, `requests` prefers the first to what is set on its session, and `httpx` knows the second."""
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
