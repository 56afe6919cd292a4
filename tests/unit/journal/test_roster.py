# SPDX-License-Identifier: Apache-2.0
"""Only evidence moves a message: every order in which intents and outcomes can come, in single and in bulk sends."""

from __future__ import annotations

import itertools
import random
import sqlite3

import pytest
from support.campaign import accepted, key

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError
from airflow_provider_instasent.journal.events import Intent, Listing, Note, Opening, PlacedIntent, Settlement
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.journal.roster import Listed, Roster
from airflow_provider_instasent.journal.worker_clock import ClockIdentity, Moment

ACCEPTED, REJECTED, UNCONFIRMED, PLANNED, INTENDED = (
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
    MessageState.PLANNED,
    MessageState.INTENDED,
)


def intent(chunk: int, at: float | None = None, client_id: str | None = None) -> Intent:
    return Intent(chunk, Moment(float(chunk) if at is None else at), (key(1),), (client_id,))


def settled(chunk: int, state: MessageState, sms_id: str | None = None) -> Settlement:
    return Settlement(chunk, (MessageOutcome(0, state, id=sms_id, reason=f"of chunk {chunk}"),))


@pytest.fixture(autouse=True)
def every_roster_is_closed():
    yield
    while OPEN:
        OPEN.pop().close()


OPEN: list[Roster] = []


def replayed(events, kind="a single send") -> tuple[Roster, Replay]:
    roster = Roster()
    OPEN.append(roster)
    replay = Replay(roster, kind)
    replay.take(events)
    return roster, replay


def entry_of(*events) -> Listed:
    return next(one for one in replayed(events)[0] if one.key == key(1))


def test_a_roster_of_nothing_is_empty():
    roster, replay = replayed([])
    assert (list(roster), len(roster), replay.notes) == ([], 0, {})


@pytest.mark.parametrize("state", [ACCEPTED, REJECTED, UNCONFIRMED, PLANNED])
def test_an_outcome_moves_an_intended_message(state):
    entry = entry_of(intent(1), settled(1, state, "id"))
    assert (entry.state, entry.id, entry.moment.at) == (state, "id", 1.0)
    assert entry.in_doubt is (state is UNCONFIRMED)


def test_an_intent_without_an_outcome_is_in_doubt():
    entry = entry_of(intent(1))
    assert entry.state is INTENDED
    assert entry.in_doubt


@pytest.mark.parametrize("later", [(intent(2),), *((settled(1, state),) for state in (REJECTED, UNCONFIRMED, PLANNED))])
def test_nothing_takes_an_acceptance_back(later):
    entry = entry_of(intent(1), settled(1, ACCEPTED, "id"), *later)
    assert (entry.state, entry.id) == (ACCEPTED, "id")


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
    assert entry.moment.at == 1.0
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
    assert entry_of(intent(1), settled(1, refused), intent(2)).moment.at == 2.0


def test_a_late_refusal_of_an_earlier_chunk_does_not_settle_the_last():
    assert entry_of(intent(1), intent(2), settled(1, PLANNED)).in_doubt


def test_the_first_doubtful_intent_says_since_when():
    assert entry_of(intent(1, 10.0), intent(1, 25.0), intent(2, 40.0)).moment.at == 10.0


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
    roster, _ = replayed(
        [
            Intent(5, Moment(1.0), keys, (None,) * 4),
            Settlement(5, (MessageOutcome(2, REJECTED), MessageOutcome(0, ACCEPTED, id="a"))),
            Settlement(5, (MessageOutcome(3, UNCONFIRMED),)),
        ]
    )
    assert [(one.key, one.state) for one in roster] == list(
        zip(keys, [ACCEPTED, INTENDED, REJECTED, UNCONFIRMED], strict=True)
    )


def test_the_last_note_of_a_name_counts():
    assert replayed([Note("a", 1), Note("b", 2), Note("a", 3)])[1].notes == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    "events", [[Settlement(1, ())], [settled(7, ACCEPTED)], [intent(1), Settlement(1, tuple(accepted("ab")))]]
)
def test_an_outcome_without_its_intent_is_corrupt(events):
    with pytest.raises(JournalCorruptError, match="never intended"):
        replayed(events)


@pytest.mark.parametrize("event", [Listing((key(1),), (None,)), PlacedIntent(1, Moment(1.0), ((0, 1),))])
def test_the_journal_of_a_bulk_send_is_foreign(event):
    with pytest.raises(JournalForeignError, match="bulk send: nothing was sent"):
        replayed([event])


def test_the_journal_of_a_single_send_is_foreign_to_a_bulk_send():
    with pytest.raises(JournalForeignError, match="single send: nothing was sent"):
        replayed([intent(1)], "a bulk send")


LISTED = Listing((key(1), key(2)), (None, None))


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ([LISTED, LISTED], "lists a message twice"),
        ([LISTED, PlacedIntent(1, Moment(1.0), ((1, 2),))], "never listed"),
        ([LISTED, PlacedIntent(1, Moment(1.0), ((-1, 1),))], "never listed"),
        ([LISTED, PlacedIntent(1, Moment(1.0), ((0, 0),))], "never listed"),
        ([LISTED, settled(1, ACCEPTED)], "never intended"),
        ([LISTED, PlacedIntent(1, Moment(1.0), ((0, 1),)), Settlement(1, tuple(accepted("ab")))], "never intended"),
        ([LISTED, Settlement(0, tuple(accepted("abc")))], "never intended"),
    ],
)
def test_the_journal_of_a_bulk_send_must_not_contradict_itself(events, what):
    with pytest.raises(JournalCorruptError, match=what):
        replayed(events, "a bulk send")


@pytest.mark.parametrize("seed", range(60))
def test_each_message_keeps_its_doubt_through_any_history_of_chunks(seed):
    """The oracle again: in doubt if any of its requests may have been accepted, since the first of those."""
    dice = random.Random(seed)
    total = 6
    roster, replay = replayed([Listing(tuple(map(key, range(total))), (None,) * total)], "a bulk send")
    answers: list[list[tuple[float, MessageState | None]]] = [[] for _ in range(total)]
    for chunk in range(1, 12):
        first = dice.randrange(total)
        count = dice.randint(1, total - first)
        for again in range(1 + (dice.random() < 0.3)):  # the second one refreshes the time
            replay.take([PlacedIntent(chunk, Moment(10.0 * chunk + again), ((first, count),))])
        states = [dice.choice([ACCEPTED, REJECTED, UNCONFIRMED, PLANNED]) for _ in range(count)]
        if dice.random() < 0.3:
            states = [None] * count
        else:
            replay.take([Settlement(chunk, tuple(MessageOutcome(n, state, id="id") for n, state in enumerate(states)))])
        for n, state in enumerate(states):
            answers[first + n].append((10.0 * chunk, state))
    for message, history in zip(roster, answers, strict=True):
        known = [state for _, state in history]
        accepted_at = known.index(ACCEPTED) if ACCEPTED in known else len(known)
        doubts = [at for at, state in history[:accepted_at] if state in {None, UNCONFIRMED}]
        assert message.accepted is (ACCEPTED in known)
        assert message.in_doubt is (ACCEPTED not in known and bool(doubts))
        if message.in_doubt:
            assert message.moment.at == doubts[0]
        elif not message.accepted:
            assert message.state is (known[-1] if known else PLANNED)


@pytest.mark.parametrize("value", [None, "30", [30.0], {}])
def test_a_note_that_tells_no_time_where_it_should_is_corrupt(value):
    with pytest.raises(JournalCorruptError, match="tells no time"):
        replayed([Note("offset", value)])


@pytest.mark.parametrize(
    ("former", "ahead"),
    [
        (ClockIdentity("boot", 100.0), 60.0),
        (ClockIdentity("boot", 160.0), 0.0),
        (ClockIdentity("another machine", 160.0), None),
    ],
)
def test_how_far_the_present_clock_is_ahead_stands_with_each_moment(former, ahead):
    roster, _ = replayed([Opening(b"s" * 16, former), intent(1), Opening(None, ClockIdentity("boot", 160.0))])
    assert [one.moment.ahead for one in roster] == [ahead]


def test_a_moment_that_no_try_opened_is_one_of_the_present_clock():
    assert entry_of(intent(1)).moment.ahead == 0.0
    roster = Roster()
    OPEN.append(roster)
    roster.extend([key(1)], [None])
    roster.intend([(0, 1)], Moment(5.0))
    roster.clock = ClockIdentity("boot", 100.0)
    roster.extend([key(2)], [None])
    roster.intend([(1, 1)], Moment(6.0))
    assert [one.moment.ahead for one in roster] == [0.0, 0.0]


def test_what_is_learned_of_the_servers_clock_is_told_of_the_present_clock_alone():
    roster, _ = replayed(
        [
            Opening(b"s" * 16, ClockIdentity("one", 0.0)),
            Listing((key(1), key(2), key(3)), (None, None, None)),
            PlacedIntent(1, Moment(1.0), ((0, 1),)),
            Opening(None, ClockIdentity("two", 0.0)),
            PlacedIntent(2, Moment(2.0), ((1, 1),)),
            PlacedIntent(3, Moment(3.0, 7.0), ((2, 1),)),
            Note("offset", 30.5),
        ],
        "a bulk send",
    )
    assert [one.moment.offset for one in roster] == [None, 30.5, 7.0]


def test_a_message_that_was_sent_again_was_accepted_when_its_last_request_left():
    roster, _ = replayed([Listing((key(1),), (None,))], "a bulk send")
    roster.clock = ClockIdentity("one", 0.0)
    roster.intend([(0, 1)], Moment(100.0))
    roster.settle([MessageOutcome(0, UNCONFIRMED)])
    roster.clock = ClockIdentity("two", 0.0)
    roster.intend([(0, 1)], Moment(86_500.0))
    roster.learn(7.5)
    roster.settle([MessageOutcome(0, ACCEPTED, id="x")])
    assert roster.accepted_between() == (86_507.0, 86_507.0)
    assert [one.moment.at for one in roster] == [100.0]


@pytest.mark.parametrize("told", ["never", "later", "by another try"])
def test_telling_when_messages_were_accepted_takes_a_step_for_each(told):
    """Where no answer had told the server's time when a message left, others of the same clock do, or nobody."""

    def steps(messages: int) -> int:
        database = sqlite3.connect(":memory:", isolation_level=None)
        roster = Roster(database)
        roster.extend([key(number) for number in range(messages)], [None] * messages)
        roster.clock = ClockIdentity("one", 0.0)
        roster.intend([(0, messages)], Moment(100.0))
        if told != "never":
            roster.clock = ClockIdentity("two", 0.0) if told == "by another try" else ClockIdentity("one", 0.0)
            roster.intend([(messages - 1, 1)], Moment(200.0, 30.0))
        roster.settle(MessageOutcome(place, ACCEPTED, id=str(place)) for place in range(messages))
        taken = []
        database.set_progress_handler(lambda: taken.append(None), 10)
        assert roster.accepted_between() is not None
        database.set_progress_handler(None, 0)
        roster.close()
        return len(taken)

    assert steps(2_000) < 2.5 * steps(1_000)


def test_how_many_messages_go_to_one_number():
    roster, _ = replayed([])
    assert roster.most_to_one_number() == 0
    numbers = [b"n" * 10, b"m" * 10]
    roster.extend([numbers[0] + bytes(5)], [None])
    assert roster.most_to_one_number() == 1
    roster.extend([number + bytes([place] * 5) for place in (1, 2) for number in numbers], [None] * 4)
    assert roster.most_to_one_number() == 3


def test_a_roster_knows_its_ids():
    roster, _ = replayed([Listing((key(1), key(2), key(3)), (None, "mine", None))], "a bulk send")
    roster.intend([(0, 3)], Moment(1.0))
    assert "x" not in roster
    roster.settle(
        [MessageOutcome(1, ACCEPTED, id="x"), MessageOutcome(0, ACCEPTED, id="y"), MessageOutcome(2, REJECTED)]
    )
    assert ("x" in roster, "y" in roster, "z" in roster, None in roster) == (True, True, False, False)
    assert (roster.first_ids(1), roster.first_ids(5)) == (["y"], ["y", "x"])


def test_a_single_message_keeps_the_client_id_that_it_was_accepted_with():
    entry = entry_of(intent(1, client_id="a"), settled(1, ACCEPTED, "id"), intent(2, client_id="b"))
    assert entry.client_id == "a"
    roster, _ = replayed([])
    assert [roster.place_of(key(1), "a"), roster.place_of(key(2), None), roster.place_of(key(1), "b")] == [0, 1, 0]
    assert [one.client_id for one in roster] == ["a", None]
