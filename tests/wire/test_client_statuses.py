# SPDX-License-Identifier: Apache-2.0
"""What comes back after a request left proves that nothing was accepted only where its status is one of a list."""

from __future__ import annotations

import socketserver
import threading

import pytest
from support.bulk_send import REJECTED as REJECTED_NUMBER
from support.bulk_send import BulkTask, ending, messages
from support.clients import TINY_WAITS, sms
from support.single_send import SendTask

from airflow_provider_instasent.api import InstasentClient, errors
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.refusals import REFUSED_STATUSES

PROVES_NOTHING = [300, 303, 304, 408, 409, 418, 421, 423, 425, 451, 499, 500, 502, 503, 504, 599]
REDIRECTS = [301, 302, 303, 307, 308]
CREATED = "HTTP/1.1 201 Created\r\nconnection: close\r\n"
RAW = {
    "early hints": "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
    "switching": "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    "unknown": "HTTP/1.1 777 What\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    "last": "HTTP/1.1 999 What\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    "no status": "HTTP/1.1 abc Yes\r\n\r\n",
    "no http": "SSH-2.0-OpenSSH_9.6\r\n",
    "two lengths": "HTTP/1.1 400 No\r\nconnection: close\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello",
    "a bad chunk": f"{CREATED}transfer-encoding: chunked\r\n\r\nzz\r\nhello",
    "a long chunk": f"{CREATED}transfer-encoding: chunked\r\n\r\n{'f' * 40}\r\nhello",
    "unknown packing": f"{CREATED}content-encoding: br\r\ncontent-length: 2\r\n\r\n{{}}",
    "bad packing": f"{CREATED}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{{}}",
    "nothing": "",
}
MESSAGES = [sms(number) for number in (1, 2, 3)]

ACCEPTED, REJECTED, UNCONFIRMED = MessageState.ACCEPTED, MessageState.REJECTED, MessageState.UNCONFIRMED


def lookup(client):
    return client._call("lookup", "+34600000001")


@pytest.mark.parametrize("status", PROVES_NOTHING)
def test_a_status_that_is_not_listed_leaves_a_send_unconfirmed(client, sandbox, status):
    sandbox.fault("error_after", times=None, status=status, body="" if status == 304 else '{"message": "no"}')

    for call in (lambda: client.send(MESSAGES[0]), lambda: lookup(client)):
        error = client.fails(errors.UnconfirmedError, call)
        assert error.status == status
    assert (sandbox.ledger.accepted, sandbox.lookups.accepted) == (1, 1)
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize("status", sorted({*REFUSED_STATUSES, 409, 503} - {401}))
def test_a_refusal_that_lists_what_was_accepted_is_none(client, sandbox, status):
    """Of a bulk call, the others are rejected where the answer says so."""
    sandbox.fault("status_after", times=None, status=status)

    for call in (lambda: client.send(MESSAGES[0]), lambda: lookup(client)):
        error = client.fails(errors.UnconfirmedError, call)
        assert error.status == status
    assert (sandbox.ledger.accepted, sandbox.lookups.accepted) == (1, 1)

    sandbox.reset()
    sandbox.fault("status_after", "bulk", times=None, status=status)
    outcomes = client.bulk([MESSAGES[0], sms(2, to=ending(2, REJECTED_NUMBER)), MESSAGES[2]])
    assert [outcome.state for outcome in outcomes] == [ACCEPTED, REJECTED, ACCEPTED]
    assert [outcomes[0].id, outcomes[2].id] == [message.id for message in sandbox.ledger]
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("status", [status for status in PROVES_NOTHING if status not in REDIRECTS])
def test_a_status_that_is_not_listed_leaves_a_bulk_call_unconfirmed(client, sandbox, status):
    body = "" if status == 304 else '{"errors": [{"index": 0}]}'
    sandbox.fault("error_after", "bulk", times=None, status=status, body=body)

    assert [outcome.state for outcome in client.bulk(MESSAGES)] == [UNCONFIRMED] * 3
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (1, 3)


@pytest.mark.parametrize("status", [408, 409, 425, 499])
def test_a_read_with_such_a_status_is_made_again(client, sandbox, status):
    sandbox.fault("error_before", "list", status=status)

    assert client.list().entities == []
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize("status", sorted(REFUSED_STATUSES - {429}))
def test_a_status_that_is_listed_refuses(client, sandbox, status):
    sandbox.fault("error_before", "send", status=status)

    with pytest.raises(errors.RefusedError) as caught:
        client.send(MESSAGES[0])

    assert caught.value.status == status
    assert sandbox.ledger.accepted == 0


@pytest.mark.parametrize("fault", ["redirect", "redirect_after"])
def test_a_redirect_proves_nothing_and_says_what_to_do(client, sandbox, fault):
    advice = "set the final address as `Base URL or host`"
    sandbox.fault(fault, times=None, body=f"{sandbox.url}/sms")

    assert advice in str(client.fails(errors.UnconfirmedError, client.send, MESSAGES[0]))
    assert advice in str(client.fails(errors.UnconfirmedError, lookup, client))
    assert advice in str(client.fails(errors.UnavailableError, client.list))
    stopped = client.fails(errors.BulkStoppedError, client.bulk, [sms(number) for number in range(250)])

    assert advice in str(stopped)
    assert [outcome.state for outcome in stopped.outcomes] == [UNCONFIRMED] * 100 + [MessageState.PLANNED] * 150
    assert [record.endpoint for record in sandbox.requests.records()] == ["send", "lookup", "list", "bulk"]


@pytest.mark.parametrize("answer", RAW)
def test_what_is_hardly_http_leaves_a_send_unconfirmed(connect, sandbox, answer):
    client = connect(read_timeout=30.0)
    sandbox.fault("raw", times=None, body=RAW[answer])

    client.fails(errors.UnconfirmedError, client.send, MESSAGES[0])
    client.fails(errors.UnconfirmedError, lookup, client)
    assert [outcome.state for outcome in client.bulk(MESSAGES)] == [UNCONFIRMED] * 3
    client.fails(errors.UnavailableError, client.list)

    assert (sandbox.ledger.accepted, sandbox.lookups.accepted) == (4, 1)
    assert [len(sandbox.requests.records(name)) for name in ("send", "lookup", "bulk")] == [1, 1, 1]


class LateServer(socketserver.ThreadingTCPServer):
    """Answers the first request of a connection with a 103 alone; the answer proper follows with the next request."""

    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            for answer in (b"HTTP/1.1 103 Early Hints\r\n\r\n", LATE):
                length = 0
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = line.lower().partition(b":")
                    length = int(value) if name == b"content-length" else length
                self.rfile.read(length)
                self.wfile.write(answer)


LATE = b"HTTP/1.1 201 Created\r\ncontent-length: 21\r\n\r\n" + b'{"id":"of-the-first"}'


@pytest.mark.without_base_path
def test_an_answer_is_never_taken_for_that_to_the_next_request():
    with LateServer(("127.0.0.1", 0), LateServer.Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            base_url = f"http://127.0.0.1:{server.server_address[1]}"
            with InstasentClient("token", base_url=base_url, retry_policy=TINY_WAITS) as client:
                for message in MESSAGES:
                    with pytest.raises(errors.UnconfirmedError, match="HTTP 103"):
                        client.send_sms(message)
        finally:
            server.shutdown()


@pytest.mark.parametrize("status", [302, 408, 409, 499])
@pytest.mark.parametrize("policy", ["fail", "skip", "resend"])
@pytest.mark.parametrize("echo", [True, False])
def test_a_campaign_texts_nobody_twice_after_such_a_status(sandbox, tmp_path, status, policy, echo):
    sandbox.configure(echo_client_id=echo)
    sandbox.fault("error_after", "bulk", status=status)
    task = BulkTask(sandbox, tmp_path, rows=messages(150), policy=policy, in_flight=1)

    task.attempt()
    outcome = task.attempt()

    assert outcome.error is None
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == outcome.summary["accepted"] == 150


@pytest.mark.parametrize("status", [302, 408, 409, 499])
def test_a_single_send_texts_nobody_twice_after_such_a_status(sandbox, tmp_path, status):
    sandbox.fault("error_after", "send", status=status)
    task = SendTask(sandbox, "values", tmp_path)

    result = task.run()

    assert (result.outcome.state, result.outcome.id) == (ACCEPTED, sandbox.ledger.message(0).id)
    assert task.sends() == 1
