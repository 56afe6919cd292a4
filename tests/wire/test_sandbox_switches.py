# SPDX-License-Identifier: Apache-2.0
"""The switches for what is unknown about the real API, over real sockets."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from support.events import LONG, wait_until
from support.sandbox import call, message


def send(sandbox, **fields):
    return call(sandbox, "POST", "/sms", message(**fields))


def listed(sandbox, query="per_page=100"):
    return [entity["to"][-1] for entity in call(sandbox, "GET", f"/sms?{query}").json["entities"]]


def test_a_bare_envelope(sandbox):
    sandbox.configure(envelope="bare")

    identifier = send(sandbox).json["id"]

    assert call(sandbox, "GET", f"/sms/{identifier}").json["id"] == identifier
    assert call(sandbox, "GET", "/organization/account").json["currency"] == "EUR"
    assert call(sandbox, "POST", "/lookup", {"to": "+34600000001"}).json["status"] == "pending"
    assert [entity["id"] for entity in call(sandbox, "GET", "/sms").json["entities"]] == [identifier]


def test_what_is_echoed(sandbox):
    sandbox.configure(echo_client_id=False, send_created_at=False)

    assert {"clientId", "createdAt"} & set(send(sandbox, clientId="mine").json["entity"]) == set()
    assert sandbox.ledger.client_ids() == {"mine": 1}


@pytest.mark.parametrize(
    ("form", "unit", "kind"),
    [("unix", 1, int), ("milliseconds", 1e3, int), ("microseconds", 1e6, int), ("milliseconds_string", 1e3, str)],
)
def test_the_form_of_a_creation_time(sandbox, form, unit, kind):
    sandbox.configure(created_form=form)

    for entity in (
        send(sandbox).json["entity"],
        call(sandbox, "POST", "/lookup", {"to": "+34600000001"}).json["entity"],
    ):
        assert type(entity["createdAt"]) is kind
        assert abs(int(entity["createdAt"]) / unit - time.time()) < 3600


@pytest.mark.parametrize(("shown", "names"), [("id", {"id"}), ("id_and_text", {"id", "text"})])
def test_what_entities_of_a_bulk_answer_show(sandbox, shown, names):
    sandbox.configure(bulk_entities=shown)

    entities = call(sandbox, "POST", "/sms/bulk", [message(), message()]).json["entities"]

    assert [set(entity) for entity in entities] == [names] * 2
    assert "to" in send(sandbox).json["entity"]


def test_indexes_may_count_from_one(sandbox):
    sandbox.configure(bulk_index_base=1)
    batch = [message(), message("1"), message("2")]

    assert [error["index"] for error in call(sandbox, "POST", "/sms/bulk", batch).json["errors"]] == [2, 3]


def test_the_words_of_a_rejection(sandbox):
    sandbox.configure(rejection_words="no\ud800")

    assert (
        call(sandbox, "POST", "/sms", message("1")).body == b'{"status": "error", "errors": {"to": ["no\xed\xa0\x80"]}}'
    )


def test_funds_may_be_checked_item_by_item(sandbox):
    sandbox.configure(balance=0.08, price_per_part=0.05, funds_checked="item")

    answer = call(sandbox, "POST", "/sms/bulk", [message(), message(), message(), message("1")])

    assert (answer.status, len(answer.json["entities"])) == (201, 2)
    assert [error["errors"] for error in answer.json["errors"]] == [
        {"": ["Not enough funds."]},
        {"to": ["This value is not a valid phone number."]},
    ]
    assert send(sandbox).status == 402


def test_numbers_as_strings(sandbox):
    sandbox.configure(numbers_as_strings=True, balance=2.5)

    entity = send(sandbox, text="x" * 161).json["entity"]

    assert [entity[name] for name in ("charsCount", "messagesCount", "pricePerSms", "priceUser")] == [
        "161", "2", "0.05", "0.1"
    ]  # fmt: skip
    assert call(sandbox, "GET", "/organization/account").json["entity"]["available"] == "2.4"
    assert call(sandbox, "GET", "/price-profile/sms").json["entities"][0]["price"] == "0.05"


@pytest.mark.parametrize("status", [201, 422])
def test_a_batch_rejected_as_a_whole(sandbox, status):
    sandbox.configure(bulk_rejection_status=status, bulk_errors="object_by_index")

    answer = call(sandbox, "POST", "/sms/bulk", [message("1"), message("2")])

    assert (answer.status, answer.json["entities"], list(answer.json["errors"])) == (status, [], ["0", "1"])


@pytest.mark.parametrize(("status", "body"), [(400, "message"), (422, "errors")])
def test_a_single_send_that_is_rejected(sandbox, status, body):
    sandbox.configure(single_rejection_status=status)

    answer = send(sandbox, to="1", text="")

    assert (answer.status, sandbox.ledger.accepted) == (status, 0)
    assert all(field in str(answer.json[body]) for field in ("to", "text"))


def test_a_repeated_client_id_is_accepted_or_refused(sandbox):
    batch = [message(clientId="a"), message(clientId="b"), message(clientId="a"), message()]
    assert len(call(sandbox, "POST", "/sms/bulk", batch).json["entities"]) == 4
    assert sandbox.ledger.client_ids() == {"a": 2, "b": 1}
    sandbox.configure(repeated_client_id="refuse")

    fresh = [message(clientId="c"), message(clientId="a"), message(clientId="c"), message()]
    answer = call(sandbox, "POST", "/sms/bulk", fresh).json

    assert [error["index"] for error in answer["errors"]] == [1, 2]
    assert send(sandbox, clientId="b").json["errors"] == {"clientId": ["This value is already used."]}
    assert send(sandbox, clientId="new").status == 201


def test_list_order(sandbox):
    call(sandbox, "POST", "/sms/bulk", [message(f"+3460000000{number}") for number in range(5)])

    assert listed(sandbox, "per_page=3") == ["4", "3", "2"]
    sandbox.configure(list_order="oldest")
    assert listed(sandbox, "per_page=3&page=2") == ["3", "4"]


def test_the_end_of_a_list(sandbox):
    call(sandbox, "POST", "/sms/bulk", [message(f"+3460000000{number}") for number in range(5)])

    assert listed(sandbox, "per_page=3&page=9") == []
    sandbox.configure(list_end="repeats")
    assert listed(sandbox, "per_page=3&page=9") == ["1", "0"]


def test_when_things_were_created(sandbox):
    sandbox.configure(created_form="milliseconds", created_behind=1.0)
    sms, lookup = send(sandbox).json["entity"], call(sandbox, "POST", "/lookup", {"to": "+34600000001"}).json["entity"]
    for entity in (sms, lookup):
        assert -4_000 < entity["createdAt"] / 1000 - time.time() < -3_500
    sandbox.configure(created_unreadable=1.0)
    assert call(sandbox, "GET", f"/sms/{sms['id']}").json["entity"].get("createdAt") in {None, "just now"}


def test_lists_and_reads_lag_apart(sandbox):
    sandbox.configure(list_lag=100, read_lag=50)
    identifier = send(sandbox).json["entity"]["id"]

    def seen():
        return call(sandbox, "GET", f"/sms/{identifier}").status, len(listed(sandbox))

    assert seen() == (404, 0)
    sandbox.advance(60)
    assert seen() == (200, 0)
    sandbox.advance(60)
    assert seen() == (200, 1)


@pytest.mark.parametrize(
    ("digits", "final"),
    [
        ("901", "failed"), ("902", "error"), ("903", "expired"), ("904", "rejected"), ("905", "canceled"),
        ("906", "unpaid"), ("907", "unknown"), ("908", "sent"), ("909", "teleported"), ("911", " DELIVERED "),
        ("912", "cancelled"), ("913", "enqueued"), ("931", "failed"), ("932", "delivered"), ("933", "rejected"),
        ("000", "delivered"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_message_is_told_by_its_number(sandbox, digits, final):
    sandbox.configure(sent_after=100, final_after=200)
    identifier = send(sandbox, to=f"+34600000{digits}").json["entity"]["id"]
    seen = []
    for _ in range(3):
        seen.append(call(sandbox, "GET", f"/sms/{identifier}").json["entity"]["status"])
        sandbox.advance(110)

    middle = "enqueued" if final == "enqueued" else "sent"
    assert seen == ["enqueued", middle, final]


def test_funds_run_out_and_return(sandbox):
    sandbox.configure(balance=0.12, price_per_part=0.05)

    statuses = [send(sandbox).status for _ in range(4)]
    batch = call(sandbox, "POST", "/sms/bulk", [message(), message()])

    assert (statuses, batch.status, batch.body) == ([201, 201, 201, 402], 402, b"")
    assert call(sandbox, "POST", "/lookup", {"to": "+34600000001"}).status == 402
    assert call(sandbox, "GET", "/organization/account").json["entity"]["available"] == -0.03
    sandbox.configure(balance=1)
    assert call(sandbox, "POST", "/sms/bulk", [message(), message()]).status == 201
    assert call(sandbox, "GET", "/organization/account").json["entity"]["available"] == 0.9


def test_a_body_too_large(sandbox):
    sandbox.configure(max_body_bytes=200)

    assert call(sandbox, "POST", "/sms", message(text="x" * 200)).status == 413
    assert send(sandbox).status == 201


def test_the_rate_limit_counts_per_endpoint_and_refuses_before_acceptance(sandbox):
    sandbox.configure(rate_limit=2)

    answers = [send(sandbox) for _ in range(3)]

    assert [answer.status for answer in answers] == [201, 201, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"2"}
    assert (answers[2].body, sandbox.ledger.accepted) == (b"", 2)
    assert call(sandbox, "GET", "/sms").status == 200
    assert call(sandbox, "GET", "/organization/account", token="wrong").headers["x-ratelimit-remaining"] == "2"
    sandbox.advance(61)
    assert send(sandbox).status == 201


def test_a_scaled_window_opens_again_at_its_reset(sandbox):
    sandbox.stop_clock()
    sandbox.configure(rate_limit=1, rate_window=1)
    reset = int(send(sandbox).headers["x-ratelimit-reset"])
    until_reset = reset - sandbox.sandbox.server_time()
    assert 0 < until_reset <= 1

    sandbox.advance(until_reset - 0.01)
    assert send(sandbox).status == 429
    sandbox.advance(0.02)
    assert send(sandbox).status == 201


def test_the_servers_clock_may_be_off(sandbox):
    sandbox.stop_clock()
    right = sandbox.sandbox.server_time()
    sandbox.configure(clock_skew=-3600)
    wrong = datetime.fromtimestamp(int(right - 3600), UTC)

    answer = send(sandbox)

    assert parsedate_to_datetime(answer.headers["date"]) == wrong
    assert datetime.fromisoformat(answer.json["entity"]["createdAt"]) == wrong
    assert int(answer.headers["x-ratelimit-reset"]) == wrong.timestamp() + 60
    assert parsedate_to_datetime(call(sandbox, "GET", "/nowhere").headers["date"]) == wrong


def test_the_servers_clock_is_this_machines_until_it_is_switched(sandbox):
    before = time.time()
    told = parsedate_to_datetime(send(sandbox).headers["date"]).timestamp()
    assert before - 2 < told < time.time() + 1


def test_latency_and_how_many_were_in_flight(sandbox):
    sandbox.stop_clock()
    sandbox.configure(latency=0.2)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(send, sandbox) for _ in range(4)]
        sandbox.wait_for_in_flight(4)
        assert sandbox.ledger.accepted == 0
        sandbox.advance(0.15)
        wait_until(lambda: sandbox.ledger.accepted == 4, "acceptance in the middle of the latency")
        assert not any(answer.done() for answer in answers)
        sandbox.advance(0.1)
        assert [answer.result(LONG).status for answer in answers] == [201] * 4

    assert sorted(record.in_flight for record in sandbox.requests.records()) == [1, 2, 3, 4]


@pytest.mark.parametrize("shown", [0.0, 3600.0])
@pytest.mark.parametrize("passed", [0.1, 0.7])
def test_a_reset_ends_the_requests_that_came_before_it(sandbox, shown, passed):
    sandbox.advance(shown)
    sandbox.stop_clock()
    sandbox.configure(latency=1.0)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(send, sandbox)
        sandbox.wait_for_in_flight(1)
        sandbox.advance(passed)
        if passed > 0.5:
            wait_until(lambda: sandbox.ledger.accepted == 1, "acceptance")
        sandbox.reset()
        assert sandbox.sandbox.in_flight == 0
        sandbox.stop_clock()
        if passed > 0.5:
            assert late.result(LONG).status == 201
        else:
            with pytest.raises(ConnectionError):
                late.result(LONG)
    assert (sandbox.sandbox.in_flight, sandbox.ledger.accepted) == (0, 0)
