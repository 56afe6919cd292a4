# SPDX-License-Identifier: Apache-2.0
"""Bulk calls without a socket: a hundred messages a call, halved where one is refused without naming an item."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.flows import LEFT, NEVER_LEFT, POLICY, Driver, answer, sms

from airflow_provider_instasent.api import bulk_flows, endpoints, errors, flows, lookup_flows
from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.pages import Page

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
        named = [{"clientId": bad, "errors": {"to": ["no"]}} for bad in ("id-1", "id-2") if bad in ids]
        return answer(422, {"status": "error", "errors": named}) if named else accept_all(request)

    driver = Driver(respond)
    outcomes = driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert [outcome.state for outcome in outcomes] == [ACCEPTED, REJECTED, REJECTED, ACCEPTED]
    assert [len(request.body) for request in driver.requests] == [4, 2]


@pytest.mark.parametrize("base", [0, 1])
def test_a_refusal_with_indexes_rejects_no_innocents_however_they_count(base):
    messages, bad = [sms(index) for index in range(100)], {"id-20", "id-21", "id-77"}

    def respond(request):
        wrong = [place + base for place, item in enumerate(request.body) if item["clientId"] in bad]
        errors = [{"index": index, "errors": {"to": ["no"]}} for index in wrong]
        return answer(422, {"status": "error", "errors": errors}) if wrong else accept_all(request)

    driver = Driver(respond)
    outcomes = driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert {outcome.client_id for outcome in outcomes if outcome.state is REJECTED} == bad
    assert [outcome.state for outcome in outcomes].count(ACCEPTED) == 97
    assert len(driver.requests) < 40


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


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_leaves_its_call_unconfirmed_and_stops_the_rest(status):
    messages = [sms(index) for index in range(250)]
    driver = Driver([accept_all(endpoints.send_bulk_request(messages[:100])), answer(status)])

    with pytest.raises(errors.BulkStoppedError, match="set the final address as `Base URL or host`") as caught:
        driver.run(bulk_flows.send_bulk(messages, POLICY))

    states = [outcome.state for outcome in caught.value.outcomes]
    assert states == [ACCEPTED] * 100 + [UNCONFIRMED] * 100 + [PLANNED] * 50


@pytest.mark.parametrize("raised", [RecursionError, MemoryError, LookupError, ValueError, AttributeError])
def test_whatever_is_raised_while_a_bulk_answer_is_read_leaves_it_unconfirmed(raised, monkeypatch):
    def broken(*_arguments):
        raise raised

    monkeypatch.setattr(bulk_flows, "attribute", broken)
    driver = Driver(accept_all)

    outcomes = driver.run(bulk_flows.send_bulk([sms(1), sms(2)], POLICY))

    assert [outcome.state for outcome in outcomes] == [UNCONFIRMED] * 2
    assert raised.__name__ in outcomes[0].reason
    assert len(driver.requests) == 1


def test_whatever_is_raised_while_a_refusal_is_read_it_accepted_nothing(monkeypatch):
    def broken(*_arguments):
        raise RecursionError

    monkeypatch.setattr(bulk_flows, "named_rejections", broken)
    driver = Driver([answer(422, {"errors": ["no"]})] * 3)

    outcomes = driver.run(bulk_flows.send_bulk([sms(1), sms(2)], POLICY))

    assert [outcome.state for outcome in outcomes] == [REJECTED] * 2
    assert [len(request.body) for request in driver.requests] == [2, 1, 1]


OUT_OF_FUNDS = {"message": "Not enough balance to send this message."}


@pytest.mark.parametrize("names", [True, False])
def test_funds_that_run_out_inside_a_call_stop_like_a_402(names):
    messages = [sms(index) for index in range(150)]
    accepted = [{"id": f"new-{index}", "clientId": f"id-{index}"} for index in range(50)]
    turned_down = [{**OUT_OF_FUNDS, **({"clientId": f"id-{index}"} if names else {})} for index in range(50, 100)]
    driver = Driver([answer(201, {"entities": accepted, "errors": turned_down})])

    with pytest.raises(errors.BulkStoppedError, match=r"top it up: .*Not enough balance") as caught:
        driver.run(bulk_flows.send_bulk(messages, POLICY))

    assert type(caught.value.__cause__) is errors.NoFundsError
    assert [outcome.state for outcome in caught.value.outcomes] == [ACCEPTED] * 50 + [PLANNED] * 100
    assert len(driver.requests) == 1


def test_funds_that_ran_out_for_nobody_knows_whom_stop_it_with_these_unconfirmed():
    messages = [sms(index) for index in range(150)]
    accepted = [{"id": f"new-{index}", "clientId": f"id-{index}"} for index in range(50)]
    driver = Driver([answer(201, {"entities": accepted, "errors": "Saldo insuficiente"})])

    with pytest.raises(errors.BulkStoppedError) as caught:
        driver.run(bulk_flows.send_bulk(messages, POLICY))

    states = [outcome.state for outcome in caught.value.outcomes]
    assert states == [ACCEPTED] * 50 + [UNCONFIRMED] * 50 + [PLANNED] * 50


@pytest.mark.parametrize("body", [OUT_OF_FUNDS, {"errors": [OUT_OF_FUNDS] * 4}, {"errors": {"id-2": OUT_OF_FUNDS}}])
def test_a_call_refused_for_want_of_funds_rejects_and_halves_nothing(body):
    driver = Driver([answer(422, body)])

    result = driver.run(bulk_flows.send_chunk([sms(index) for index in range(4)], POLICY))

    assert type(result.stopped_by) is errors.NoFundsError
    assert [outcome.state for outcome in result.outcomes] == [PLANNED] * 4


THREE = [sms(index) for index in range(3)]
words = st.one_of(
    st.text(st.characters(codec=None), max_size=6),
    st.sampled_from(["id-0", "id-1", "+34600000001", "600000002", "hello", "Tests", "0", "1", "3", "402", "no funds"]),
)
names = st.sampled_from(
    ["id", "clientId", "to", "normalizedTo", "text", "from", "status", "index", "position", "item", "code", "message"]
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 5), st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(names, words), inner, max_size=4)),
    max_leaves=12,
)
entities = st.one_of(st.lists(st.dictionaries(names, values, max_size=5), max_size=4), values)
bodies = st.one_of(
    values, st.fixed_dictionaries({}, optional={"entities": entities, "errors": values, "message": values})
)
statuses = st.sampled_from([200, 201, 302, 400, 401, 402, 408, 413, 422, 429, 499, 500])


@settings(deadline=None)
@given(st.lists(st.tuples(statuses, bodies), min_size=1, max_size=12))
def test_whatever_the_api_answers_each_message_has_an_outcome_that_can_be_kept(answers):
    driver = Driver([*(answer(status, json.dumps(body).encode()) for status, body in answers), *[answer(402)] * 50])

    result = driver.run(bulk_flows.send_chunk(THREE, POLICY))

    assert [outcome.position for outcome in result.outcomes] == [0, 1, 2]
    assert {outcome.state for outcome in result.outcomes} <= {PLANNED, ACCEPTED, REJECTED, UNCONFIRMED}
    assert all((outcome.id is not None) == (outcome.state is ACCEPTED) for outcome in result.outcomes)
    if all(status // 100 != 2 for status, _ in answers):
        assert not [outcome for outcome in result.outcomes if outcome.state is ACCEPTED]
    for outcome in result.outcomes:
        for word in (outcome.id, outcome.status, outcome.reason):
            assert word is None or (word.isprintable() and word.encode() and len(word) <= 600)


@settings(deadline=None)
@given(statuses, bodies)
def test_whatever_the_api_answers_a_call_ends_in_entities_that_can_be_kept_or_in_an_error_of_ours(status, body):
    told = answer(status, json.dumps(body).encode())
    sends = [flows.send_sms(THREE[0], POLICY), lookup_flows.lookup("+34600000001", POLICY)]
    for flow in [*sends, flows.get_sms("a", POLICY), flows.list_sms(1, 9, POLICY)]:
        try:
            result = Driver(lambda _request: told).run(flow)
        except errors.ApiError as raised:
            assert str(raised).isprintable()  # noqa: PT017 - either is right
            continue
        assert 200 <= status < 300
        found = result.entities if isinstance(result, Page) else [result]
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
        assert all(isinstance(entity["id"], str) and entity["id"] for entity in found)


@pytest.mark.parametrize("made", [0, 1, 2])
def test_a_caller_who_ends_a_bulk_send_sees_what_is_known_and_what_was_being_tried(made):
    messages = [sms(index) for index in range(250)]
    result = bulk_flows.ChunkResult.of(messages)
    flow = bulk_flows.send_bulk(messages, POLICY, result)
    next(flow)
    for call in range(made):
        flow.send(accept_all(endpoints.send_bulk_request(messages[call * 100 : call * 100 + 100])))
    flow.close()

    known = made * 100
    assert [outcome.state for outcome in result.outcomes] == [ACCEPTED] * known + [PLANNED] * (250 - known)
    assert list(result.trying) == list(range(known, min(known + 100, 250)))


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


def chunk_of(messages, *answers):
    return Driver(list(answers)).run(bulk_flows.send_chunk(messages, POLICY))


def test_an_accepted_message_has_its_client_id_and_its_status():
    (outcome,) = chunk_of(
        [sms(0)], answer(201, {"entities": [{"id": "new", "clientId": "id-0", "status": "Enqueued"}]})
    ).outcomes
    assert (outcome.state, outcome.id, outcome.client_id, outcome.status) == (ACCEPTED, "new", "id-0", "Enqueued")


@pytest.mark.parametrize("lost", [LEFT, answer(500, {"message": "hello is stored"}), answer(201, b"<html>")])
def test_an_unconfirmed_message_has_its_client_id_and_a_reason_without_its_text(lost):
    result = chunk_of([sms(0), sms(1)], lost)
    assert result.stopped_by is None
    assert [(one.state, one.client_id) for one in result.outcomes] == [(UNCONFIRMED, "id-0"), (UNCONFIRMED, "id-1")]
    for outcome in result.outcomes:
        assert "may or may not have been accepted" in outcome.reason
        assert "hello" not in outcome.reason


def test_errors_that_name_nobody_and_are_not_about_funds_stop_nothing():
    result = chunk_of([sms(0), sms(1)], answer(201, {"entities": [], "errors": "no"}))
    assert result.stopped_by is None
    assert [outcome.state for outcome in result.outcomes] == [UNCONFIRMED] * 2


def test_one_message_that_was_not_paid_for_stops_it_and_is_quoted():
    unpaid = [{"clientId": "id-1", **OUT_OF_FUNDS}]
    result = chunk_of([sms(0), sms(1)], answer(201, {"entities": [{"id": "a", "clientId": "id-0"}], "errors": unpaid}))
    assert type(result.stopped_by) is errors.NoFundsError
    assert "top it up: " in str(result.stopped_by)
    assert "Not enough balance" in str(result.stopped_by)
    assert [outcome.state for outcome in result.outcomes] == [ACCEPTED, PLANNED]


def test_words_about_funds_for_nobody_knows_whom_are_quoted_without_our_text():
    result = chunk_of([sms(0), sms(1)], answer(201, {"entities": [], "errors": "No funds left for hello"}))
    assert type(result.stopped_by) is errors.NoFundsError
    assert "top it up: No funds left for" in str(result.stopped_by)
    assert "hello" not in str(result.stopped_by)


def test_our_own_words_about_funds_prove_nothing_where_they_are_repeated():
    """A text, a sender or a clientId of ours may read as if there were no funds, and an error may repeat it."""
    said = "no funds"
    for message in (sms(0, text=said), replace(sms(0), sender=said), replace(sms(0), client_id=said)):
        accepted = chunk_of([message, sms(1)], answer(201, {"entities": [], "errors": f"{said}!"}))
        refused = chunk_of([message], answer(422, {"message": f"{said}!"}))
        assert (accepted.stopped_by, refused.stopped_by) == (None, None)
        assert [outcome.state for outcome in refused.outcomes] == [REJECTED]


def test_the_refusal_of_one_message_that_says_its_client_id_was_used_is_told_from_others():
    for body, taken in (({"errors": {"clientId": ["already used"]}}, True), ({"message": "no"}, False)):
        (outcome,) = chunk_of([sms(0)], answer(422, body)).outcomes
        assert (outcome.state, outcome.position, outcome.client_id_taken) == (REJECTED, 0, taken)


def test_a_caller_sees_what_stopped_a_bulk_send_in_its_result_too():
    messages = [sms(0)]
    result = bulk_flows.ChunkResult.of(messages)
    with pytest.raises(errors.BulkStoppedError) as caught:
        Driver([answer(401)]).run(bulk_flows.send_bulk(messages, POLICY, result))
    assert result.stopped_by is caught.value.__cause__
