# SPDX-License-Identifier: Apache-2.0

"""The mapping from a connection to settings, which both the sync and the async way take."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from airflow_provider_instasent.api import ConfigurationError
from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.hooks.connection import read_connection


def read(**connection):
    usual = {"password": "the-token", "host": None, "schema": None, "port": None, "extra": {}}
    return read_connection(**usual | connection)


@pytest.mark.parametrize(
    ("host", "schema", "port", "expected"),
    [
        (None, None, None, "https://api.instasent.com"),
        ("", "", None, "https://api.instasent.com"),
        ("sms.example.com", None, None, "https://sms.example.com"),
        (" sms.example.com ", "HTTPS", 8443, "https://sms.example.com:8443"),
        ("sms.example.com:8443", None, None, "https://sms.example.com:8443"),
        ("sms.example.com:8443", None, 8443, "https://sms.example.com:8443"),
        ("sms.example.com/prefix/", None, 8443, "https://sms.example.com:8443/prefix"),
        ("127.0.0.1", "http", 8080, "http://127.0.0.1:8080"),
        ("[::1]", "http", 8080, "http://[::1]:8080"),
        ("https://sms.example.com/transactional/v1/", None, None, "https://sms.example.com/transactional/v1"),
        ("http://127.0.0.1:8080", "https", None, "http://127.0.0.1:8080"),
        # The way a hand-written connection URI arrives: instasent://http://:token@127.0.0.1:8080
        ("http://127.0.0.1", "", 8080, "http://127.0.0.1:8080"),
    ],
)
def test_the_base_url_comes_from_host_schema_and_port(host, schema, port, expected):
    settings = read(host=host, schema=schema, port=port)
    assert settings.base_url == expected
    assert ClientSettings(**settings.client_settings()).url("sms") == f"{expected}/sms"


@pytest.mark.parametrize("api", ["legacy", "transactional"])
def test_without_a_host_the_api_picks_the_base_url(api):
    assert read(extra={"api": api}).base_url == BASE_URLS[api]
    assert read(extra={"api": api}, host="sms.example.com").base_url == "https://sms.example.com"


@pytest.mark.parametrize(
    ("field", "connection"),
    [
        ("schema", {"host": "sms.example.com", "schema": "ftp"}),
        ("schema", {"host": "http://127.0.0.1", "schema": "transactional/v1"}),
        ("Base URL or host", {"host": "sms.example.com:port"}),
        ("Base URL or host", {"host": "https://sms.example.com:99999"}),
        ("port", {"host": "sms.example.com", "port": 99999}),
        ("port", {"host": "127.0.0.1:8080", "port": 8081}),
        ("api", {"extra": {"api": "product"}}),
        ("api", {"extra": {"api": 1}}),
        ("sender", {"extra": {"sender": 34600000001}}),
        ("allow_unicode", {"extra": {"allow_unicode": "maybe"}}),
        ("allow_unicode", {"extra": {"allow_unicode": 1}}),
        ("allow_http", {"extra": {"allow_http": []}}),
        ("connect_timeout", {"extra": {"connect_timeout": "soon"}}),
        ("connect_timeout", {"extra": {"connect_timeout": True}}),
        ("read_timeout", {"extra": {"read_timeout": "inf"}}),
        ("read_timeout", {"extra": {"read_timeout": "nan"}}),
        ("max_in_flight", {"extra": {"max_in_flight": "2.5"}}),
        ("max_in_flight", {"extra": {"max_in_flight": {}}}),
        ("extra", {"extra": ["allow_http"]}),
    ],
)
def test_what_is_wrong_is_named_by_its_field(field, connection):
    with pytest.raises(ConfigurationError, match=f"^`{field}`") as caught:
        read(**connection)
    assert "the-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "connection"),
    [
        ("API token", {"password": None}),
        ("API token", {"password": " "}),
        ("Base URL or host", {"host": "http://sms.example.com"}),
        ("Base URL or host", {"host": "ftp://sms.example.com"}),
        ("Base URL or host", {"host": "https://user:secret@sms.example.com"}),
        ("connect_timeout", {"extra": {"connect_timeout": 0}}),
        ("read_timeout", {"extra": {"read_timeout": -1}}),
        ("max_in_flight", {"extra": {"max_in_flight": 0}}),
        ("ca_bundle", {"extra": {"ca_bundle": "/nowhere/ca.pem"}}),
    ],
)
def test_what_no_client_can_work_with_is_refused_by_its_field(field, connection):
    settings = read(**connection)
    with pytest.raises(ConfigurationError, match=f"^`{field}`"):
        ClientSettings(**settings.client_settings())


def test_an_extra_from_a_form_is_read_like_one_from_json(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    from_json = {
        "api": "transactional",
        "sender": "Acme",
        "default_region": "ES",
        "allow_unicode": True,
        "connect_timeout": 2,
        "read_timeout": 7.5,
        "max_in_flight": 3,
        "ca_bundle": str(bundle),
        "allow_http": False,
        "price_profile_sms_path": "prices/sms",
        "price_profile_lookup_path": "/prices/lookup",
    }
    from_form = from_json | {
        "sender": " Acme ",
        "allow_unicode": "True",
        "connect_timeout": "2",
        "read_timeout": "7.5",
        "max_in_flight": "3",
        "allow_http": "false",
        "price_profile_lookup_path": "prices/lookup/",
    }
    settings = read(extra=from_json)
    assert read(extra=from_form) == settings
    assert settings.client_settings() == {
        "token": "the-token",
        "base_url": BASE_URLS["transactional"],
        "connect_timeout": 2.0,
        "read_timeout": 7.5,
        "max_in_flight": 3,
        "ca_bundle": str(bundle),
        "allow_http": False,
    }
    assert (settings.sender, settings.default_region, settings.allow_unicode) == ("Acme", "ES", True)
    assert settings.price_profile_sms_path == "prices/sms"
    assert settings.price_profile_lookup_path == "prices/lookup"


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_an_empty_field_is_an_unset_one(empty):
    names = read(extra={}).client_settings().keys()
    everything_empty = dict.fromkeys(
        ["api", "sender", "allow_unicode", "connect_timeout", "max_in_flight", "ca_bundle", "price_profile_sms_path"],
        empty,
    )
    settings = read(extra=everything_empty)
    assert settings == read(extra={})
    assert names == {"token", "base_url"}
    assert (settings.sender, settings.allow_unicode) == (None, False)
    assert settings.price_profile_sms_path == "price-profile/sms"
    assert settings.price_profile_lookup_path == "price-profile/lookup"


def test_unknown_extras_are_told_by_name():
    assert read(extra={"zeal": 1, "api": "legacy", "from": "Acme"}).unknown_extras == ("from", "zeal")
    assert read(extra={"api": "legacy"}).unknown_extras == ()


def test_the_token_is_not_in_the_repr():
    assert "the-token" not in repr(read())


PAGE = (Path(__file__).parents[3] / "docs" / "connection.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| `?(\S+?)`? \| `(%[0-9A-F]{2})` \|", PAGE, re.MULTILINE)
ENCODED = {" " if character == "space" else character: code for character, code in TABLE}


def read_uri(uri):
    """What the hook makes of a connection in the form of a URI."""
    from airflow.models.connection import Connection

    found = Connection(conn_id="a_uri", uri=uri)
    return read(
        password=found.password, host=found.host, schema=found.schema, port=found.port, extra=found.extra_dejson
    )


def test_the_page_names_the_characters_of_a_uri_that_have_a_meaning_of_their_own():
    assert set(ENCODED) == set("/?#[]%+&@:= ")
    assert all(code == f"%{ord(character):02X}" for character, code in ENCODED.items())


@pytest.mark.parametrize("character", ENCODED)
def test_an_encoded_character_arrives_in_the_token_and_in_the_extra(character):
    code = ENCODED[character]
    settings = read_uri(f"instasent://:in{code}41sent@sms.example.com/?sender=A{code}41B&default_region=ES")
    assert settings.token == f"in{character}41sent"
    assert (settings.sender, settings.default_region) == (f"A{character}41B", "ES")
    assert settings.base_url == "https://sms.example.com"


@pytest.mark.parametrize("host", ["http://127.0.0.1:8700", "https://sms.example.com/v1", "sms.example.com", None])
def test_a_uri_that_airflow_generates_is_read_right(host):
    from airflow.models.connection import Connection

    everything = "in" + "".join(ENCODED) + "sent"
    extra = {"sender": everything, "default_region": "ES"}
    stored = Connection(conn_id="a_uri", conn_type="instasent", host=host, password=everything, extra=json.dumps(extra))
    settings = read_uri(stored.get_uri())
    assert (settings.token, settings.sender, settings.default_region) == (everything, everything, "ES")
    assert settings.base_url == read(host=host).base_url


def test_the_uri_of_the_page_is_the_connection_it_says():
    from airflow.models.connection import Connection

    (uri,) = re.findall(r"AIRFLOW_CONN_\w+='(instasent://.+)'", PAGE)
    settings = read_uri(uri)
    assert settings.token == "in/sta+sent@4711"
    assert (settings.base_url, settings.sender) == ("http://127.0.0.1:8700", "A+B & Co")
    extra = json.dumps({"sender": settings.sender, "default_region": "ES"})
    stored = Connection(
        conn_id="a_uri", conn_type="instasent", host=settings.base_url, password=settings.token, extra=extra
    )
    assert stored.get_uri() == uri
