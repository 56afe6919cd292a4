# SPDX-License-Identifier: Apache-2.0

"""The form of a connection, as a person meets it, and what is stored of what is filled in."""

from __future__ import annotations

import json

from playwright.sync_api import expect
from support.airflow_pages import EXTRA, STANDARD

from airflow_provider_instasent import __version__
from airflow_provider_instasent.hooks.connection import read_connection
from airflow_provider_instasent.hooks.connection_extra import EXTRA_FIELDS, PLACEHOLDERS

CONNECTION = "instasent_default"
UNTOUCHED = {
    "api": "legacy",
    "sender": None,
    "default_region": None,
    "allow_unicode": None,
    "connect_timeout": None,
    "read_timeout": None,
    "max_in_flight": None,
    "max_polls_per_minute": None,
    "ca_bundle": None,
    "allow_http": None,
    "price_profile_sms_path": "price-profile/sms",
    "price_profile_lookup_path": "price-profile/lookup",
}


def settings_of(stored):
    names = ("password", "host", "schema", "port")
    return read_connection(**{name: stored[name] for name in names}, extra=json.loads(stored["extra"]))


def test_it_shows_our_fields_with_their_help(connections):
    connections.open()
    form = connections.add(CONNECTION)

    standard = ["Description", "Base URL or host", "API token", "Port", "Schema"]
    assert form.labels()[2:] == standard, "no login"
    names = {"host": "Base URL or host", "password": "API token", "port": "Port", "schema": "Schema"}
    shown = {name: form.field(label).locator("input").get_attribute("placeholder") for name, label in names.items()}
    assert shown == PLACEHOLDERS

    form.show(EXTRA)
    expect(form.field("Lookup price path")).to_be_visible()
    extra = [
        "API",
        "Default sender",
        "Default region",
        "Allow Unicode",
        "Connect timeout",
        "Read timeout",
        "Requests at once",
        "Status reads a minute",
        "CA bundle",
        "Allow http://",
        "SMS price path",
        "Lookup price path",
    ]
    assert [label for label in form.labels()[2:] if label not in standard] == extra
    assert [form.help(label) for label in extra] == [field.description for field in EXTRA_FIELDS]


def test_what_is_filled_in_is_what_is_stored(connections, airflow, photograph):
    connections.open()
    form = connections.add(CONNECTION)
    form.fill(
        STANDARD,
        {
            "Description": "SMS for the shop",
            "Base URL or host": "http://127.0.0.1:8700",
            "API token": "instasent-sandbox-4711",
            "Port": 0,
        },
    )
    photograph("connection-form", height=910)
    extra = {
        "Default sender": "Acme",
        "Default region": "ES",
        "Allow Unicode": True,
        "Connect timeout": 2.5,
        "Requests at once": 4,
    }
    form.fill(EXTRA, extra)
    photograph("connection-form-extra", height=2000)
    form.choose("API", "transactional")
    form.save()

    stored = airflow.metadata.connection(CONNECTION)
    assert json.loads(stored.pop("extra")) == UNTOUCHED | {
        "api": "transactional",
        "sender": "Acme",
        "default_region": "ES",
        "allow_unicode": True,
        "connect_timeout": 2.5,
        "max_in_flight": 4,
    }
    assert stored == {
        "conn_type": "instasent",
        "host": "http://127.0.0.1:8700",
        "password": "instasent-sandbox-4711",
        "port": 0,
        "login": None,
        "schema": None,
    }


def test_a_token_alone_makes_a_connection_to_instasent(connections, airflow):
    connections.create(CONNECTION, {"API token": "a-token-of-the-legacy-api"})

    stored = airflow.metadata.connection(CONNECTION)
    settings = settings_of(stored)
    assert json.loads(stored["extra"]) == UNTOUCHED
    assert (settings.token, settings.base_url) == ("a-token-of-the-legacy-api", "https://api.instasent.com")
    assert settings.unknown_extras == ()


def test_the_token_is_masked_while_it_is_typed_and_survives_an_edit(connections, airflow, page):
    connections.open()
    form = connections.add(CONNECTION)
    form.fill(STANDARD, {"API token": "instasent-sandbox-4711"})
    expect(form.value("API token")).to_have_attribute("type", "password")
    form.save()

    connections.open()
    form = connections.edit(CONNECTION)
    expect(form.value("API token")).to_have_attribute("type", "password")
    expect(form.value("API token")).to_have_value("***")
    assert "instasent-sandbox-4711" not in page.content()
    form.fill(EXTRA, {"Default sender": "Acme"})
    form.save()

    settings = settings_of(airflow.metadata.connection(CONNECTION))
    assert (settings.token, settings.sender) == ("instasent-sandbox-4711", "Acme")


def test_airflow_lists_the_provider(page):
    page.goto("/")
    page.get_by_role("button", name="Admin").click()
    page.get_by_role("menuitem", name="Providers").click()
    row = page.get_by_role("row").filter(has_text="airflow-provider-instasent")

    expect(row).to_contain_text(__version__)
    expect(row).to_contain_text("Send SMS with Instasent: no message twice, none lost")
