# SPDX-License-Identifier: Apache-2.0
"""Bulk calls without a socket: a hundred messages a call, halved where one is refused without naming an item."""

from __future__ import annotations

import pytest
from support.flows import LEFT, NEVER_LEFT, POLICY, Driver, answer, sms

from airflow_provider_instasent.api import bulk_flows, endpoints, errors
from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.message_outcome import MessageState

PLANNED, ACCEPTED, REJECTED, UNCONFIRMED = (
    MessageState.PLANNED,
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
)


def accept_all(request):
    return answer(201, {"entities": [{"id": f"new-{item['clientId']}", **item} for item in request.body], "errors": []})


def test_any_number_goes_out_a_hundred_a_call_in_order():
    messages = [sms(index) for index in range(250)]
    driver = Driver(accept_all)

    outcomes = driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert [len(request.body) for request in driver.requests] == [100, 100, 50]
    assert [outcome.position for outcome in outcomes] == list(range(250))
    assert [outcome.id for outcome in outcomes] == [f"new-id-{index}" for index in range(250)]


def test_nothing_to_send_makes_no_request():
    driver = Driver([])

    assert driver.run(bulk_flows.send_bulk([], POLICY)) == []
    assert driver.requests == []


@pytest.mark.parametrize("refusal", [answer(413), answer(400, {"message": "no"}), answer(422, {"errors": ["no"]})])
def test_a_refusal_that_names_nobody_halves_until_the_culprit_is_alone(refusal):
    messages = [sms(index) for index in range(8)]

    def respond(request):
        return refusal if any(item["clientId"] == "id-5" for item in request.body) else accept_all(request)

    driver = Driver(respond)
    outcomes = driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in outcomes] == [REJECTED if i == 5 else ACCEPTED for i in range(8)]
    assert [len(request.body) for request in driver.requests] == [8, 4, 4, 2, 1, 1, 2]
    assert outcomes[5].reason.startswith(f"HTTP {refusal.status}")


def test_a_refusal_that_names_items_sends_the_others_again():
    messages = [sms(index) for index in range(4)]

    def respond(request):
        ids = [item["clientId"] for item in request.body]
        named = [{"index": ids.index(bad), "errors": {"to": ["no"]}} for bad in ("id-1", "id-2") if bad in ids]
        return answer(422, {"status": "error", "errors": named}) if named else accept_all(request)

    driver = Driver(respond)
    outcomes = driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in outcomes] == [ACCEPTED, REJECTED, REJECTED, ACCEPTED]
    assert [len(request.body) for request in driver.requests] == [4, 2]


def test_a_refused_client_id_is_marked():
    driver = Driver([answer(422, {"errors": {"clientId": ["This value is already used."]}})])

    (outcome,) = driver.run(bulk_flows.send_bulk([sms(1)], POLICY))

    assert (outcome.state, outcome.client_id_taken) == (REJECTED, True)


@pytest.mark.parametrize("lost", [LEFT, answer(503), answer(201), answer(201, {"entity": {}})])
def test_a_call_without_an_answer_is_unconfirmed_and_the_rest_goes_on(lost):
    messages = [sms(index) for index in range(150)]
    driver = Driver([lost, accept_all(endpoints.send_bulk_request(messages[100:]))])

    outcomes = driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in outcomes] == [UNCONFIRMED] * 100 + [ACCEPTED] * 50
    assert all(outcome.reason for outcome in outcomes[:100])
    assert len(driver.requests) == 2


@pytest.mark.parametrize(
    ("stop", "cause", "requests"),
    [
        (answer(401), errors.AuthenticationError, 1),
        (answer(402), errors.NoFundsError, 1),
        (answer(403), errors.AuthenticationError, 1),
        (answer(404), errors.NotFoundError, 1),
        (answer(302), errors.RefusedError, 1),
        (answer(429), errors.RateLimitedError, 3),
        (NEVER_LEFT, errors.NotSentError, 3),
    ],
)
def test_what_would_stop_every_call_stops_the_bulk_and_says_what_became_of_all(stop, cause, requests):
    messages = [sms(index) for index in range(250)]
    calls = []

    def respond(request):
        calls.append(request)
        return accept_all(request) if len(calls) == 1 else stop

    with pytest.raises(errors.BulkStoppedError) as caught:
        Driver(respond).run(bulk_flows.send_bulk(messages, POLICY))

    assert type(caught.value.__cause__) is cause
    assert caught.value.status == (stop.status if isinstance(stop, Answer) else None)
    assert len(calls) == 1 + requests
    assert [outcome.state for outcome in caught.value.outcomes] == [ACCEPTED] * 100 + [PLANNED] * 150
    assert [outcome.position for outcome in caught.value.outcomes] == list(range(250))
    assert caught.value.outcomes[249].client_id == "id-249"
    assert "so far: 150 planned, 100 accepted" in str(caught.value)


def test_a_stop_between_halves_keeps_what_the_first_half_came_to():
    messages = [sms(index) for index in range(4)]
    halves = [accept_all(endpoints.send_bulk_request(messages[:2])), answer(402)]
    driver = Driver([answer(413), *halves])

    with pytest.raises(errors.BulkStoppedError) as caught:
        driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in caught.value.outcomes] == [ACCEPTED, ACCEPTED, PLANNED, PLANNED]


def test_a_chunk_tells_its_stop_instead_of_raising():
    result = Driver([answer(402)]).run(bulk_flows.send_chunk([sms(1)], POLICY))

    assert isinstance(result.stopped_by, errors.NoFundsError)
    assert [outcome.state for outcome in result.outcomes] == [PLANNED]


def test_a_caller_who_ends_a_chunk_half_way_sees_what_is_known():
    messages = [sms(index) for index in range(4)]
    result = bulk_flows.ChunkResult.of(messages)
    flow = bulk_flows.send_chunk(messages, POLICY, result)
    next(flow)
    flow.send(answer(413))
    flow.send(accept_all(endpoints.send_bulk_request(messages[:2])))
    flow.close()

    assert [outcome.state for outcome in result.outcomes] == [ACCEPTED, ACCEPTED, PLANNED, PLANNED]
