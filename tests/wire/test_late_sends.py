# SPDX-License-Identifier: Apache-2.0
"""A send whose connection was too long in opening does not leave: its try may have been superseded meanwhile."""

from __future__ import annotations

import pytest
from support.bulk_send import QUICK, BulkTask, messages
from urllib3.util import connection

from airflow_provider_instasent.api import watched_connections
from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.client_settings import LONGEST_TO_LEAVE
from airflow_provider_instasent.api.errors import NotSentError
from airflow_provider_instasent.api.message import Sms


class Clock:
    """A steady clock that a test sets forward."""

    def __init__(self) -> None:
        self.late = 0.0
        self._real = watched_connections.time.monotonic

    def monotonic(self) -> float:
        return self._real() + self.late


@pytest.fixture
def clock(monkeypatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(watched_connections, "time", one)
    return one


@pytest.fixture
def slow_to_open(monkeypatch, clock):
    """Lets each connection take long to open, as where a name is long in resolving."""
    connect = connection.create_connection

    def slow(*arguments, **options):
        clock.late += LONGEST_TO_LEAVE + 1
        return connect(*arguments, **options)

    monkeypatch.setattr(connection, "create_connection", slow)


@pytest.fixture
def client(sandbox):
    with InstasentClient(sandbox.token, base_url=sandbox.url, retry_policy=QUICK) as one:
        yield one


def test_it_does_not_leave_and_may_be_tried_again(sandbox, client, slow_to_open):
    with pytest.raises(NotSentError, match="could not be opened in time"):
        client.send_sms(Sms("+34600000001", "hello", "Acme"))
    assert len(sandbox.ledger) == 0
    assert sandbox.requests.records("send") == []


def test_a_read_may_take_its_time(client, slow_to_open):
    assert client.list_sms().entities == []


def test_a_campaign_writes_its_intent_again_and_goes_on(sandbox, tmp_path, monkeypatch, clock):
    connect, opened = connection.create_connection, []

    def slow_at_first(*arguments, **options):
        clock.late += 0 if opened else LONGEST_TO_LEAVE + 1
        opened.append(arguments)
        return connect(*arguments, **options)

    monkeypatch.setattr(connection, "create_connection", slow_at_first)
    task = BulkTask(sandbox, tmp_path, rows=messages(150), in_flight=1)
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 150)
    assert set(task.sent().values()) == {1}
    assert len(opened) == 2
