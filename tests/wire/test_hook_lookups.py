# SPDX-License-Identifier: Apache-2.0

"""The hook's lookups and prices against the sandbox."""

from __future__ import annotations

import pytest
from support.instasent_connection import connection

from airflow_provider_instasent.api import InvalidMessageError, MessageState, NoFundsError, NotFoundError
from airflow_provider_instasent.compat import AirflowFailException, AirflowTaskTimeout
from airflow_provider_instasent.hooks.errors import InstasentUnconfirmedError
from airflow_provider_instasent.hooks.instasent import InstasentHook


@pytest.fixture
def connect(sandbox, monkeypatch):
    hooks = []

    def make(**extra):
        value = connection(sandbox.url, extra={"default_region": "ES", **extra})
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
        hooks.append(InstasentHook())
        return hooks[-1]

    yield make
    for hook in hooks:
        hook.close()


def test_a_national_number_is_looked_up_and_found_again(connect, sandbox):
    hook = connect()
    ordered = hook.lookup("600 000 932")
    assert sandbox.lookups.numbers() == {"+34600000932": 1}
    sandbox.advance(60)
    assert hook.get_lookup(ordered["id"])["ported"] is True
    assert [one["id"] for one in hook.iter_lookups()] == [ordered["id"]]


def test_what_is_no_number_is_refused_before_anything_is_asked(connect, sandbox):
    with pytest.raises(InvalidMessageError, match="`to`"):
        connect().lookup("12")
    assert not sandbox.requests.records("lookup")


@pytest.mark.parametrize("fault", ["cut_after", "error_after", "html", "empty", "without_id", "cut_before"])
def test_an_unconfirmed_lookup_fails_the_task_without_a_retry(connect, sandbox, fault):
    sandbox.fault(fault, "lookup")

    with pytest.raises(InstasentUnconfirmedError, match="iter_lookups") as caught:
        connect().lookup("+34600000001")

    assert isinstance(caught.value, AirflowFailException)
    assert [outcome.state for outcome in caught.value.outcomes] == [MessageState.UNCONFIRMED]
    assert "600000001" not in str(caught.value)
    assert len(sandbox.requests.records("lookup")) == 1


def test_running_out_of_time_during_the_call_is_unconfirmed_and_before_it_is_not(connect, monkeypatch):
    hook = connect()
    client = hook.get_conn()

    def out_of_time(*_args, **_named):
        raise AirflowTaskTimeout

    with monkeypatch.context() as patch:
        patch.setattr(client, "_exchange", out_of_time)
        with pytest.raises(InstasentUnconfirmedError, match="execution_timeout"):
            hook.lookup("+34600000001")
    monkeypatch.setattr(client, "perform", out_of_time)
    with pytest.raises(AirflowTaskTimeout):
        hook.lookup("+34600000001")


def test_a_refusal_stays_what_it_is(connect, sandbox):
    sandbox.configure(balance=0.0)
    with pytest.raises(NoFundsError):
        connect().lookup("+34600000001")


@pytest.mark.parametrize("kind", ["sms", "lookup"])
def test_prices_come_from_the_connections_path(connect, kind):
    assert {entry["currency"] for entry in connect().get_price_profile(kind)} == {"EUR"}
    elsewhere = connect(**{f"price_profile_{kind}_path": "/my/prices/"})
    with pytest.raises(NotFoundError, match=f"`my/prices`.*`price_profile_{kind}_path`"):
        elsewhere.get_price_profile(kind)


def test_a_profile_of_another_kind_is_an_error(connect):
    with pytest.raises(ValueError, match="sms, lookup"):
        connect().get_price_profile("mms")
