# SPDX-License-Identifier: Apache-2.0
"""Whole calls without a socket: which requests are made, which waits, and what comes out."""

from __future__ import annotations

import json

import pytest

from airflow_provider_instasent.api import endpoints, errors, flows
from airflow_provider_instasent.api.exchange import Answer, Failure, Pause, Send
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.retry import RetryPolicy

POLICY = RetryPolicy(max_attempts=3, max_rate_limited=3, first_wait=1.0, longest_wait=4.0)
NEVER_LEFT, LEFT = Failure(left=False, reason="refused"), Failure(left=True, reason="cut")
PLANNED, ACCEPTED, REJECTED, UNCONFIRMED = (
    MessageState.PLANNED,
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
)


def answer(status, body=None, **headers):
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): str(value) for name, value in headers.items()}, raw)


def sms(index, text="hello"):
    return Sms(to=f"+346{index:08d}", text=text, sender="Tests", client_id=f"id-{index}")


class Driver:
    """Performs a flow: `respond` answers each request, waits are noted."""

    def __init__(self, respond):
        self._respond = respond if callable(respond) else iter(respond).__next__
        self._takes_request = callable(respond)
        self.requests = []
        self.waits = []

    def run(self, flow):
        outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as stop:
                return stop.value
            outcome = None
            if isinstance(step, Pause):
                self.waits.append(step.seconds)
            else:
                assert isinstance(step, Send)
                self.requests.append(step.request)
                outcome = self._respond(step.request) if self._takes_request else self._respond()


def accept_all(request):
    return answer(201, {"entities": [{"id": f"new-{item['clientId']}", **item} for item in request.body], "errors": []})


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


def test_any_number_goes_out_a_hundred_a_call_in_order():
    messages = [sms(index) for index in range(250)]
    driver = Driver(accept_all)

    outcomes = driver.run(flows.send_bulk(messages, POLICY))

    assert [len(request.body) for request in driver.requests] == [100, 100, 50]
    assert [outcome.position for outcome in outcomes] == list(range(250))
    assert [outcome.id for outcome in outcomes] == [f"new-id-{index}" for index in range(250)]


def test_nothing_to_send_makes_no_request():
    driver = Driver([])

    assert driver.run(flows.send_bulk([], POLICY)) == []
    assert driver.requests == []


@pytest.mark.parametrize("refusal", [answer(413), answer(400, {"message": "no"}), answer(422, {"errors": ["no"]})])
def test_a_refusal_that_names_nobody_halves_until_the_culprit_is_alone(refusal):
    messages = [sms(index) for index in range(8)]

    def respond(request):
        return refusal if any(item["clientId"] == "id-5" for item in request.body) else accept_all(request)

    driver = Driver(respond)
    outcomes = driver.run(flows.send_bulk(messages, POLICY))

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
    outcomes = driver.run(flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in outcomes] == [ACCEPTED, REJECTED, REJECTED, ACCEPTED]
    assert [len(request.body) for request in driver.requests] == [4, 2]


def test_a_refused_client_id_is_marked():
    driver = Driver([answer(422, {"errors": {"clientId": ["This value is already used."]}})])

    (outcome,) = driver.run(flows.send_bulk([sms(1)], POLICY))

    assert (outcome.state, outcome.client_id_taken) == (REJECTED, True)


@pytest.mark.parametrize("lost", [LEFT, answer(503), answer(201), answer(201, {"entity": {}})])
def test_a_call_without_an_answer_is_unconfirmed_and_the_rest_goes_on(lost):
    messages = [sms(index) for index in range(150)]
    driver = Driver([lost, accept_all(endpoints.send_bulk_request(messages[100:]))])

    outcomes = driver.run(flows.send_bulk(messages, POLICY))

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
        Driver(respond).run(flows.send_bulk(messages, POLICY))

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
        driver.run(flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in caught.value.outcomes] == [ACCEPTED, ACCEPTED, PLANNED, PLANNED]


def test_a_chunk_tells_its_stop_instead_of_raising():
    result = Driver([answer(402)]).run(flows.send_chunk([sms(1)], POLICY))

    assert isinstance(result.stopped_by, errors.NoFundsError)
    assert [outcome.state for outcome in result.outcomes] == [PLANNED]


def test_a_caller_who_ends_a_chunk_half_way_sees_what_is_known():
    messages = [sms(index) for index in range(4)]
    result = flows.ChunkResult.of(messages)
    flow = flows.send_chunk(messages, POLICY, result)
    next(flow)
    flow.send(answer(413))
    flow.send(accept_all(endpoints.send_bulk_request(messages[:2])))
    flow.close()

    assert [outcome.state for outcome in result.outcomes] == [ACCEPTED, ACCEPTED, PLANNED, PLANNED]
