# SPDX-License-Identifier: Apache-2.0
"""Each fault over real sockets: what the client sees, and whether the message was accepted."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from support.events import LONG, wait_until
from support.sandbox import call, message

REFUSED = [
    ("rate_limited", 429),
    ("no_funds", 402),
    ("unauthorized", 401),
    ("forbidden", 403),
    ("not_found", 404),
    ("too_large", 413),
    ("redirect", 302),
    ("error_before", 503),
]


def send(sandbox):
    return call(sandbox, "POST", "/sms", message())


def send_three(sandbox):
    batch = [message(f"+3460000000{number}", clientId=str(number)) for number in range(3)]
    return call(sandbox, "POST", "/sms/bulk", batch)


@pytest.mark.parametrize(("name", "accepted"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_is_a_connection_closed_without_an_answer(sandbox, name, accepted):
    sandbox.fault(name, "send")

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        send(sandbox)

    assert sandbox.ledger.accepted == accepted
    record = sandbox.requests.records()[0]
    assert (record.fault, record.status, record.accepted) == (name, None, accepted)
    assert send(sandbox).status == 201


def test_a_cut_may_be_a_reset(sandbox):
    sandbox.fault("cut_after", "send", reset=True)

    with pytest.raises(ConnectionResetError):
        send(sandbox)

    assert sandbox.ledger.accepted == 1


@pytest.mark.parametrize(("name", "accepted"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_timeout_says_nothing_for_a_while_and_then_cuts(sandbox, name, accepted):
    sandbox.fault(name, "send", seconds=0.3)
    started = time.monotonic()

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        send(sandbox)

    assert time.monotonic() - started > 0.29
    assert sandbox.ledger.accepted == accepted


def test_the_usual_clients_see_a_timeout_and_the_server_lets_go(sandbox):
    sandbox.fault("timeout_after", "account", times=2, seconds=3600)
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/organization/account", headers=headers, timeout=0.2)
    with httpx.Client() as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{sandbox.url}/organization/account", headers=headers, timeout=0.2)

    wait_until(lambda: all(record.finished for record in sandbox.requests.records()), "the end of both requests")


@pytest.mark.parametrize(("name", "status"), REFUSED)
def test_a_refusal_has_its_status_an_empty_body_and_accepts_nothing(sandbox, name, status):
    sandbox.fault(name, "send")

    answer = send(sandbox)

    assert (answer.status, answer.body, sandbox.ledger.accepted) == (status, b"", 0)
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date"} <= set(answer.headers)


def test_an_error_after_acceptance(sandbox):
    sandbox.fault("error_after", "send", status=500, body='{"message": "oops"}')

    answer = send(sandbox)

    assert (answer.status, answer.json, sandbox.ledger.accepted) == (500, {"message": "oops"}, 1)
    assert answer.headers["content-type"] == "application/json"


def test_429_says_when_to_come_back(sandbox):
    sandbox.stop_clock()
    sandbox.fault("rate_limited", "send", seconds=7)

    headers = send(sandbox).headers

    assert headers["x-ratelimit-remaining"] == "0"
    assert 0 <= int(headers["x-ratelimit-reset"]) - (sandbox.sandbox.server_time() + 7) < 1


def test_a_redirect_leads_elsewhere(sandbox):
    sandbox.fault("redirect", "send", body="http://127.0.0.1:9/sms")

    assert send(sandbox).headers["location"] == "http://127.0.0.1:9/sms"


@pytest.mark.parametrize(("name", "status", "accepted"), [("html", 201, 1), ("html_before", 200, 0)])
def test_html_in_place_of_json(sandbox, name, status, accepted):
    sandbox.fault(name, "send")

    answer = send(sandbox)

    assert (answer.status, sandbox.ledger.accepted) == (status, accepted)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_a_truncated_body_is_shorter_than_its_length(sandbox):
    sandbox.fault("truncated", "send")

    with pytest.raises(http.client.IncompleteRead) as caught:
        send(sandbox)

    assert caught.value.partial.startswith(b'{"entity": {"id":')
    assert caught.value.expected in (len(caught.value.partial), len(caught.value.partial) + 1)
    assert sandbox.ledger.accepted == 1


def test_truncated_json_is_a_complete_response(sandbox):
    sandbox.fault("truncated_json", "send")

    answer = send(sandbox)

    assert (answer.status, sandbox.ledger.accepted) == (201, 1)
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


def test_an_empty_201(sandbox):
    sandbox.fault("empty", "send")

    answer = send(sandbox)

    assert (answer.status, answer.body, sandbox.ledger.accepted) == (201, b"", 1)


def test_an_item_missing_from_a_bulk_answer(sandbox):
    sandbox.fault("item_missing", "bulk", seed=1)

    answer = send_three(sandbox)

    assert len(answer.json["entities"]) == 2
    assert (answer.json["errors"], sandbox.ledger.accepted) == ([], 3)


def test_entities_in_another_order(sandbox):
    sandbox.fault("shuffled", "bulk", times=20)

    for _ in range(20):
        order = [entity["clientId"] for entity in send_three(sandbox).json["entities"]]
        assert sorted(order) == ["0", "1", "2"] != order


def test_the_usual_body_under_another_status(sandbox):
    sandbox.fault("status_after", "bulk", status=422)

    answer = send_three(sandbox)

    assert (answer.status, len(answer.json["entities"]), sandbox.ledger.accepted) == (422, 3, 3)


def test_entities_without_ids(sandbox):
    sandbox.fault("without_id", times=3)

    assert "id" not in send(sandbox).json["entity"]
    assert [set(entity) & {"id", "to"} for entity in send_three(sandbox).json["entities"]] == [{"to"}] * 3
    sandbox.configure(envelope="bare")
    assert set(send(sandbox).json) & {"id", "to"} == {"to"}


def test_entities_with_one_id(sandbox):
    sandbox.fault("same_id", "bulk")

    assert len({entity["id"] for entity in send_three(sandbox).json["entities"]}) == 1
    assert len({entity["id"] for entity in send_three(sandbox).json["entities"]}) == 3


@pytest.mark.parametrize(
    ("name", "told"), [("fields", b'"status": "a\\ud800\\u0000"'), ("raw_fields", b'"status": "a\xed\xa0\x80\\u0000"')]
)
def test_fields_of_any_kind_in_each_entity(sandbox, name, told):
    sandbox.fault(name, times=None, fields={"status": "a\ud800\0", "id": {"odd": [None]}})

    for answer in (send(sandbox), send_three(sandbox), call(sandbox, "GET", "/sms")):
        assert told in answer.body
        assert b'"id": {"odd": [null]}' in answer.body


@pytest.mark.parametrize(("name", "status"), [("redirect_after", 302), ("error_after", 499)])
def test_a_status_after_acceptance(sandbox, name, status):
    sandbox.fault(name, "send", status=status, body="/nowhere")

    answer = send(sandbox)

    assert (answer.status, sandbox.ledger.accepted) == (status, 1)
    assert answer.headers.get("location") == ("/nowhere" if status == 302 else None)


def test_what_is_no_http(sandbox):
    sandbox.fault("raw", "send", body="HTTP/1.1 599 \xff\r\nx: y\r\n\r\nhello")

    answer = send(sandbox)

    assert (answer.status, answer.headers, answer.body) == (599, {"x": "y"}, b"hello")
    assert sandbox.ledger.accepted == 1


@pytest.mark.parametrize(("name", "size"), [("huge", 3_000_000), ("huge_gzip", 3_000_000), ("gzip", 0)])
def test_a_body_that_is_large_or_packed(sandbox, name, size):
    sandbox.fault(name, "send", size=size)

    answer = send(sandbox)

    packed = answer.headers.get("content-encoding") == "gzip"
    assert packed is (name != "huge")
    body = gzip.decompress(answer.body) if packed else answer.body
    assert len(body) == size or not size
    assert json.loads(body)["entity"]["id"] == sandbox.ledger.message(0).id


@pytest.mark.parametrize("name", ["drip_head", "drip_body", "endless_head"])
def test_an_answer_without_end(sandbox, name):
    sandbox.fault(name, "send", seconds=0.001)
    payload = json.dumps(message()).encode()
    head = f"POST /sms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sandbox.token}\r\nContent-Length: {len(payload)}"
    address = ("127.0.0.1", int(urlsplit(sandbox.url).port))
    with socket.create_connection(address, timeout=30) as wire:
        wire.sendall(head.replace("/sms", f"{sandbox.base_path}/sms").encode() + b"\r\n\r\n" + payload)
        heard = b""
        while len(heard) < 400:
            heard += wire.recv(100)

    assert heard.startswith(b"HTTP/1.1 201 So\r\n")
    assert (b"\r\n\r\n" in heard) is (name == "drip_body")
    assert sandbox.ledger.accepted == 1
    deadline = time.monotonic() + 30
    while not all(record.finished for record in sandbox.requests.records()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert send(sandbox).status == 201


def test_a_poll_that_fails(sandbox):
    identifier = send(sandbox).json["entity"]["id"]
    sandbox.fault("poll_fails", times=2)

    assert send(sandbox).status == 201
    statuses = [call(sandbox, "GET", path).status for path in (f"/sms/{identifier}", "/sms", "/sms")]
    assert statuses == [503, 503, 200]


def test_faults_by_probability_go_on_until_cleared(sandbox):
    sandbox.fault("error_before", "send", probability=0.5, seed=3)
    statuses = [send(sandbox).status for _ in range(40)]
    sandbox.clear_faults()

    assert 8 < statuses.count(503) < 32
    assert sandbox.ledger.accepted == statuses.count(201)
    assert [send(sandbox).status for _ in range(5)] == [201] * 5


def test_a_cut_in_a_kept_alive_connection(sandbox):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sandbox.token}"
        session.post(f"{sandbox.url}/sms", json=message(), timeout=LONG)
        sandbox.fault("cut_after", "send")
        with pytest.raises(requests.ConnectionError):
            session.post(f"{sandbox.url}/sms", json=message(), timeout=LONG)
        session.post(f"{sandbox.url}/sms", json=message(), timeout=LONG)

    connections = [record.connection for record in sandbox.requests.records("send")]
    assert connections[0] == connections[1] != connections[2]
    assert sandbox.ledger.accepted == 3
