# SPDX-License-Identifier: Apache-2.0
"""A balance is an exact decimal or an error, and the wait for one follows one rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_instasent.api.account import BalanceGoal, balance_of, decimal_of, described, plain
from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.api.exchange import Answer, Failure


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"), (0, "0"), (-3.5, "-3.5"), (0.1, "0.1"), (1e-7, "0.0000001"), (1e20, "100000000000000000000"),
        ("12.50", "12.50"), (" 7 ", "7"), ("-0.01", "-0.01"), (Decimal("1.10"), "1.10"),
        ("123456789012345678.123456789", "123456789012345678.123456789"),
    ],
)  # fmt: skip
def test_numbers_and_strings_of_them_are_exact(value, text):
    assert plain(decimal_of(value)) == text
    assert described({"available": value, "currency": "EUR"})["available"] == text


@pytest.mark.parametrize(
    "value",
    ["", "  ", "1,250.00", "12,5", "1_000", "1e3", "٣", "NaN", "Infinity", "EUR 5", True, float("nan"),
     float("inf"), Decimal("NaN"), [], {}, b"1"],
)  # fmt: skip
def test_what_is_no_number_is_an_error_and_never_0(value):
    assert decimal_of(value) is None
    with pytest.raises(UnavailableError, match="not 0"):
        balance_of({"available": value})


@pytest.mark.parametrize(
    ("account", "told"),
    [({}, "no `available`"), ({"balance": 5}, "no `available`"), ({"available": None}, "`available` is null")],
)
def test_a_missing_balance_is_an_error(account, told):
    with pytest.raises(UnavailableError, match=f"{told}.*not 0"):
        described(account)


def test_an_account_keeps_what_else_the_api_says():
    assert described({"available": 1, "name": "Acme"}) == {"available": "1", "name": "Acme", "currency": None}


def feed(goal, *outcomes, now=100.0):
    for outcome in outcomes:
        flow = goal.read(lambda: now)
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(outcome)


def answer(body=b"", status=200, **headers):
    return Answer(status, headers, body)


ENOUGH = answer(b'{"entity": {"available": "10.00", "currency": "EUR"}}')


def test_it_ends_as_soon_as_there_is_enough():
    goal = BalanceGoal(Decimal(10))
    feed(goal, answer(b'{"available": 9.99}'))
    assert goal.conclude(0, 1000) is None
    feed(goal, ENOUGH)
    ended = goal.conclude(0, 1000)
    assert (ended.ending, ended.result["available"]) == ("success", "10.00")


def test_the_timeout_tells_what_was_read_last():
    goal = BalanceGoal(Decimal(11))
    feed(goal, ENOUGH)
    ended = goal.conclude(1000, 1000)
    assert (ended.ending, ended.final) == ("timeout", True)
    assert "10.00 EUR available, 11 wanted" in ended.message


@pytest.mark.parametrize("available", [b'"a lot"', b'""', b"null", b"true", b"[]", b"NaN"])
def test_an_unreadable_balance_is_an_error_at_once_that_a_retry_may_mend(available):
    goal = BalanceGoal(Decimal(0))
    feed(goal, answer(b'{"entity": {"available": %s}}' % available))
    ended = goal.conclude(0, 1000)
    assert (ended.ending, ended.final) == ("error", False)
    assert "not 0" in ended.message


def test_failures_in_a_row_are_borne_up_to_a_bound():
    goal = BalanceGoal(Decimal(20), max_poll_failures=2)
    lost = Failure(left=True, reason="cut")
    feed(goal, lost, ENOUGH, answer(status=503))
    assert goal.conclude(0, 1000) is None
    feed(goal, answer(b"<html>"))
    ended = goal.conclude(0, 1000)
    assert (ended.ending, ended.final) == ("error", False)
    assert "`max_poll_failures`" in ended.message


@pytest.mark.parametrize("status", [401, 403, 302])
def test_a_refusal_ends_it_without_retry(status):
    goal = BalanceGoal(Decimal(20))
    feed(goal, answer(status=status))
    ended = goal.conclude(0, 1000)
    assert (ended.ending, ended.final) == ("error", True)


def test_a_rate_limit_is_waited_for():
    goal = BalanceGoal(Decimal(20))
    feed(goal, answer(status=429, **{"x-ratelimit-reset": "130"}))
    assert goal.conclude(100, 1000) is None
    assert not goal.may_sweep(120)
    assert goal.may_sweep(131)
    assert goal.pause(100, 1000) == pytest.approx(30, abs=4)
