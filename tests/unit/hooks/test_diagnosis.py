# SPDX-License-Identifier: Apache-2.0

"""What the connection test makes of an account that has no balance, and the haste it makes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.hooks.diagnosis import diagnose, hasty


def client(account, base_url=BASE_URLS["legacy"]):
    return SimpleNamespace(settings=ClientSettings(token="t", base_url=base_url), get_account=lambda: account)


@pytest.mark.parametrize("api", BASE_URLS)
def test_it_names_the_api_of_a_known_base_url(api):
    works, said = diagnose(client({"available": "12.340", "currency": "EUR"}, BASE_URLS[api]))
    assert works
    assert said == f"Balance 12.340 EUR; {api.capitalize()} API at {BASE_URLS[api]}"


def test_a_missing_currency_is_said():
    assert diagnose(client({"available": 3})) == (
        True,
        "Balance 3 (no currency said); Legacy API at https://api.instasent.com",
    )


def test_an_answer_without_a_balance_is_no_account():
    works, said = diagnose(client({"status": "ok"}))
    assert not works
    assert "not with an Instasent account" in said


@pytest.mark.parametrize(("available", "told"), [(None, "is null"), ("a lot", "is no plain decimal number")])
def test_a_balance_that_cannot_be_read_is_named(available, told):
    works, said = diagnose(client({"available": available, "currency": "EUR"}))
    assert not works
    assert f"Legacy API at https://api.instasent.com: the account's `available` {told}" in said


@pytest.mark.parametrize(
    ("defaults", "told"),
    [
        ({"sender": "Acme Parcels GmbH"}, "`sender`: has 17 characters; a sender with a letter has at most 11"),
        ({"sender": "1234567890123456"}, "`sender`: has 16 characters; a sender without a letter has at most 15"),
        ({"sender": "   "}, "`sender`: is empty"),
        ({"default_region": "Spain"}, "`default_region`: SPAIN is no ISO country with a numbering plan"),
        ({"default_region": "UK"}, "`default_region`: UK is no ISO country"),
        ({"default_region": "34"}, "`default_region`: 34 is no ISO country"),
    ],
)
def test_a_default_that_no_message_can_have_is_named_beside_the_balance(defaults, told):
    works, said = diagnose(client({"available": 3, "currency": "EUR"}), **defaults)
    assert not works
    assert said.startswith(told)
    assert said.endswith(". Balance 3 EUR; Legacy API at https://api.instasent.com")


def test_all_that_is_wrong_with_a_connection_is_named_at_once():
    works, said = diagnose(client({"status": "ok"}), sender="Acme Parcels", default_region="Spain")
    assert not works
    assert all(word in said for word in ("`sender`", "`default_region`", "not with an Instasent account"))


@pytest.mark.parametrize("defaults", [{}, {"sender": "Acme"}, {"default_region": "es"}, {"sender": "123456789012345"}])
def test_defaults_that_are_fine_are_not_spoken_of(defaults):
    assert diagnose(client({"available": 3, "currency": "EUR"}), **defaults) == (
        True,
        "Balance 3 EUR; Legacy API at https://api.instasent.com",
    )


def test_it_is_hasty_but_respects_shorter_timeouts():
    slow = ClientSettings(**hasty({"token": "t", "connect_timeout": 60, "read_timeout": 600}))
    assert (slow.connect_timeout, slow.read_timeout, slow.retry_policy) == (3, 5, ONE_ATTEMPT)
    quick = ClientSettings(**hasty({"token": "t", "connect_timeout": 0.5, "read_timeout": 1}))
    assert (quick.connect_timeout, quick.read_timeout) == (0.5, 1)
