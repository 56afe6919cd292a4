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


def test_it_is_hasty_but_respects_shorter_timeouts():
    slow = ClientSettings(**hasty({"token": "t", "connect_timeout": 60, "read_timeout": 600}))
    assert (slow.connect_timeout, slow.read_timeout, slow.retry_policy) == (3, 5, ONE_ATTEMPT)
    quick = ClientSettings(**hasty({"token": "t", "connect_timeout": 0.5, "read_timeout": 1}))
    assert (quick.connect_timeout, quick.read_timeout) == (0.5, 1)
