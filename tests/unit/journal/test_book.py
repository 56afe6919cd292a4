# SPDX-License-Identifier: Apache-2.0
"""Only evidence moves a message: every order in which intents and outcomes can come."""

from __future__ import annotations

import itertools

import pytest
from support.campaign import accepted, key

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.book import Book, Entry
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError
from airflow_provider_instasent.journal.events import Intent, Note, PlacedIntent, Roster, Settlement

ACCEPTED, REJECTED, UNCONFIRMED, PLANNED, INTENDED = (
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
    MessageState.PLANNED,
    MessageState.INTENDED,
)


def intent(chunk: int, at: float | None = None, client_id: str | None = None) -> Intent:
    return Intent(chunk, float(chunk) if at is None else at, (key(1),), (client_id,))


def settled(chunk: int, state: MessageState, sms_id: str | None = None) -> Settlement:
    return Settlement(chunk, (MessageOutcome(0, state, id=sms_id, reason=f"of chunk {chunk}"),))


def entry_of(*events) -> Entry:
    return Book.of(events).entries[key(1)]


def test_a_book_of_nothing_is_empty():
    assert Book.of([]) == Book()


@pytest.mark.parametrize("state", [ACCEPTED, REJECTED, UNCONFIRMED, PLANNED])
def test_an_outcome_moves_an_intended_message(state):
    entry = entry_of(intent(1), settled(1, state, "id"))
    assert (entry.state, entry.id, entry.reason, entry.at) == (state, "id", "of chunk 1", 1.0)
    assert entry.in_doubt is (state is UNCONFIRMED)


def test_an_intent_without_an_outcome_is_in_doubt():
    entry = entry_of(intent(1))
    assert entry.state is INTENDED
    assert entry.in_doubt


@pytest.mark.parametrize("later", [(intent(2),), *((settled(1, state),) for state in (REJECTED, UNCONFIRMED, PLANNED))])
def test_nothing_takes_an_acceptance_back(later):
    entry = entry_of(intent(1), settled(1, ACCEPTED, "id"), *later)
    assert (entry.state, entry.id, entry.reason) == (ACCEPTED, "id", "of chunk 1")


def test_an_acceptance_counts_whichever_request_it_answers():
    assert entry_of(intent(1), intent(2), settled(2, PLANNED), settled(1, ACCEPTED, "id")).id == "id"


@pytest.mark.parametrize("refused", [PLANNED, REJECTED])
@pytest.mark.parametrize(
    "doubt",
    [
        (intent(1),),
        (intent(1), settled(1, UNCONFIRMED)),
        (intent(1), settled(1, UNCONFIRMED), intent(2), settled(2, UNCONFIRMED)),
    ],
    ids=["a try died", "no answer", "no answer twice"],
)
def test_a_refusal_settles_its_own_request_and_no_earlier_doubt(doubt, refused):
    """Sent, no answer; sent again, refused: the first may still have been accepted, so nobody may just send."""
    entry = entry_of(*doubt, intent(3), settled(3, refused))
    assert entry.state is UNCONFIRMED
    assert entry.at == 1.0
    entry = entry_of(*doubt, intent(3), settled(3, refused), intent(4), settled(4, refused))
    assert entry.state is UNCONFIRMED


@pytest.mark.parametrize("refused", [PLANNED, REJECTED])
def test_the_same_chunk_sent_again_after_no_answer_leaves_its_doubt(refused):
    assert entry_of(intent(1), settled(1, UNCONFIRMED), intent(1, 9.0), settled(1, refused)).state is UNCONFIRMED


@pytest.mark.parametrize("refused", [PLANNED, REJECTED])
def test_an_intent_that_is_only_refreshed_is_one_request(refused):
    assert entry_of(intent(1), intent(1, 12.0), intent(1, 24.0), settled(1, refused)).state is refused


@pytest.mark.parametrize("refused", [PLANNED, REJECTED])
def test_a_refused_message_may_be_tried_again(refused):
    entry = entry_of(intent(1), settled(1, refused), intent(2), settled(2, refused))
    assert entry.state is refused
    assert entry_of(intent(1), settled(1, refused), intent(2)).at == 2.0


def test_a_late_refusal_of_an_earlier_chunk_does_not_settle_the_last():
    assert entry_of(intent(1), intent(2), settled(1, PLANNED)).state is INTENDED


def test_the_first_doubtful_intent_says_since_when():
    assert entry_of(intent(1, 10.0), intent(1, 25.0), intent(2, 40.0)).at == 10.0


def test_the_last_client_id_of_the_user_counts():
    assert entry_of(intent(1, client_id="a"), settled(1, PLANNED), intent(2, client_id="b")).client_id == "b"


def test_every_history_of_three_requests_keeps_its_doubt():
    """The oracle: in doubt if any request may have been accepted and none is known to be."""
    answers = [None, ACCEPTED, REJECTED, UNCONFIRMED, PLANNED]
    for history in itertools.product(answers, repeat=3):
        events = []
        for chunk, answer in enumerate(history, start=1):
            events.append(intent(chunk))
            if answer is not None:
                events.append(settled(chunk, answer))
        entry = entry_of(*events)
        if ACCEPTED in history:
            assert entry.state is ACCEPTED, history
        else:
            assert entry.in_doubt is (None in history or UNCONFIRMED in history), history


def test_messages_of_a_chunk_go_their_own_ways():
    keys = tuple(key(number) for number in range(4))
    book = Book.of(
        [
            Intent(5, 1.0, keys, (None,) * 4),
            Settlement(5, (MessageOutcome(2, REJECTED), MessageOutcome(0, ACCEPTED, id="a"))),
            Settlement(5, (MessageOutcome(3, UNCONFIRMED),)),
        ]
    )
    assert [book.entries[one].state for one in keys] == [ACCEPTED, INTENDED, REJECTED, UNCONFIRMED]


def test_the_last_note_of_a_name_counts():
    assert Book.of([Note("a", 1), Note("b", 2), Note("a", 3)]).notes == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    "events", [[Settlement(1, ())], [settled(7, ACCEPTED)], [intent(1), Settlement(1, tuple(accepted("ab")))]]
)
def test_an_outcome_without_its_intent_is_corrupt(events):
    with pytest.raises(JournalCorruptError, match="never intended"):
        Book.of(events)


@pytest.mark.parametrize("event", [Roster((key(1),), (None,)), PlacedIntent(1, 1.0, ((0, 1),))])
def test_the_journal_of_a_bulk_send_is_foreign(event):
    with pytest.raises(JournalForeignError, match="bulk send: nothing was sent"):
        Book.of([event])
