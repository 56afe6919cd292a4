# SPDX-License-Identifier: Apache-2.0

"""The same environment for both clients: each goes the same way, trusts the same certificates, or refuses to begin.

The proxies are not ours (:mod:`support.proxies`), and say themselves who came to them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from support.certificates import account_server, hashed_folder, write_certificate
from support.instasent_connection import TOKEN, connection
from support.proxies import THIS_MACHINE, know_hosts, real_proxy

from airflow_provider_instasent.api.errors import ConfigurationError, InstasentError, NotSentError
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.hooks.instasent import InstasentHook

pytestmark = pytest.mark.without_base_path

USER = "user:p@ss/wörd%"
USER_IN_URL = "user:p%40ss%2Fw%C3%B6rd%25"


@dataclass(frozen=True)
class World:
    """Servers and proxies, and certificates to trust or not."""

    servers: dict[str, tuple[int, list]]
    proxies: dict[str, object]
    certificates: dict[str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    ours, other = write_certificate(folder, "ours"), write_certificate(folder, "other")
    tls = ["--cert-file", str(ours[0]), "--key-file", str(ours[1])]
    new = tmp_path_factory.mktemp
    with (
        account_server() as plain,
        account_server(ours) as secure,
        real_proxy(new("plain")) as proxy,
        real_proxy(new("secure"), *tls) as secure_proxy,
        real_proxy(new("guarded"), "--basic-auth", USER) as guarded_proxy,
    ):
        certificates = {
            "ours": str(ours[0]),
            "other": str(other[0]),
            "hashed": str(hashed_folder(folder / "hashed", ours[0])),
            "unhashed": str(folder),
            "key": str(ours[1]),
            "missing": str(folder / "missing.pem"),
        }
        proxies = {"proxy": proxy, "secure": secure_proxy, "guarded": guarded_proxy}
        yield World({"http": plain, "https": secure}, proxies, certificates)


@pytest.fixture
def both(world, monkeypatch, tmp_path, secrets_guard):
    """Has both clients ask for the account, and tells what came of it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    know_hosts(monkeypatch)
    monkeypatch.setenv("NETRC", str(netrc))
    for secret in (USER, USER_IN_URL, USER.partition(":")[2], USER_IN_URL.partition(":")[2]):
        secrets_guard.protect_token(secret)

    async def ask(base_url, environment, **extra):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(base_url, extra={"allow_http": True, **extra}))
        outcomes = [await asyncio.to_thread(_ask), await _ask_asynchronously()]
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                secrets_guard.hear_error(outcome)
        return outcomes

    return ask


def _ask():
    try:
        with InstasentHook().get_conn(retry_policy=ONE_ATTEMPT) as client:
            return client.get_account()["available"]
    except InstasentError as error:
        return error


async def _ask_asynchronously():
    try:
        async with await InstasentHook().aget_conn(retry_policy=ONE_ATTEMPT) as client:
            return (await client.get_account())["available"]
    except InstasentError as error:
        return error


def spelled(world, scheme, value):
    """Fill in the places of a table's value."""
    places = {name: proxy.place for name, proxy in world.proxies.items()}
    return value.format(port=world.servers[scheme][0], user=USER_IN_URL, **places, **world.certificates)


PLAIN, NAMED = THIS_MACHINE, "api.test"

WAYS = [
    # scheme and host of the base URL, environment, which proxy saw it
    ("https", PLAIN, {}, None),
    ("http", PLAIN, {}, None),
    ("https", PLAIN, {"HTTPS_PROXY": "http://{proxy}"}, "proxy"),
    ("http", PLAIN, {"HTTP_PROXY": "http://{proxy}"}, "proxy"),
    ("https", NAMED, {"https_proxy": "{proxy}"}, "proxy"),
    ("https", PLAIN, {"ALL_PROXY": "http://{proxy}"}, "proxy"),
    ("http", NAMED, {"all_proxy": "{proxy}"}, "proxy"),
    ("https", PLAIN, {"HTTP_PROXY": "http://{proxy}"}, None),
    ("https", PLAIN, {"https_proxy": "http://{proxy}", "HTTPS_PROXY": "http://127.0.0.1:1"}, "proxy"),
    ("http", PLAIN, {"HTTP_PROXY": "http://{proxy}", "REQUEST_METHOD": "POST"}, None),
    ("http", PLAIN, {"http_proxy": "http://{proxy}", "REQUEST_METHOD": "POST"}, "proxy"),
    ("https", PLAIN, {"HTTPS_PROXY": "https://{secure}"}, "secure"),
    ("http", PLAIN, {"HTTP_PROXY": "https://{secure}"}, "secure"),
    ("https", PLAIN, {"HTTPS_PROXY": "http://{user}@{guarded}"}, "guarded"),
    ("http", PLAIN, {"HTTP_PROXY": "http://{user}@{guarded}"}, "guarded"),
    ("https", "127.0.0.1", {"HTTPS_PROXY": "http://{proxy}"}, None),
    ("http", "localhost", {"ALL_PROXY": "socks5://{proxy}"}, None),
    *(
        ("https", PLAIN, {"HTTPS_PROXY": "http://{proxy}", "NO_PROXY": entries}, None)
        for entries in ("*", "example,*", PLAIN, "0.0.0.0/8", "10.0.0.0/8 0.0.0.0/0", PLAIN + ":{port}")
    ),
    *(
        ("http", NAMED, {"ALL_PROXY": "http://{proxy}", "no_proxy": entries}, None)
        for entries in (
            "api.test",
            ".test",
            "*.test",
            "test",
            "API.TEST",
            "api.test:{port}",
            "http://api.test",
            " api.test ",
        )
    ),
    *(
        ("https", "www.api.test", {"ALL_PROXY": "http://{proxy}", "NO_PROXY": entries}, None)
        for entries in ("api.test", ".api.test")
    ),
    *(
        ("https", PLAIN, {"HTTPS_PROXY": "http://{proxy}", "NO_PROXY": entries}, "proxy")
        for entries in ("", "0.0.0", "10.0.0.0/8", "::/0", PLAIN + ":80", "0.0.0.0/33")
    ),
    *(
        ("https", NAMED, {"HTTPS_PROXY": "http://{proxy}", "NO_PROXY": entries}, "proxy")
        for entries in ("www.api.test", "pi.test", "api.test:443", "http://api.test", "127.0.0.0/8", "api", "*.")
    ),
    ("https", NAMED, {"HTTPS_PROXY": "http://{proxy}", "NO_PROXY": "api.test", "no_proxy": "other.test"}, "proxy"),
]


@pytest.mark.parametrize(("scheme", "host", "environment", "by"), WAYS)
async def test_both_clients_go_the_same_way(world, both, scheme, host, environment, by):
    port, heads = world.servers[scheme]
    before, had = {name: len(proxy.seen()) for name, proxy in world.proxies.items()}, len(heads)
    filled = {name: spelled(world, scheme, value) for name, value in environment.items()}

    assert await both(f"{scheme}://{host}:{port}", filled, ca_bundle=world.certificates["ours"]) == ["12.34", "12.34"]

    asked = ("CONNECT" if scheme == "https" else "GET", f"{host}:{port}")
    for name, proxy in world.proxies.items():
        wanted = [asked, asked] if name == by else []
        assert proxy.news(len(wanted), before[name]) == wanted
    for path, headers in heads[had:]:
        assert path == "/organization/account"
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert headers["host"] == f"{host}:{port}"
    assert len(heads) == had + 2


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        "socks5://{proxy}",
        "socks5h://{user}@{proxy}",
        "ftp://{proxy}",
        "http://{user}@{proxy}/x",
        "http://pro xy",
        "http://",
    ],
)
async def test_both_clients_refuse_a_proxy_before_anything_is_sent(world, both, variable, value):
    port, heads = world.servers["https"]
    had = len(heads)

    outcomes = await both(f"https://{NAMED}:{port}", {variable: spelled(world, "https", value)})

    assert [type(one) for one in outcomes] == [ConfigurationError] * 2
    assert str(outcomes[0]) == str(outcomes[1])
    assert str(outcomes[0]).startswith(f"{variable} in the environment")
    assert len(heads) == had


async def test_both_clients_say_so_where_a_proxy_wants_another_password(world, both):
    port, heads = world.servers["https"]
    had = len(heads)
    proxy = world.proxies["guarded"].place

    outcomes = await both(f"https://{NAMED}:{port}", {"HTTPS_PROXY": f"http://user:wrong@{proxy}"})

    assert [type(one) for one in outcomes] == [NotSentError] * 2
    assert all("the proxy did not connect" in str(one) for one in outcomes)
    assert len(heads) == had


async def test_neither_client_trusts_a_proxy_whose_certificate_it_does_not_know(world, both):
    """Also where the API itself is spoken to without TLS."""
    environment = {"HTTP_PROXY": f"https://{world.proxies['secure'].place}"}
    port, heads = world.servers["http"]
    had = len(heads)

    outcomes = await both(f"http://{NAMED}:{port}", environment, ca_bundle=world.certificates["other"])

    assert [type(one) for one in outcomes] == [NotSentError] * 2
    assert all("TLS failure" in str(one) for one in outcomes)
    assert len(heads) == had


TRUST = [
    # `ca_bundle`, environment, what comes of it
    ("ours", {}, "trusted"),
    ("hashed", {}, "trusted"),
    ("other", {"REQUESTS_CA_BUNDLE": "{ours}", "SSL_CERT_FILE": "{ours}"}, "TLS failure"),
    ("ours", {"REQUESTS_CA_BUNDLE": "{other}", "SSL_CERT_FILE": "{missing}"}, "trusted"),
    (None, {}, "TLS failure"),
    *(
        (None, {variable: place}, outcome)
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        for place, outcome in (
            ("{ours}", "trusted"),
            ("{hashed}", "trusted"),
            ("{other}", "TLS failure"),
            ("{missing}", "refused"),
            ("{unhashed}", "refused"),
            ("{key}", "refused"),
        )
    ),
    (None, {"SSL_CERT_DIR": "{hashed}"}, "trusted"),
    (None, {"SSL_CERT_DIR": "{missing}:{hashed}"}, "trusted"),
    (None, {"SSL_CERT_DIR": "{missing}"}, "refused"),
    (None, {"SSL_CERT_DIR": "{ours}"}, "refused"),
    (None, {"SSL_CERT_DIR": "{unhashed}"}, "refused"),
    (None, {"REQUESTS_CA_BUNDLE": "{ours}", "CURL_CA_BUNDLE": "{other}", "SSL_CERT_FILE": "{missing}"}, "trusted"),
    (None, {"CURL_CA_BUNDLE": "{ours}", "SSL_CERT_FILE": "{other}"}, "trusted"),
    (None, {"SSL_CERT_FILE": "{ours}", "SSL_CERT_DIR": "{missing}"}, "trusted"),
    (None, {"SSL_CERT_FILE": "{other}", "SSL_CERT_DIR": "{hashed}"}, "TLS failure"),
    (None, {"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": "{ours}"}, "trusted"),
]


@pytest.mark.parametrize("by_proxy", [False, True])
@pytest.mark.parametrize(("ca_bundle", "environment", "expected"), TRUST)
async def test_both_clients_trust_the_same(world, both, ca_bundle, environment, expected, by_proxy):
    port, heads = world.servers["https"]
    had = len(heads)
    filled = {name: spelled(world, "https", value) for name, value in environment.items()}
    if by_proxy:
        filled["HTTPS_PROXY"] = world.proxies["proxy"].place
    extra = {"ca_bundle": world.certificates[ca_bundle]} if ca_bundle else {}

    outcomes = await both(f"https://{NAMED}:{port}", filled, **extra)

    if expected == "trusted":
        assert outcomes == ["12.34"] * 2
    elif expected == "refused":
        assert [type(one) for one in outcomes] == [ConfigurationError] * 2
        assert str(outcomes[0]) == str(outcomes[1])
        assert str(outcomes[0]).startswith(f"{next(iter(environment))} in the environment")
    else:
        assert [type(one) for one in outcomes] == [NotSentError] * 2
        assert all(expected in str(one) for one in outcomes)
        assert str(outcomes[0]) == str(outcomes[1])
    assert len(heads) == had + (2 if expected == "trusted" else 0)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HTTPS_PROXY": "{proxy}", "REQUESTS_CA_BUNDLE": "{hashed}"}, "Balance 12.34 EUR"),
        ({"HTTPS_PROXY": "socks5://{proxy}"}, "HTTPS_PROXY in the environment names a SOCKS proxy"),
        ({"HTTPS_PROXY": "http://127.0.0.1:1", "SSL_CERT_FILE": "{ours}"}, "the proxy did not connect"),
        ({"SSL_CERT_FILE": "{missing}"}, "SSL_CERT_FILE in the environment names nothing that can be read"),
        ({"SSL_CERT_FILE": "{other}"}, "TLS failure"),
    ],
)
def test_the_test_button_goes_the_same_way(world, monkeypatch, environment, said):
    know_hosts(monkeypatch)
    for name, value in environment.items():
        monkeypatch.setenv(name, spelled(world, "https", value))
    base_url = f"https://{NAMED}:{world.servers['https'][0]}"
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(base_url))

    works, told = InstasentHook().test_connection()

    assert works is told.startswith("Balance")
    assert said in told
