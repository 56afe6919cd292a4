# SPDX-License-Identifier: Apache-2.0
"""However a limit is told, or that an API is down, it is left alone for so long, and all goes through once."""

from __future__ import annotations

import time

import pytest
from support.bulk_send import BulkTask, messages
from support.clients import sms
from support.delivery import connected, first_event
from support.events import LONG

from airflow_provider_instasent.api import bulk_flows, errors, flows
from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.lookup_flows import lookup
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

__all__ = ["connected"]

FORMS = ("seconds", "milliseconds", "fraction", "seconds_left", "date", "retry_after", "retry_after_date")
POLICY = RetryPolicy()
CALLS = {
    "send": lambda: flows.send_sms(sms(), POLICY),
    "bulk": lambda: bulk_flows.send_bulk([sms(1), sms(2)], POLICY),
    "lookup": lambda: lookup("+34600000001", POLICY),
    "list": lambda: flows.list_sms(1, 50, POLICY),
    "account": lambda: flows.get_account(POLICY),
}


@pytest.fixture
def client(connect):
    return connect()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("skew", [0, -3_600])
def test_a_429_is_waited_out_as_it_is_told(client, sandbox, form, endpoint, skew):
    sandbox.configure(limit_form=form, clock_skew=skew)
    sandbox.fault("rate_limited", endpoint, seconds=7)
    waits = []

    client.perform(CALLS[endpoint](), sleep=waits.append)

    (wait,) = waits
    assert 6 < wait <= 8.1 * 1.1
    assert [record.status for record in sandbox.requests.records()][:1] == [429]
    assert len(sandbox.requests.records()) == 2


@pytest.mark.parametrize("form", FORMS)
def test_without_the_servers_clock_ours_is_taken(client, sandbox, form):
    sandbox.configure(limit_form=form, send_date=False)
    sandbox.fault("rate_limited", "send", seconds=7)
    waits = []

    client.perform(CALLS["send"](), sleep=waits.append)

    assert 6 < waits[0] <= 8.1 * 1.1
    assert sandbox.ledger.accepted == 1


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({}, 1, 1.1),
        ({"Retry-After": "soon"}, 1, 1.1),
        ({"Retry-After": "-5"}, 1, 1.1),
        ({"Retry-After": "0"}, 1, 1.1),
        ({"Retry-After": "86400"}, 120, 132),
        ({"X-RateLimit-Reset": "never", "Retry-After": "5"}, 5, 5.5),
        ({"X-RateLimit-Reset": "-1", "Retry-After": "5"}, 5, 5.5),
        ({"X-RateLimit-Reset": "5"}, 4, 5.5),
    ],
)
def test_what_cannot_be_understood_is_as_if_it_was_not_there(client, sandbox, headers, least, most):
    sandbox.configure(limit_form="none")
    sandbox.fault("rate_limited", "send", headers=headers)
    waits = []

    client.perform(CALLS["send"](), sleep=waits.append)

    assert least <= waits[0] <= most
    assert sandbox.ledger.accepted == 1


@pytest.mark.parametrize("said", ["3", "date"])
def test_an_api_that_is_down_is_read_again_when_it_asks_for_it(client, sandbox, said):
    sandbox.stop_clock()
    until = "Thu, 31 Dec 2099 23:59:59 GMT" if said == "date" else said
    sandbox.fault("error_before", "list", status=503, headers={"Retry-After": until})
    waits = []

    client.perform(CALLS["list"](), sleep=waits.append)

    (wait,) = waits
    assert (120 <= wait <= 132) if said == "date" else (3 <= wait <= 3.3)


@pytest.mark.parametrize("endpoint", ["send", "lookup"])
def test_a_send_that_met_an_api_that_is_down_is_never_made_again(client, sandbox, endpoint):
    sandbox.fault("error_after", endpoint, status=503, headers={"Retry-After": "1"})
    waits = []

    client.fails(errors.UnconfirmedError, lambda: client.perform(CALLS[endpoint](), sleep=waits.append))

    assert waits == []
    assert len(sandbox.requests.records()) == 1


@pytest.mark.parametrize("form", [*FORMS, "none"])
@pytest.mark.parametrize("date", [True, False])
def test_a_campaign_goes_through_a_limit_that_is_told_in_any_form(sandbox, tmp_path, form, date):
    """Two windows and a half of two seconds, four requests at once."""
    sandbox.configure(rate_limit=4, rate_window=2, limit_form=form, send_date=date)
    task = BulkTask(sandbox, tmp_path, rows=messages(1_000), policy="resend", retry_policy=RetryPolicy())

    outcome = task.attempt()

    assert (outcome.error, outcome.summary["accepted"]) == (None, 1_000)
    assert set(task.sent().values()) == {1}
    refused = sum(record.status == 429 for record in sandbox.requests.records("bulk"))
    # Where no window is told, each of those in flight meets its end once; where nothing is, they double their waits.
    assert refused <= (16 if form == "none" else 8)


@pytest.mark.parametrize("form", ["milliseconds", "seconds_left", "retry_after", "retry_after_date"])
@pytest.mark.parametrize("name", ["rate_limited", "error_before"])
async def test_a_wait_leaves_the_list_alone_for_as_long_as_it_is_told(connected, form, name):
    """In a triggerer, so with the asynchronous client; refused for a limit, or because the API is down."""
    connected.configure(sent_after=0, final_after=0, limit_form=form)
    with InstasentClient(connected.token, base_url=connected.url) as client:
        ids = [one.id for one in client.send_bulk([sms(number) for number in range(150)])]
    headers = {"Retry-After": "2"} if name == "error_before" else {}
    connected.fault(name, "list", seconds=2, headers=headers)
    trigger = InstasentDeliveryTrigger(ids, time.time() + LONG, poll_interval=0.05, max_polls_per_minute=60_000)
    event = await first_event(trigger)

    assert (event["outcome"], event["delivered"]) == ("success", 150)
    first, second, *_ = connected.requests.records("list")
    assert 1 <= second.time - first.time < 10
