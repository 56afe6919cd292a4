# SPDX-License-Identifier: Apache-2.0
"""The wait for a balance follows one rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_instasent.api.exchange import Answer, Failure
from airflow_provider_instasent.waiting.balance import BalanceGoal


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
