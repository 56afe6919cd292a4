# SPDX-License-Identifier: Apache-2.0
"""What a client needs to know, checked before the first request."""

from __future__ import annotations

import math
import platform
import socket

import certifi
import pytest

from airflow_provider_instasent import __version__
from airflow_provider_instasent.api import AsyncInstasentClient, InstasentClient
from airflow_provider_instasent.api.base_urls import BASE_URLS, is_loopback
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.headers import request_headers

TOKEN = "token-of-the-tests"


def test_the_defaults_are_the_legacy_api_with_timeouts():
    settings = ClientSettings(TOKEN)

    assert settings.base_url == BASE_URLS["legacy"] == "https://api.instasent.com"
    assert BASE_URLS["transactional"] == "https://api.instasent.com/transactional/v1"
    assert (settings.connect_timeout, settings.read_timeout, settings.max_in_flight) == (5.0, 30.0, 8)
    assert not settings.allow_http


@pytest.mark.parametrize(("connect", "read", "deadline"), [(5.0, 30.0, 125.0), (0.5, 1.5, 6.5)])
def test_the_deadline_of_a_request_follows_from_its_timeouts(connect, read, deadline):
    assert ClientSettings(TOKEN, connect_timeout=connect, read_timeout=read).request_deadline == deadline


@pytest.mark.parametrize("token", ["", "  ", "\n", None, 7, "tok en", "tökén", "to\nken", "to\x00ken"])
def test_a_token_that_is_none_is_refused_and_not_repeated(token):
    with pytest.raises(ConfigurationError, match=r"^`API token` ") as caught:
        ClientSettings(token)
    if isinstance(token, str) and token.strip():
        assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("pasted", "fix"),
    [
        (f"Bearer {TOKEN}", "leave out `Authorization:` and `Bearer`"),
        (f"bearer\t{TOKEN}", "leave out `Authorization:` and `Bearer`"),
        (f"Authorization: Bearer {TOKEN}", "leave out `Authorization:` and `Bearer`"),
        (f"authorization:{TOKEN}", "leave out `Authorization:` and `Bearer`"),
        ("Bearer", "leave out `Authorization:` and `Bearer`"),
        (f'"{TOKEN}"', "without them"),
        (f"'{TOKEN}'", "without them"),
        (f"\u201c{TOKEN}\u201d", "without them"),
        (f"<{TOKEN}>", "without them"),
        (f"{TOKEN[:5]}\n{TOKEN[5:]}", "copy it again, in one piece"),
        (f"{TOKEN[:5]} {TOKEN[5:]}", "copy it again, in one piece"),
        (f"{TOKEN[:5]}\u00a0{TOKEN[5:]}", "copy it again, in one piece"),
        (f"{TOKEN[:5]}\u200b{TOKEN[5:]}", "copy it again, as plain text"),
    ],
)
def test_what_comes_along_with_a_pasted_token_is_named_and_how_to_mend_it(pasted, fix):
    with pytest.raises(ConfigurationError, match=r"^`API token` ") as caught:
        ClientSettings(pasted)
    assert fix in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_token_may_begin_as_the_word_does():
    assert ClientSettings("bearer0f1e2d").token == "bearer0f1e2d"


@pytest.mark.parametrize("token", [f" {TOKEN}", f"{TOKEN}\n", f"\t{TOKEN}\r\n"])
def test_white_space_around_a_pasted_token_is_dropped(token):
    assert request_headers(ClientSettings(token), "x")["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("connect_timeout", "read_timeout") for value in (0, -1, math.nan, math.inf)),
        ("max_in_flight", 0),
        ("ca_bundle", "/nowhere/to/be/found.pem"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(name, value):
    with pytest.raises(ConfigurationError, match=f"`{name}`"):
        ClientSettings(TOKEN, **{name: value})


def test_a_ca_bundle_must_hold_certificates(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")

    with pytest.raises(ConfigurationError, match="without certificates"):
        ClientSettings(TOKEN, ca_bundle=str(empty))
    with pytest.raises(ConfigurationError, match="without certificates"):
        ClientSettings(TOKEN, ca_bundle=str(tmp_path))
    assert ClientSettings(TOKEN, ca_bundle=certifi.where()).ca_bundle


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.instasent.com",
        "ftp://api.instasent.com",
        "https://",
        "https://:443",
        "https://user:secret@api.instasent.com",
        "https://secret@api.instasent.com",
        "https://api.instasent.com?access_token=secret",
        "https://api.instasent.com#secret",
        "https://api.instasent.com:secret",
        "https://[secret",
        "http://api.instasent.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_a_base_url_that_is_none_or_unsafe_is_refused_and_not_repeated(base_url):
    with pytest.raises(ConfigurationError, match=r"^`Base URL or host` ") as caught:
        ClientSettings(TOKEN, base_url=base_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "allow_http"),
    [
        ("https://api.instasent.com/", False),
        ("https://api.instasent.com:8443/prefix", False),
        ("http://localhost:8080", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("http://api.internal", True),
    ],
)
def test_a_base_url_that_is_fine(base_url, allow_http):
    settings = ClientSettings(TOKEN, base_url=base_url, allow_http=allow_http)

    assert settings.url("sms") == base_url.rstrip("/") + "/sms"


@pytest.mark.parametrize(
    ("host", "own"), [("localhost", True), ("127.8.9.1", True), ("::1", True), ("10.0.0.1", False), ("example", False)]
)
def test_loopback(host, own):
    assert is_loopback(host) is own


def test_the_headers_are_honest():
    headers = request_headers(ClientSettings(TOKEN, user_agent_suffix="Airflow/3.3.2"), "requests/2.0")

    assert headers == {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json",
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"airflow-provider-instasent/{__version__} Python/{platform.python_version()} "
        "requests/2.0 Airflow/3.3.2",
    }
    assert request_headers(ClientSettings(TOKEN), "httpx/1.0")["User-Agent"].endswith(" httpx/1.0")


def test_no_repr_shows_the_token():
    shown = [ClientSettings(TOKEN), InstasentClient(TOKEN), AsyncInstasentClient(TOKEN)]

    assert not [one for one in map(repr, shown) if TOKEN in one]
    assert all("https://api.instasent.com" in repr(one) for one in shown)


@pytest.mark.parametrize("client", [InstasentClient, AsyncInstasentClient])
def test_making_a_client_touches_no_network(client, monkeypatch):
    def touched(*_arguments, **_named):
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", touched)
    monkeypatch.setattr(socket, "getaddrinfo", touched)

    assert client(TOKEN).settings.token == TOKEN


def test_a_refusal_that_repeats_the_token_is_kept_without_it():
    settings = ClientSettings(f"{TOKEN}\n")
    body = f'{{"message": "bad token {TOKEN}"}}'.encode()

    assert settings.answer(401, {"X-Y": "z"}, body).json() == {"message": "bad token (token)"}
    assert settings.answer(401, {"X-Y": "z"}, body).headers == {"x-y": "z"}
    assert settings.answer(200, {}, body).body == body
