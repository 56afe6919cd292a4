# SPDX-License-Identifier: Apache-2.0
"""What a try says before it sends: that it plans, what it planned, and what earlier tries left."""

from __future__ import annotations

import logging
import re

import pytest
from support.bulk_send import BulkTask, Crash, messages
from support.lookup_operator import MIXED, new_task
from support.single_send import Crash as SingleCrash
from support.single_send import Hooks, SendTask, crash

from airflow_provider_instasent.campaign import campaign_try
from airflow_provider_instasent.planning.plan_progress import INTERVAL

__all__ = ["new_task"]

PLANNING = "Planning: reading rows. Nothing is sent before the last one is checked."


@pytest.fixture(autouse=True)
def _listening(caplog):
    caplog.set_level(logging.INFO, logger="airflow_provider_instasent")


@pytest.fixture
def said(caplog):
    """Return what was said since it was asked last."""

    def lines():
        ours = [record.getMessage() for record in caplog.records if "airflow_provider_instasent" in record.name]
        # What Airflow says, in the operator's name, of an operator that is run without one of its tasks.
        found = [line for line in ours if "cannot be called outside" not in line]
        caplog.clear()
        return found

    return lines


@pytest.mark.parametrize("journal", ["values", "path", "none"])
def test_a_first_try_says_that_it_plans_and_nothing_of_continuing(sandbox, tmp_path, journal, said):
    task = BulkTask(sandbox, tmp_path, journal, messages(250))
    assert task.attempt().error is None
    lines = said()
    assert lines[0] == PLANNING
    assert re.fullmatch(r"Planned: 250 rows, 250 messages, in \d+\.\d s\.", lines[1])
    assert not [line for line in lines if "continuing" in line]


@pytest.mark.parametrize("journal", ["values", "path"])
def test_a_later_try_says_what_it_begins_with(sandbox, tmp_path, journal, said):
    task = BulkTask(sandbox, tmp_path, journal, messages(400), in_flight=1)
    with pytest.raises(Crash):
        task.attempt(dies_after_request=3)
    said()
    assert task.attempt().error is None
    lines = said()
    assert lines[0] == PLANNING
    assert lines[2] == "continuing: 200 accepted, 100 in doubt, 100 planned"
    assert task.attempt().error is None
    assert "continuing" not in " ".join(said())  # it has finished, and says that


def test_a_try_after_one_that_died_while_planning_continues_nothing(sandbox, tmp_path, said):
    def broken():
        yield from messages(50)
        raise Crash

    task = BulkTask(sandbox, tmp_path, rows=broken())
    with pytest.raises(Crash):
        task.attempt()
    task.rows = messages(100)
    assert task.attempt().error is None
    assert not [line for line in said() if "continuing" in line]


def test_a_preview_says_that_it_plans(sandbox, tmp_path, said):
    BulkTask(sandbox, tmp_path, rows=messages(10)).send().preview()
    assert said()[0] == PLANNING


def test_a_campaign_of_a_slow_source_and_a_slow_journal_says_how_it_gets_on(sandbox, tmp_path, said, monkeypatch):
    monkeypatch.setattr(campaign_try, "LISTED_AT_ONCE", 50)
    now = 0.0

    class Slow(list):
        def __iter__(self):
            nonlocal now
            for row in list.__iter__(self):
                now += INTERVAL / 100
                yield row

    task = BulkTask(sandbox, tmp_path, rows=Slow(messages(250)), elapsed=lambda: now)
    segments = task.segments()

    class SlowJournal:
        in_metadata_database = False
        read, close = segments.read, segments.close

        def append(self, records):
            nonlocal now
            now += INTERVAL / 2
            segments.append(records)

    task.segments = SlowJournal
    assert task.attempt().error is None
    lines = said()
    assert [line for line in lines if line.startswith(("Planning: 1", "Planning: 2"))]
    assert lines[lines.index("Listing messages in the journal: 100 of 250.") + 1].endswith("200 of 250.")
    assert "Listed 250 messages in the journal in 37.5 s." in lines


def test_lookups_say_the_same(new_task, sandbox, said):
    task = new_task(to=MIXED, wait=False, max_in_flight=1)
    sandbox.fault("no_funds", endpoint="lookup", skip=2)
    with pytest.raises(Exception, match=r"funds|402"):
        task.run()
    lines = said()
    assert lines[0] == PLANNING
    assert not [line for line in lines if "continuing" in line]
    task.run()
    assert [line for line in said() if "continuing" in line] == ["continuing: 2 accepted, 0 in doubt, 2 planned"]


@pytest.mark.parametrize("journal", ["values", "path"])
def test_a_single_send_says_what_an_earlier_try_left(sandbox, tmp_path, journal, said):
    task = SendTask(sandbox, journal, tmp_path)
    with pytest.raises(SingleCrash):
        task.attempt(Hooks(after_acceptance=crash))
    assert not [line for line in said() if "continuing" in line]
    task.attempt()
    assert "continuing: an earlier try may have sent this message, so it is looked for first" in said()
    task.attempt()
    assert said() == []  # the operator has one line of the result


def test_a_single_send_that_was_not_accepted_says_so(sandbox, tmp_path, said):
    task = SendTask(sandbox, "path", tmp_path)
    sandbox.fault("no_funds", endpoint="send")
    with pytest.raises(Exception, match="funds"):
        task.attempt()
    task.attempt()
    assert "continuing: no earlier try got this message accepted, so it is sent now" in said()
