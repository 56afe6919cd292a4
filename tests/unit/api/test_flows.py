# SPDX-License-Identifier: Apache-2.0
"""Whole calls without a socket: which requests are made, which waits, and what comes out."""

from __future__ import annotations

import pytest
from support.flows import LEFT, NEVER_LEFT, POLICY, Driver, answer, sms

from airflow_provider_instasent.api import endpoints, errors, flows, lookup_flows
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.pages import Page


def test_one_send_gives_its_entity():
    driver = Driver([answer(201, {"entity": {"id": "a", "status": "enqueued"}})])

    assert driver.run(flows.send_sms(sms(1), POLICY)) == {"id": "a", "status": "enqueued"}
    assert driver.requests == [endpoints.send_sms_request(sms(1))]


@pytest.mark.parametrize(
    ("responses", "error", "requests"),
    [
        ([NEVER_LEFT] * 3, errors.NotSentError, 3),
        ([answer(429)] * 3, errors.RateLimitedError, 3),
        ([NEVER_LEFT, LEFT], errors.UnconfirmedError, 2),
        ([answer(429), answer(500)], errors.UnconfirmedError, 2),
        ([LEFT], errors.UnconfirmedError, 1),
        ([answer(201)], errors.UnconfirmedError, 1),
        ([answer(201, {"entity": {}})], errors.UnconfirmedError, 1),
        ([answer(201, b"[" * 100_000)], errors.UnconfirmedError, 1),
        ([answer(402)], errors.NoFundsError, 1),
        ([answer(422, {"errors": {"to": ["no"]}})], errors.InvalidRequestError, 1),
    ],
)
def test_a_send_is_made_again_only_where_that_is_safe(responses, error, requests):
    driver = Driver(responses)

    with pytest.raises(error):
        driver.run(flows.send_sms(sms(1), POLICY))

    assert len(driver.requests) == requests
    assert len(driver.waits) == requests - 1


@pytest.mark.parametrize("trouble", [NEVER_LEFT, LEFT, answer(503), answer(200), answer(200, b"<html>"), answer(429)])
def test_a_read_is_made_again_whatever_kept_its_answer(trouble):
    driver = Driver([trouble, trouble, answer(200, {"id": "a"})])

    assert driver.run(flows.get_sms("a", POLICY)) == {"id": "a"}
    assert len(driver.requests) == 3


@pytest.mark.parametrize("raised", [RecursionError, MemoryError, LookupError, UnicodeError, AttributeError, ValueError])
def test_whatever_is_raised_while_an_answer_is_read_leaves_a_send_unconfirmed(raised):
    def broken(_body):
        raise raised

    for request, error in (
        (endpoints.send_sms_request(sms(1)), errors.UnconfirmedError),
        (endpoints.lookup_request("+34600000001"), errors.UnconfirmedError),
        (endpoints.get_sms_request("a"), errors.UnavailableError),
    ):
        driver = Driver([answer(201, {"id": "a"})] * 3)
        with pytest.raises(error):
            driver.run(flows.call(request, broken, POLICY))


def test_a_refusal_for_want_of_funds_is_no_fault_of_the_message():
    for flow in (flows.send_sms(sms(1), POLICY), lookup_flows.lookup("+34600000001", POLICY)):
        with pytest.raises(errors.NoFundsError):
            Driver([answer(422, {"errors": {"": ["Not enough funds."]}})]).run(flow)


@pytest.mark.parametrize(
    ("trouble", "state", "stops"),
    [
        (answer(422, {"message": "Saldo insuficiente"}), MessageState.PLANNED, errors.NoFundsError),
        (answer(422, {"message": "no such number"}), MessageState.REJECTED, None),
        (answer(302), MessageState.UNCONFIRMED, errors.UnconfirmedError),
        (answer(409), MessageState.UNCONFIRMED, None),
        (answer(201, {"entity": {"id": {}}}), MessageState.UNCONFIRMED, None),
    ],
)
def test_what_becomes_of_a_chunk_of_lookups(trouble, state, stops):
    result = Driver([trouble, answer(201, {"id": 7})]).run(lookup_flows.lookup_chunk([sms(1), sms(2)], POLICY))

    assert result.outcomes[0].state is state
    assert result.outcomes[1].state is (MessageState.PLANNED if stops else MessageState.ACCEPTED)
    assert (type(result.stopped_by) if result.stopped_by else None) is stops


def test_waits_double_with_a_little_jitter():
    driver = Driver([NEVER_LEFT, NEVER_LEFT, answer(200, {"id": "a"})])

    driver.run(flows.get_sms("a", POLICY))

    assert 1.0 <= driver.waits[0] <= 1.1
    assert 2.0 <= driver.waits[1] <= 2.2


def test_an_error_quotes_the_api_without_the_text():
    driver = Driver([answer(400, {"message": "the text 'my secret' to +34600000001 is odd"})])

    with pytest.raises(errors.InvalidRequestError) as caught:
        driver.run(flows.send_sms(sms(1, "my secret"), POLICY))

    assert "the text '(text)' to +34•••••001 is odd" in str(caught.value)


def test_a_driver_that_answers_nothing_is_told_so():
    flow = flows.get_account(POLICY)
    next(flow)

    with pytest.raises(RuntimeError, match="driver"):
        flow.send(None)


def test_a_page_carries_the_servers_clock():
    date = "Fri, 15 Jan 2027 08:00:00 GMT"
    driver = Driver([answer(200, {"entities": [{"id": 1}]}, date=date)])

    assert driver.run(flows.list_sms(1, 50, POLICY)) == Page([{"id": "1"}], 1_800_000_000.0)
