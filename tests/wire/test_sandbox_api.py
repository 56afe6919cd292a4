# SPDX-License-Identifier: Apache-2.0
"""The sandbox's endpoints over real sockets."""

from __future__ import annotations

import pytest
from support.sandbox import call, message


def test_a_message_is_sent_read_and_listed(sandbox):
    sent = call(sandbox, "POST", "/sms", message(clientId="mine", text="ж" * 71, allowUnicode=True))
    entity = sent.json["entity"]

    assert sent.status == 201
    assert (entity["status"], entity["clientId"], entity["country"]) == ("enqueued", "mine", "ES")
    assert (entity["encoding"], entity["charsCount"], entity["messagesCount"]) == ("UCS2", 71, 2)
    sandbox.advance(1)
    read = call(sandbox, "GET", f"/sms/{entity['id']}").json["entity"]
    assert (read["id"], read["status"]) == (entity["id"], "delivered")
    assert call(sandbox, "GET", "/sms").json["entities"] == [read]


def test_a_bulk_call_takes_what_is_valid_and_names_the_rest(sandbox):
    batch = [message(), message("600", clientId="bad"), message("+34600000920"), message("+34600000002")]

    answer = call(sandbox, "POST", "/sms/bulk", batch)

    assert answer.status == 201
    assert [entity["to"] for entity in answer.json["entities"]] == ["+34600000001", "+34600000002"]
    assert [error["index"] for error in answer.json["errors"]] == [1, 2]
    assert sandbox.ledger.accepted == 2
    record = sandbox.requests.records("bulk")[0]
    assert (record.items, record.accepted, record.status) == (4, 2, 201)


def test_the_account(sandbox):
    answer = call(sandbox, "GET", "/organization/account")

    assert (answer.status, answer.json) == (200, {"entity": {"available": 1_000_000.0, "currency": "EUR"}})


def test_a_lookup_is_pending_then_done(sandbox):
    created = call(sandbox, "POST", "/lookup", {"to": "+34600000931"})
    assert (created.status, created.json["entity"]["status"]) == (201, "pending")
    sandbox.advance(1)

    read = call(sandbox, "GET", f"/lookup/{created.json['entity']['id']}").json["entity"]

    assert (read["status"], read["absent"], read["ported"], read["type"]) == ("done", True, False, "mobile")
    assert call(sandbox, "GET", "/lookup").json["entities"] == [read]
    assert dict(sandbox.lookups.numbers()) == {"+34600000931": 1}


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("932", (False, True, "mobile")), ("933", (False, False, "landline")), ("000", (False, False, "mobile"))],
)
def test_what_a_lookup_finds_is_told_by_the_number(sandbox, digits, expected):
    sandbox.configure(lookup_after=0)
    entity = call(sandbox, "POST", "/lookup", {"to": f"+34600000{digits}"}).json["entity"]

    assert (entity["absent"], entity["ported"], entity["type"]) == expected


def test_prices(sandbox):
    sms = call(sandbox, "GET", "/price-profile/sms").json["entities"]
    lookup = call(sandbox, "GET", "/price-profile/lookup").json["entities"]

    assert {"country": "ES", "price": 0.05, "currency": "EUR"} in sms
    assert {"country": "ES", "price": 0.01, "currency": "EUR"} in lookup


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sms/nothing", 404),
        ("GET", "/lookup/nothing", 404),
        ("GET", "/sms/", 404),
        ("POST", "/sms/", 404),
        ("POST", "/sms/bulk/", 404),
        ("GET", "/v2/sms", 404),
        ("DELETE", "/sms", 405),
    ],
)
def test_what_is_not_there_is_never_a_redirect(sandbox, method, path, status):
    answer = call(sandbox, method, path)

    assert answer.status == status
    assert "date" in answer.headers


@pytest.mark.parametrize("token", [None, "wrong", "token-of-the-test"])
def test_without_the_token_nothing_works(sandbox, token):
    answer = call(sandbox, "POST", "/sms", message(), token=token)

    assert (answer.status, answer.body, sandbox.ledger.accepted) == (401, b"", 0)
    assert sandbox.requests.records()[0].token == ("missing" if token is None else "wrong")


def test_a_token_in_the_query_is_refused_and_starred_out(sandbox):
    answer = call(sandbox, "GET", f"/sms?access_token={sandbox.token}", token=None)

    assert answer.status == 401
    assert sandbox.token not in repr(sandbox.requests.records())


def test_the_token_is_never_logged(sandbox):
    call(sandbox, "GET", "/sms", headers={"User-Agent": "tests/1"})

    record = sandbox.requests.records()[0]
    assert (record.token, record.headers["user-agent"]) == ("right", "tests/1")
    assert sandbox.token not in repr(record)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'"text"', b"null"])
def test_a_single_send_that_is_no_object_is_a_400(sandbox, body):
    answer = call(sandbox, "POST", "/sms", body)

    assert (answer.status, answer.json) == (400, {"message": "The body must be a JSON object."})


@pytest.mark.parametrize("count", [0, 101])
def test_a_bulk_call_has_1_to_100_messages(sandbox, count):
    answer = call(sandbox, "POST", "/sms/bulk", [message()] * count)

    assert (answer.status, answer.json) == (400, {"message": "The body must have 1 to 100 messages."})
    assert call(sandbox, "POST", "/sms/bulk", {"0": message()}).status == 400
    assert sandbox.ledger.accepted == 0


@pytest.mark.parametrize("query", ["page=0", "per_page=0", "page=x", "page=-1"])
def test_a_page_that_makes_no_sense_is_a_400(sandbox, query):
    assert call(sandbox, "GET", f"/sms?{query}").status == 400


def test_pages_are_10_long_unless_asked_and_capped(sandbox):
    call(sandbox, "POST", "/sms/bulk", [message(f"+34600000{number:03d}") for number in range(60)])
    sandbox.configure(page_cap=25)

    lengths = [len(call(sandbox, "GET", f"/sms?{query}").json["entities"]) for query in (
        "", "page=2", "per_page=20", "per_page=50", "per_page=50&page=3", "per_page=50&page=4"
    )]  # fmt: skip

    assert lengths == [10, 10, 20, 25, 10, 0]


@pytest.mark.parametrize(
    ("digits", "alone", "in_bulk"),
    [("920", 422, 201), ("921", 400, 201), ("922", 400, 400)],
)
def test_numbers_that_the_api_rejects(sandbox, digits, alone, in_bulk):
    bad = message(f"+34600000{digits}")

    assert call(sandbox, "POST", "/sms", bad).status == alone
    assert call(sandbox, "POST", "/sms/bulk", [message(), bad]).status == in_bulk
    assert sandbox.ledger.accepted == (1 if in_bulk == 201 else 0)


def test_a_message_that_never_shows(sandbox):
    identifier = call(sandbox, "POST", "/sms", message("+34600000910")).json["entity"]["id"]
    sandbox.advance(10_000)

    assert call(sandbox, "GET", f"/sms/{identifier}").status == 404
    assert call(sandbox, "GET", "/sms").json == {"entities": []}
    assert sandbox.ledger.accepted == 1
