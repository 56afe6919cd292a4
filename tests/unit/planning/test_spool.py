# SPDX-License-Identifier: Apache-2.0

"""Where each message stands, on disk; and by the same transitions as in a journal's book."""

from __future__ import annotations

import random

import pytest
from support.campaign import key

from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.run import History
from airflow_provider_instasent.journal.book import Book
from airflow_provider_instasent.journal.events import Intent, PlacedIntent, Roster, Settlement
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
        for number in range(10):
            message = Sms(f"+3460000000{number}", f"text {number}", "Acme")
            assert opened.add(number, key(number), bytes(18), message, 1)
        opened.extend_roster([key(number) for number in range(10)], [None] * 10)
        yield opened


def settle(spool, place, state, **fields):
    spool.settle([MessageOutcome(place, state, **fields)])


def state(spool, place):
    return next(row[3] for row in spool.report() if row[0] == place)


def test_planned_messages_come_in_roster_order_a_few_at_a_time(spool):
    first = spool.planned(-1, 4)
    assert [item.place for item in first] == [0, 1, 2, 3]
    assert [item.place for item in spool.planned(3, 100)] == [4, 5, 6, 7, 8, 9]


def test_what_is_accepted_stays_so_and_may_learn_its_id(spool):
    spool.intend([(0, 1)], 5.0)
    settle(spool, 0, ACCEPTED)
    assert [item.place for item in spool.in_doubt()] == [0]  # its id is to be found
    settle(spool, 0, REJECTED)
    settle(spool, 0, ACCEPTED, id="x")
    settle(spool, 0, ACCEPTED, id="y")
    spool.intend([(0, 1)], 6.0)
    assert spool.first_ids(5) == ["x"] == spool.first_listed_ids(5)
    assert (spool.knows_id("x"), spool.knows_id("y")) == (True, False)
    assert state(spool, 0) == "accepted"


@pytest.mark.parametrize("outcome", [PLANNED, REJECTED])
def test_a_refusal_says_nothing_about_an_earlier_request_in_doubt(spool, outcome):
    spool.intend([(0, 1)], 5.0)
    settle(spool, 0, UNCONFIRMED)
    assert spool.reopen_doubtful() == 1
    (again,) = [item for item in spool.planned(-1, 1) if item.doubted]
    assert again.place == 0
    spool.intend([(0, 1)], 9.0)
    settle(spool, 0, outcome)
    assert state(spool, 0) == "unconfirmed"
    assert [(item.place, item.at) for item in spool.in_doubt()] == [(0, 5.0)]  # since the first of its requests


def test_what_is_reopened_and_not_sent_stays_unconfirmed(spool):
    spool.intend([(0, 3)], 5.0)
    assert spool.reopen_doubtful() == 3
    assert spool.counts() == {"planned": 7, "intended": 3}


def test_a_report_has_all_rows_in_input_order(spool):
    spool.intend([(0, 1)], 5.0)
    settle(spool, 0, REJECTED, reason="why")
    assert [row[0] for row in spool.report()] == list(range(10))
    assert next(spool.report())[2:] == (None, "rejected", None, "why")
    assert spool.total_parts() == 10


def test_nothing_is_left_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with Spool() as opened:
        for number in range(30_000):
            opened.add(number, key(number), bytes(18), Sms("+34600000001", "t" * 1_000, "Acme"), 1)
        assert list(tmp_path.iterdir()) == []  # it has no name, so no SIGKILL can leave people's data behind


@pytest.mark.parametrize("seed", range(60))
def test_it_agrees_with_the_book_on_every_history(seed):
    """Both fold the same events, one for campaigns that fit in memory and one for those that do not."""
    dice = random.Random(seed)
    total = 6
    keys = tuple(key(number) for number in range(total))
    book = Book()
    with Spool() as opened:
        history = History(opened)
        history.take([Roster(keys, (None,) * total)])
        for chunk in range(1, 12):
            first = dice.randrange(total)
            count = dice.randint(1, total - first)
            intents = 1 + (dice.random() < 0.3)  # the second one refreshes the time
            for again in range(intents):
                at = float(10 * chunk + again)
                history.take([PlacedIntent(chunk, at, ((first, count),))])
                if not again:
                    book.add(Intent(chunk, at, keys[first : first + count], (None,) * count))
            if dice.random() < 0.3:
                continue
            states = [dice.choice([ACCEPTED, REJECTED, UNCONFIRMED, PLANNED]) for _ in range(count)]
            outcomes = tuple(
                MessageOutcome(place, one, id="id" if one is ACCEPTED else None) for place, one in enumerate(states)
            )
            history.take([Settlement(chunk, outcomes)])
            book.add(Settlement(chunk, outcomes))
        stands = dict(opened.database.execute("SELECT key, state FROM roster"))
        since = {item.key: item.at for item in opened.in_doubt()}
    expected = {one: book.entries[one].state if one in book.entries else PLANNED for one in keys}
    assert stands == expected
    assert since == {one: entry.at for one, entry in book.entries.items() if entry.in_doubt}
