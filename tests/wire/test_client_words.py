# SPDX-License-Identifier: Apache-2.0
"""The API's words are data: of whatever kind and length, they stop no client, no campaign and no later try of it."""

from __future__ import annotations

import json
import time

import pytest
from support.bulk_send import REJECTED, BulkTask, ending, messages
from support.clients import sms
from support.events import LONG

from airflow_provider_instasent.api import InstasentClient, MessageState, errors
from airflow_provider_instasent.api.endpoints import LONGEST_ID
from airflow_provider_instasent.campaign.sms_history import History, HistoryWindow
from airflow_provider_instasent.waiting.delivery_watch import Watch
from airflow_provider_instasent.waiting.lone_reader import LoneReader

ACCEPTED, UNCONFIRMED = MessageState.ACCEPTED, MessageState.UNCONFIRMED


def nested(levels):
    value = "deep"
    for _ in range(levels // 2):
        value = {"a": [value]}
    return value


WORDS = {
    "surrogate": "a\ud800b",
    "surrogates": "\udfff" * 50,
    "nul": "a\0b",
    "controls": "a\x1b[31m\r\n\x07b\u202e",
    "megabytes": "x" * 3_000_000,
    "blank": " \t ",
}
ODD = {**WORDS, "float": 1.5, "boolean": True, "null": None, "list": ["a"], "object": {"a": 1}, "nested": nested(480)}
FAULTS = ["fields", "raw_fields"]
NO_IDS = sorted(ODD)
MESSAGES = [sms(number) for number in (1, 2, 3)]

each_oddity = pytest.mark.parametrize("oddity", sorted(ODD))
each_fault = pytest.mark.parametrize("fault", FAULTS)


def lookup(client):
    return client._call("lookup", "+34600000001")


def assert_can_be_kept(value):
    """XCom takes it: JSON that is UTF-8, and that no serializer of ours or of Airflow descends without end."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    assert str(value).count("{") < 40


@each_fault
@each_oddity
@pytest.mark.parametrize("field", ["status", "clientId", "createdAt", "anything"])
def test_an_odd_field_fails_no_send_that_was_accepted(client, sandbox, fault, oddity, field):
    sandbox.fault(fault, times=None, fields={field: ODD[oddity]})

    for call, kept in ((lambda: client.send(MESSAGES[0]), sandbox.ledger), (lambda: lookup(client), sandbox.lookups)):
        entity = call()
        assert kept.find(entity["id"])
        assert_can_be_kept(entity)
    outcomes = client.bulk(MESSAGES)

    assert len(sandbox.requests) == 3
    by_id = {message.id: message.to for message in sandbox.ledger}
    for outcome, message in zip(outcomes, MESSAGES, strict=True):
        assert outcome.state in ({ACCEPTED, UNCONFIRMED} if field == "clientId" else {ACCEPTED})
        assert outcome.id is None or by_id[outcome.id] == message.to
        assert len(outcome.status or "") <= 40
        assert (outcome.status or "").isprintable()


@each_fault
@each_oddity
def test_what_cannot_be_an_id_leaves_a_send_unconfirmed(client, sandbox, fault, oddity):
    sandbox.fault(fault, times=None, fields={"id": ODD[oddity]})

    client.fails(errors.UnconfirmedError, client.send, MESSAGES[0])
    client.fails(errors.UnconfirmedError, lookup, client)
    assert [outcome.state for outcome in client.bulk(MESSAGES)] == [UNCONFIRMED] * 3
    client.fails(errors.UnavailableError, client.list)

    assert (sandbox.ledger.accepted, sandbox.lookups.accepted) == (4, 1)
    assert [len(sandbox.requests.records(name)) for name in ("send", "lookup", "bulk")] == [1, 1, 1]


@pytest.mark.parametrize("identifier", [7, "x" * LONGEST_ID])
def test_an_id_of_sensible_length_is_one_of_a_send(client, sandbox, identifier):
    sandbox.fault("fields", times=None, fields={"id": identifier})

    assert client.send(MESSAGES[0])["id"] == str(identifier)
    assert [outcome.id for outcome in client.bulk(MESSAGES[:1])] == [str(identifier)]


@each_fault
@each_oddity
@pytest.mark.parametrize("field", ["status", "statusCode", "createdAt", "clientId", "to", "text", "from", "anything"])
def test_an_odd_field_keeps_no_list_and_no_wait_from_being_read(sandbox, tmp_path, fault, oddity, field):
    with InstasentClient(sandbox.token, base_url=sandbox.url) as client:
        ids = [client.send_sms(message)["id"] for message in MESSAGES]
        sandbox.fault(fault, times=None, fields={field: ODD[oddity]})
        watch = Watch(ids)
        with LoneReader(watch, deadline=time.time() + LONG, poll_interval=1.0, per_minute=100_000) as reader:
            reader.sweep(client)
        with History(HistoryWindow()) as history:
            history.read(client.list_sms)
            assert history.write(tmp_path / "history.jsonl") == 3

    assert watch.failed_sweeps == 0
    assert_can_be_kept(watch.result().as_dict())
    assert_can_be_kept(watch.memory())
    assert all(len(status) <= 40 for status in watch.result().counts)
    lines = (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == sorted(ids)


BODIES = {
    **{f"message {name}": json.dumps({"message": word}) for name, word in WORDS.items()},
    **{f"raw {name}": json.dumps({"errors": [{"to": [word]}]}, ensure_ascii=False) for name, word in WORDS.items()},
    "deep message": json.dumps({"message": nested(480)}),
    "deep errors": json.dumps({"errors": [nested(480)]}),
    "deeper": '{"errors": ' + "[" * 100_000,
    "odd errors": '{"errors": [1.5, null, true, [[]], {"index": {}}, {"clientId": []}], "message": null}',
    "a long number": "9" * 5_000,
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [400, 422, 500, 409])
def test_no_error_body_changes_what_its_status_means(client, sandbox, body, status):
    lost = status in (409, 500)
    sandbox.fault("error_after" if lost else "error_before", times=None, status=status, body=BODIES[body])

    for call in (lambda: client.send(MESSAGES[0]), lambda: lookup(client)):
        error = client.fails(errors.UnconfirmedError if lost else errors.InvalidRequestError, call)
        assert str(error).isprintable()
        assert len(str(error)) < 500
    states = {outcome.state for outcome in client.bulk(MESSAGES)}

    assert states == {UNCONFIRMED if lost else MessageState.REJECTED}
    assert sandbox.ledger.accepted == 4 * lost


@pytest.mark.parametrize("journal", ["values", "path"])
@pytest.mark.parametrize("word", sorted(WORDS))
def test_no_word_stops_a_campaign_nor_its_next_try(sandbox, tmp_path, journal, word):
    sandbox.configure(rejection_words=WORDS[word])
    sandbox.fault("error_after", "bulk", status=500, body=json.dumps({"message": WORDS[word]}))
    sandbox.fault("raw_fields", "bulk", times=None, fields={"status": WORDS[word]})
    rows = [*messages(103), {"to": ending(1, REJECTED), "text": "private"}]
    task = BulkTask(sandbox, tmp_path, journal, rows, in_flight=1)
    task.options = {"results_path": task.results_path}

    first = task.attempt()
    task.owner = "dag/run/another/-1"  # so that the journal is replayed in place of the stored result
    second = task.attempt()

    for outcome in (first, second):
        assert (outcome.error, outcome.summary["accepted"], outcome.summary["rejected"]) == (None, 103, 1)
        assert_can_be_kept(outcome.summary)
    assert set(task.sent().values()) == {1}
    assert len(task.results()) == 104
    for line in task.results():
        assert_can_be_kept(line)
        assert len(line["reason"] or "") <= 300


@pytest.mark.parametrize("oddity", NO_IDS)
def test_a_campaign_whose_ids_are_none_finds_its_messages(sandbox, tmp_path, oddity):
    sandbox.fault("raw_fields", "bulk", times=None, fields={"id": ODD[oddity]})
    task = BulkTask(sandbox, tmp_path, "values", messages(150))

    outcome = task.attempt()

    assert (outcome.error, outcome.summary["accepted"]) == (None, 150)
    assert set(outcome.summary["message_ids"]) == {message.id for message in sandbox.ledger}
    assert set(task.sent().values()) == {1}
