# SPDX-License-Identifier: Apache-2.0

"""The account operator and the balance sensor against the sandbox, in each mode."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support import delivery
from support.delivery import MODES, run_sensor
from support.instasent_connection import connection

from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.compat import AirflowException, AirflowFailException, AirflowSkipException
from airflow_provider_instasent.operators.account import InstasentAccountOperator
from airflow_provider_instasent.sensors.account import InstasentBalanceSensor

modes = pytest.mark.parametrize("mode", MODES)
unreadable = pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"entity": {"currency": "EUR"}}', "has no `available`"),
        ('{"entity": {"available": null, "currency": "EUR"}}', "`available` is null"),
        ('{"available": null}', "`available` is null"),
        ('{"available": "1,5"}', "`available` is no plain decimal"),
        ('{"available": ""}', "`available` is no plain decimal"),
        ('{"entity": {"available": false}}', "`available` is no plain decimal"),
        ('{"entity": {"available": {"EUR": 5}}}', "`available` is no plain decimal"),
    ],
)
"""Answers that are an account, but not one whose balance can be read."""


@pytest.fixture
def connected(sandbox, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url))
    return sandbox


@pytest.fixture
def wait(connected, monkeypatch):
    """Run the sensor to its end in a mode."""

    def new_sensor(*, max_polls_per_minute, **settings):
        return InstasentBalanceSensor(task_id="wait", **settings)

    monkeypatch.setattr(delivery, "new_sensor", new_sensor)

    def run(mode, **parameters):
        return run_sensor(mode, monkeypatch, **parameters)

    return run


def says(sandbox, body):
    sandbox.fault("error_before", "account", status=200, body=body, times=None)


@pytest.mark.parametrize("envelope", ["wrapped", "bare"])
@pytest.mark.parametrize("strings", [True, False])
def test_the_operator_returns_the_account(connected, envelope, strings):
    connected.configure(envelope=envelope, numbers_as_strings=strings, balance=12.3)
    account = InstasentAccountOperator(task_id="account").execute({})
    assert account == {"available": "12.3", "currency": "EUR"}


@unreadable
def test_the_operator_never_takes_an_unreadable_balance_for_0(connected, body, told):
    says(connected, body)
    with pytest.raises(UnavailableError, match=rf"{told}.*not 0"):
        InstasentAccountOperator(task_id="account").execute({})
    assert len(connected.requests.records("account")) == 1


def test_the_operator_fails_without_retry_on_a_wrong_token(connected):
    connected.fault("unauthorized", "account")
    with pytest.raises(AirflowFailException, match="HTTP 401"):
        InstasentAccountOperator(task_id="account").execute({})


@modes
def test_it_waits_until_there_is_enough(wait, sandbox, mode):
    sandbox.configure(balance=9.99, numbers_as_strings=True)
    sandbox.at(3, "account", lambda: sandbox.configure(balance=10.0))
    run = wait(mode, min_available="10.00")
    assert run.error is None
    assert (run.trigger is not None) == (mode == "deferrable")
    result = run.result.xcom_value if hasattr(run.result, "xcom_value") else run.result
    assert (result["available"], result["currency"]) == ("10.0", "EUR")
    assert len(sandbox.requests.records("account")) == 3


@modes
def test_the_timeout_fails_it_and_leaves_the_balance(wait, sandbox, mode):
    sandbox.configure(balance=1.0)
    run = wait(mode, min_available=2, timeout=0.4)
    assert run.ended_as == "AirflowSensorTimeout"
    assert "1.0 EUR available, 2 wanted" in str(run.error)
    assert run.pushed == {"available": "1.0", "currency": "EUR"}


@modes
@unreadable
def test_an_unreadable_balance_fails_it_at_once_whatever_is_asked_for(wait, sandbox, mode, body, told):
    says(sandbox, body)
    run = wait(mode, min_available=0)
    assert isinstance(run.error, AirflowException)
    assert not isinstance(run.error, AirflowFailException)
    assert told in str(run.error)
    assert "not 0" in str(run.error)
    assert len(sandbox.requests.records("account")) == 1


@modes
@unreadable
def test_a_balance_that_becomes_unreadable_between_polls_fails_it(wait, sandbox, mode, body, told):
    sandbox.configure(balance=1.0)
    sandbox.fault("error_before", "account", skip=1, status=200, body=body, times=None)
    run = wait(mode, min_available=2)
    assert isinstance(run.error, AirflowException)
    assert not isinstance(run.error, AirflowFailException)
    assert told in str(run.error)
    assert len(sandbox.requests.records("account")) == 2


def test_a_missing_currency_is_no_trouble(connected):
    says(connected, '{"entity": {"available": "2.50", "currency": null}}')
    account = InstasentAccountOperator(task_id="account").execute({})
    assert account == {"available": "2.50", "currency": None}


@modes
def test_errors_between_polls_are_borne(wait, sandbox, mode):
    sandbox.configure(balance=5.0)
    sandbox.fault("error_before", "account", times=2)
    run = wait(mode, min_available=5)
    assert run.error is None
    assert len(sandbox.requests.records("account")) == 3


@pytest.mark.parametrize("mode", ["poke", "reschedule", "deferrable"])
def test_too_many_of_them_are_not(wait, sandbox, mode):
    sandbox.fault("error_before", "account", times=None)
    run = wait(mode, min_available=5, max_poll_failures=3)
    assert isinstance(run.error, AirflowException)
    assert "3 sweeps in a row" in str(run.error)


@modes
@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_a_wrong_token_ends_it_without_retry(wait, sandbox, mode, fault):
    sandbox.fault(fault, "account", times=None)
    run = wait(mode, min_available=5)
    assert isinstance(run.error, AirflowFailException)
    assert len(sandbox.requests.records("account")) == 1


@modes
def test_soft_fail_skips(wait, sandbox, mode):
    sandbox.configure(balance=1.0)
    assert isinstance(wait(mode, min_available=2, timeout=0.3, soft_fail=True).error, AirflowSkipException)


@pytest.mark.parametrize(
    ("amount", "mode"), [("", "poke"), ("1,5", "deferrable"), (None, "reschedule"), (True, "poke")]
)
def test_an_amount_that_is_none_is_an_error_before_anything_is_read(wait, sandbox, mode, amount):
    run = wait(mode, min_available=amount)
    assert isinstance(run.error, ValueError)
    assert "`min_available`" in str(run.error)
    assert not sandbox.requests.records("account")


def test_its_interval_is_kept_while_deferred(wait, sandbox):
    sandbox.configure(balance=1.0)
    sandbox.at(4, "account", lambda: sandbox.configure(balance=2.0))
    run = wait("deferrable", min_available=2, poke_interval=0.2)
    assert (run.error, run.trigger.poll_interval) == (None, 0.2)
    times = [one.time for one in sandbox.requests.records("account")]
    assert len(times) == 4
    assert all(later - earlier > 0.15 for earlier, later in pairwise(times))
