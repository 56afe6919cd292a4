# SPDX-License-Identifier: Apache-2.0
"""A later try knows the plans of those before it: what each was made of, and whose it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from support.campaign import Segments, key

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal import journal as module
from airflow_provider_instasent.journal.events import PLAN
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.journal.roster import Roster
from airflow_provider_instasent.journal.worker_clock import WorkerClock

TOTAL = 9
SOME = [(0, 1), (2, 1), (4, 2), (7, 2)]
PLACES = {0, 2, 4, 5, 7, 8}


@pytest.mark.parametrize("spans_a_record", [1, 3, 100])
@pytest.mark.parametrize(("owner", "ours"), [("first", [1] * TOTAL), ("second", [0] * TOTAL)])
def test_plans_are_known_however_many_records_they_take_and_whosoever_they_are(
    monkeypatch, spans_a_record, owner, ours
):
    monkeypatch.setattr(module, "SPANS_A_RECORD", spans_a_record)
    store = Segments()
    with Journal(store) as journal:
        list(journal.replay())
        journal.enlist([key(number) for number in range(TOTAL)], [None] * TOTAL)
        for name, spans in (("all", [(0, TOTAL)]), ("some", SOME)):
            journal.enlist_members(spans)
            journal.note(PLAN, [name, "first"]).result()
    assert stands(store, owner) == [(1 if place in PLACES else None, ours[place]) for place in range(TOTAL)]
    with Journal(store) as journal:
        list(journal.replay())
        journal.enlist_members([(0, TOTAL)])
        journal.note(PLAN, ["all", "second"]).result()
    assert stands(store, owner) == [(1 if place in PLACES else 3, 1) for place in range(TOTAL)]


def test_a_refusal_counts_after_an_intent_whose_time_was_refreshed():
    """Only the request that was refused had left; before it the same chunk had left and was refused, too."""
    store = Segments()
    with Journal(store) as journal:
        list(journal.replay())
        journal.enlist([key(0)], [None])
        for refreshed, state in ((0, MessageState.PLANNED), (2, MessageState.REJECTED)):
            for _ in range(1 + refreshed):
                journal.intend_places(1, [(0, 1)])
            journal.settle(1, [MessageOutcome(0, state)]).result()
    roster = Roster()
    with Journal(store) as journal, closing(roster):
        Replay(roster).take(journal.replay())
        assert [message.state for message in roster] == [MessageState.REJECTED]


def test_client_ids_of_the_user_are_known():
    store = Segments()
    given = ["mine", None, "mine too"]
    with Journal(store) as journal:
        list(journal.replay())
        journal.enlist([key(number) for number in range(3)], given)
        journal.note(PLAN, ["all", "first"]).result()
    roster = Roster()
    with Journal(store) as journal, closing(roster):
        Replay(roster).take(journal.replay())
        assert [message.client_id for message in roster] == given


@pytest.mark.parametrize("kind", ["a bulk send", "a single send"])
@pytest.mark.parametrize("learned_after", [0, 1, 2, None])
def test_an_offset_that_was_learned_late_is_told_for_the_moments_before_it(kind, learned_after):
    store = Segments()
    with Journal(store, clock=WorkerClock(lambda: 1_000.0, lambda: 10.0)) as journal:
        list(journal.replay())
        if kind == "a bulk send":
            journal.enlist([key(0), key(1)], [None, None])
        for number in range(2):
            if number == learned_after:
                journal.clock.learn(journal.clock.now() + 90.0)
            if kind == "a bulk send":
                journal.intend_places(number + 1, [(number, 1)])[1].result()
            else:
                journal.intend(number + 1, [key(number)], [None])
        if learned_after == 2:
            journal.clock.learn(journal.clock.now() + 90.0)
        journal.tell_offset()
    roster = Roster()
    with Journal(store) as journal, closing(roster):
        Replay(roster, kind).take(journal.replay())
        known = [message.moment.offset for message in roster]
    assert known == ([None] * 2 if learned_after is None else [90.0] * 2)


def stands(store: Segments, owner: str) -> list[tuple[int | None, int]]:
    """Since which plan each message has been part of all, and whether it was part of one of the owner's."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    with Journal(store) as journal:
        Replay(Roster(database), owner=owner).take(journal.replay())
    rows = database.execute("SELECT since, ours FROM roster ORDER BY place").fetchall()
    database.close()
    return rows
