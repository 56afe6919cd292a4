# SPDX-License-Identifier: Apache-2.0

"""Where each planned message stands, on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from support.campaign import KEYS, key

from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.worker_clock import Moment
from airflow_provider_instasent.planning.spool import Spool

ACCEPTED, REJECTED, UNCONFIRMED, PLANNED = (
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
    MessageState.PLANNED,
)


@pytest.fixture
def spool():
    with Spool() as opened:
        opened.keys = KEYS
        for number in range(10):
            message = Sms(f"+3460000000{number}", f"text {number}", "Acme")
            assert opened.add(number, key(number), message, 1)
        opened.roster.extend([key(number) for number in range(10)], [None] * 10)
        yield opened


def settle(spool, place, state, **fields):
    spool.roster.settle([MessageOutcome(place, state, **fields)])


def state(spool, place):
    return next(row["state"] for row in spool.report() if row["position"] == place)


def test_planned_messages_come_in_roster_order_a_few_at_a_time(spool):
    first = spool.planned(-1, 4)
    assert [item.place for item in first] == [0, 1, 2, 3]
    assert [item.place for item in spool.planned(3, 100)] == [4, 5, 6, 7, 8, 9]


def test_what_is_accepted_stays_so_and_may_learn_its_id(spool):
    spool.roster.intend([(0, 1)], Moment(5.0))
    settle(spool, 0, ACCEPTED)
    assert [item.place for item in spool.roster.to_look_for()] == [0]  # its id is to be found
    settle(spool, 0, REJECTED)
    settle(spool, 0, ACCEPTED, id="x")
    settle(spool, 0, ACCEPTED, id="y")
    spool.roster.intend([(0, 1)], Moment(6.0))
    assert spool.first_ids(5) == ["x"] == spool.roster.first_ids(5)
    assert ("x" in spool.roster, "y" in spool.roster) == (True, False)
    assert state(spool, 0) == "accepted"


@pytest.mark.parametrize("outcome", [PLANNED, REJECTED])
def test_a_refusal_says_nothing_about_an_earlier_request_in_doubt(spool, outcome):
    spool.roster.intend([(0, 1)], Moment(5.0))
    settle(spool, 0, UNCONFIRMED)
    assert spool.reopen_doubtful() == 1
    (again,) = [item for item in spool.planned(-1, 1) if item.doubted]
    assert again.place == 0
    spool.roster.intend([(0, 1)], Moment(9.0))
    settle(spool, 0, outcome)
    assert state(spool, 0) == "unconfirmed"
    assert [(item.place, item.moment.at) for item in spool.roster.to_look_for()] == [
        (0, 5.0)
    ]  # since the first of its requests


def test_what_is_reopened_and_not_sent_stays_unconfirmed(spool):
    spool.roster.intend([(0, 3)], Moment(5.0))
    assert spool.reopen_doubtful() == 3
    assert spool.counts() == {"planned": 7, "intended": 3}


def test_a_report_has_all_rows_in_input_order(spool):
    spool.roster.intend([(0, 1)], Moment(5.0))
    settle(spool, 0, REJECTED, reason="why")
    assert [row["position"] for row in spool.report()] == list(range(10))
    first = next(spool.report())
    assert first.pop("client_id").startswith("ia-")
    told = {"position": 0, "id": None, "state": "rejected", "status": None, "reason": "why", "accepted_at": None}
    assert first == told
    assert spool.total_parts() == 10


def test_what_was_intended_and_has_no_answer_is_reported_as_unconfirmed(spool):
    spool.roster.intend([(0, 2)], Moment(5.0))
    settle(spool, 0, UNCONFIRMED)
    assert [row["state"] for row in spool.report()] == ["unconfirmed"] * 2 + ["planned"] * 8


def test_nothing_is_left_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with Spool() as opened:
        for number in range(30_000):
            opened.add(number, key(number), Sms("+34600000001", "t" * 1_000, "Acme"), 1)
        assert list(tmp_path.iterdir()) == []  # it has no name, so no SIGKILL can leave people's data behind


def open_temporary_files() -> list[os.stat_result]:
    """SQLite's files without a name that this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            if "etilqs" in str(descriptor.readlink()):
                found.append(descriptor.stat())
        except FileNotFoundError:  # that of the look itself
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells what a process has open")
def test_the_file_has_no_name_and_is_its_owners_alone_whatever_the_umask():
    former = os.umask(0)
    try:
        with Spool() as spool:
            text = "x" * 1_000
            for number in range(25_000):  # more than it keeps in memory
                spool.add(number, key(number), Sms(f"+34600{number:06d}", text, "Acme"), 1)
            files = open_temporary_files()
    finally:
        os.umask(former)
    assert files
    assert {(oct(stat.S_IMODE(status.st_mode)), status.st_nlink) for status in files} == {("0o600", 0)}
