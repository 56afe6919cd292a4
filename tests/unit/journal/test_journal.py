# SPDX-License-Identifier: Apache-2.0
"""What was written before a chunk left is there for the next try, in order; after a failed write nothing leaves."""

from __future__ import annotations

import inspect
import itertools
import random
import signal
import threading
import time

import pytest
from support.campaign import OPENING, Segments, Values, accepted, key
from support.events import LONG

from airflow_provider_instasent.api.client_ids import KEY_BYTES, SECRET_BYTES
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal import journal as module
from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalCorruptError,
    JournalError,
    JournalMissingError,
    JournalWriteError,
)
from airflow_provider_instasent.journal.events import (
    Intent,
    Note,
    Opening,
    Settlement,
    intent_record,
    read_record,
    settlement_record,
)
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.journal_thread import MOST_RECORDS_A_WRITE
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.journal.roster import Roster
from airflow_provider_instasent.journal.worker_clock import Moment, WorkerClock


@pytest.fixture
def open_journal():
    """Opens journals that were replayed, and closes them."""
    journals = []

    def open_one(store, **options) -> Journal:
        journal = Journal(store, **options)
        journals.append(journal)
        list(journal.replay())
        return journal

    yield open_one
    for journal in journals:
        journal.close()
        assert not journal._thread._thread.is_alive()


class Gate:
    """Holds the first write until opened, so that others pile up behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.threads: set[str] = set()

    def __call__(self, _records: list[str]) -> None:
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        assert self.opened.wait(LONG)


def events_of(store) -> list:
    with Journal(store) as journal:
        return [event for event in journal.replay() if not isinstance(event, Opening)]


# --- writing ---


def test_what_is_written_comes_back(open_journal):
    store = Segments()
    journal = open_journal(store, clock=WorkerClock(lambda: 1234.56789, lambda: 0.0))
    chunk = journal.new_chunk()
    assert journal.intend(chunk, [key(1), key(2), key(3)], [None, "mine", None]).at == 1234.56789
    outcomes = (
        MessageOutcome(0, MessageState.ACCEPTED, id="a"),
        MessageOutcome(1, MessageState.REJECTED, reason="to: ñ"),
        MessageOutcome(2, MessageState.UNCONFIRMED, reason="no answer"),
    )
    journal.settle(chunk, outcomes).result()
    journal.settle(chunk, [MessageOutcome(2, MessageState.PLANNED)]).result()
    journal.note("result", {"n": [1]}).result()
    assert events_of(store) == [
        Intent(1, Moment(1234.568), (key(1), key(2), key(3)), (None, "mine", None)),
        Settlement(1, outcomes),
        Settlement(1, (MessageOutcome(2, MessageState.PLANNED),)),
        Note("result", {"n": [1]}),
    ]


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        accepted(["1", "2"]),
        [MessageOutcome(1, MessageState.ACCEPTED, id="1")],
        [MessageOutcome(0, MessageState.ACCEPTED)],
        [MessageOutcome(0, MessageState.ACCEPTED, id="1"), MessageOutcome(1, MessageState.REJECTED, reason="r")],
    ],
)
def test_outcomes_come_back_as_they_were(outcomes):
    assert read_record(settlement_record(7, outcomes)) == Settlement(7, tuple(outcomes))


def test_records_that_arrive_during_a_write_share_the_next_in_order(open_journal):
    gate = Gate()
    store = Segments(before=gate)
    journal = open_journal(store)
    first = journal.note("n", 0)
    assert gate.entered.wait(LONG)
    rest = [journal.note("n", number) for number in range(1, 6)]
    assert not first.done()
    gate.opened.set()
    for written in rest:
        written.result(LONG)
    assert [len(records) for records in store.writes] == [1, 5]
    assert [read_record(record).value for records in store.writes for record in records] == list(range(6))
    assert gate.threads == {"instasent-journal"}


def test_a_write_has_a_largest_size(open_journal):
    gate = Gate()
    store = Segments(before=gate)
    journal = open_journal(store)
    written = [journal.note("n", number) for number in range(101)]
    gate.opened.set()
    for one in written:
        one.result(LONG)
    assert max(map(len, store.writes)) == MOST_RECORDS_A_WRITE
    assert [read_record(record).value for records in store.writes for record in records] == list(range(101))


def test_an_intent_returns_when_it_is_durable(open_journal):
    gate = Gate()
    store = Segments(before=gate)
    journal = open_journal(store)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (journal.intend(1, [key(1)], [None]), done.set()))
    thread.start()
    assert gate.entered.wait(LONG)
    assert not done.wait(0.05)
    gate.opened.set()
    assert done.wait(LONG)
    thread.join()
    assert len(store.writes) == 1


def test_the_time_of_an_intent_is_that_before_its_write(open_journal):
    ticks = itertools.count(100)
    store = Segments(before=lambda _records: next(ticks) and None)
    journal = open_journal(store, clock=WorkerClock(lambda: 1000.0, lambda: float(next(ticks))))
    moment = journal.intend(1, [key(1)], [None])
    assert (moment.at, moment.elapsed, next(ticks)) == (1001.0, 101.0, 103)


def test_nobody_can_cancel_a_record(open_journal):
    gate = Gate()
    journal = open_journal(Segments(before=gate))
    journal.note("n", 0)
    assert not journal.note("n", 1).cancel()
    gate.opened.set()
    journal.note("n", 2).result(LONG)


def test_writing_before_reading_is_refused():
    with Journal(Segments()) as journal, pytest.raises(RuntimeError, match="replayed before"):
        journal.intend(1, [key(1)], [None])


@pytest.mark.parametrize(
    ("keys", "client_ids"), [([key(1)], []), ([key(1)], [None, None]), ([b"short"], [None]), ([key(1) + b"x"], [None])]
)
def test_an_intent_that_could_not_be_read_again_is_not_written(open_journal, keys, client_ids):
    store = Segments()
    with pytest.raises(ValueError, match=f"{KEY_BYTES} bytes"):
        open_journal(store).intend(1, keys, client_ids)
    assert store.writes == []


# --- a write that fails ---


def test_after_a_failed_write_every_record_is_refused(open_journal):
    values = Values()
    journal = open_journal(KeyValueSegments(values, "c"))
    journal.intend(journal.new_chunk(), [key(1)], [None])
    before = dict(values.content)
    values.failing = BrokenPipeError("the supervisor is gone")
    journal.check()
    with pytest.raises(
        JournalWriteError, match=r"could not be written .BrokenPipeError., so sending ended at once"
    ) as info:
        journal.intend(journal.new_chunk(), [key(2)], [None])
    assert isinstance(info.value.__cause__, BrokenPipeError)
    with pytest.raises(JournalWriteError):
        journal.check()
    values.failing = None
    for refused in (
        lambda: journal.intend(3, [key(3)], [None]),
        lambda: journal.settle(1, accepted(["1"])),
        lambda: journal.note("n", 1),
        journal.check,
    ):
        with pytest.raises(JournalWriteError):
            refused()
    assert values.content == before


def test_records_that_wait_behind_a_failed_write_fail_too(open_journal):
    gate = Gate()

    def fail(records: list[str]) -> None:
        gate(records)
        raise OSError("gone")

    store = Segments(before=fail)
    journal = open_journal(store)
    waiting = [journal.note("n", number) for number in range(100)]
    gate.opened.set()
    for one in waiting:
        with pytest.raises(JournalWriteError):
            one.result(LONG)
    assert store.writes == []


def test_a_conflict_keeps_its_name(open_journal, tmp_path):
    one, two = (open_journal(PathSegments(tmp_path, "c")) for _ in range(2))
    two.intend(1, [key(1)], [None])
    for _ in range(2):
        with pytest.raises(JournalConflictError):
            one.intend(1, [key(1)], [None])
    with pytest.raises(JournalConflictError):
        one.check()
    two.settle(1, accepted(["1"])).result()


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(1), type("DeadlockImminentError", (BaseException,), {})()]
)
def test_whatever_a_store_raises_reaches_the_caller(open_journal, error):
    def fail(_records: list[str]) -> None:
        raise error

    journal = open_journal(Segments(before=fail))
    with pytest.raises(JournalWriteError, match=type(error).__name__):
        journal.intend(1, [key(1)], [None])
    assert journal._thread._thread.is_alive()


# --- closing ---


def test_closing_writes_what_is_queued(monkeypatch):
    monkeypatch.setattr(module, "RECORDING_SECONDS", LONG)
    store = Segments(before=lambda _records: time.sleep(0.01))
    with Journal(store) as journal:
        list(journal.replay())
        written = [journal.note("n", number) for number in range(40)]
    assert all(one.done() for one in written)
    assert sum(map(len, store.writes)) == 40


def test_closing_waits_only_so_long():
    assert inspect.signature(Journal.close).parameters["timeout"].default == 3.0
    gate = Gate()
    journal = Journal(Segments(before=gate))
    list(journal.replay())
    journal.note("n", 1)
    assert gate.entered.wait(LONG)
    started = time.monotonic()
    journal.close(0.2)
    assert 0.2 <= time.monotonic() - started < LONG
    gate.opened.set()
    journal._thread._thread.join(LONG)
    assert not journal._thread._thread.is_alive()


def test_a_closed_journal_refuses_at_once_rather_than_for_ever():
    journal = Journal(Segments())
    list(journal.replay())
    journal.close()
    journal.close()
    with pytest.raises(JournalWriteError, match="closed"):
        journal.intend(1, [key(1)], [None])
    with pytest.raises(JournalError, match="closed"):
        list(journal.replay())


def test_records_that_race_with_the_end_are_all_answered():
    for seed in range(30):
        dice = random.Random(seed)
        journal = Journal(Segments())
        list(journal.replay())
        answers: list[str] = []

        def hammer(journal=journal, answers=answers) -> None:
            for number in range(50):
                try:
                    journal.note("n", number).result(LONG)
                    answers.append("written")
                except JournalWriteError:
                    answers.append("refused")

        threads = [threading.Thread(target=hammer) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(dice.random() * 0.002)
        journal.close()
        for thread in threads:
            thread.join(LONG)
        assert len(answers) == 200


# --- reading ---


def test_an_empty_journal_has_no_events():
    assert events_of(Segments()) == []


def test_a_large_journal_comes_back_whole(open_journal, tmp_path):
    values = Values()
    for store in (lambda: KeyValueSegments(values, "c"), lambda: PathSegments(tmp_path, "c")):
        journal = open_journal(store())
        for chunk in range(1, 301):
            keys = [key(chunk * 100 + place) for place in range(100)]
            journal._append(intent_record(chunk, Moment(1.0), keys, [None] * 100))
            journal.settle(chunk, accepted(f"{chunk:06d}-{place:02d}" for place in range(100)))
        journal.close(LONG)
        events = events_of(store())
        assert [event.chunk for event in events if isinstance(event, Intent)] == list(range(1, 301))
        assert [event.chunk for event in events if isinstance(event, Settlement)] == list(range(1, 301))
        assert events[-2].keys[-1] == key(30_099)
        assert events[-1].outcomes[-1] == MessageOutcome(99, MessageState.ACCEPTED, id="000300-99")


def test_reopening_goes_on_counting(open_journal):
    store = Segments()
    first = open_journal(store)
    for _ in range(3):
        first.intend(first.new_chunk(), [key(1)], [None])
    first.close()
    second = open_journal(store)
    assert second.new_chunk() == 4
    second.intend(9, [key(1)], [None])
    second.close()
    assert open_journal(store).new_chunk() == 10


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{}",
        "[]",
        "null",
        "17",
        '"text"',
        '{"x":[1]}',
        '{"i":[1]}',
        '{"i":[1,1.0,null,"AAAA",null],"s":[]}',
        '{"i":[1,1.0,null,"not base64!",null]}',
        '{"i":[1,1.0,null,"AAAA",null]}',
        '{"i":[1,1.0,null,"AAAAAAAAAAAAAAAAAAAA",["a","b"]]}',
        '{"j":[1,1.0,null,[[1]]]}',
        '{"m":[true]}',
        '{"o":["not hexadecimal","",0.0]}',
        '{"o":[null,""]}',
        '{"s":[1]}',
        '{"s":[1,5]}',
        '{"s":[1,[[0,"x",null,null]]]}',
        '{"s":[1,[[0,"a"]]]}',
        '{"n":["name"]}',
    ],
)
def test_a_record_that_cannot_be_read_is_corrupt(record):
    store = Segments()
    store.writes.append([record])
    with Journal(store) as journal, pytest.raises(JournalCorruptError, match="nothing was sent"):
        list(journal.replay())


def test_a_store_that_cannot_be_read_says_so_and_may_be_tried_again():
    class Unreadable(Segments):
        def read(self):
            raise PermissionError(13, "Permission denied: '/secret'")
            yield

    with Journal(Unreadable()) as journal:
        with pytest.raises(JournalError, match=r"could not be read .PermissionError.: nothing was sent") as caught:
            list(journal.replay())
        assert type(caught.value) is JournalError
        with pytest.raises(RuntimeError):
            journal.note("n", 1)


def test_a_journal_that_was_read_in_part_can_not_be_written():
    store = Segments()
    store.writes += [['{"n":["a",1]}'], ['{"n":["a",2]}']]
    with Journal(store) as journal:
        replay = journal.replay()
        next(replay)
        with pytest.raises(RuntimeError):
            journal.note("n", 1)


# --- signals and threads ---


SWALLOWED_IN_A_FINALISER = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Python swallows, with a warning, what a signal handler raises while some object's finaliser runs."""


class Interruption(BaseException):
    """What a signal handler raises, as Airflow's timeouts do."""


@SWALLOWED_IN_A_FINALISER
def test_an_interrupted_wait_leaves_the_journal_whole(open_journal):
    """The main thread is interrupted while it waits for a write; the write itself goes on elsewhere."""

    def interrupt(*_: object) -> None:
        raise Interruption

    store = Segments(before=lambda _records: time.sleep(0.001))
    journal = open_journal(store)
    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for number in range(1, 301):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00005 + (number % 17) * 0.0001)
                journal.intend(number, [key(number)], [None])
                time.sleep(0.01)  # it comes by then
            except Interruption:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 280
    last = journal.new_chunk()
    journal.intend(last + 1000, [key(9)], [None])
    journal.close()
    chunks = [event.chunk for event in events_of(store)]
    assert chunks == sorted(chunks)
    assert chunks[-1] == last + 1000


def test_threads_that_hammer_it_lose_nothing(open_journal):
    store = Segments(before=lambda _records: time.sleep(0.0005))
    journal = open_journal(store)
    lock = threading.Lock()
    sent: list[int] = []

    def hammer() -> None:
        for _ in range(25):
            with lock:
                chunk = journal.new_chunk()
            journal.intend(chunk, [key(chunk)], [None])
            assert any(f'"i":[{chunk},' in record for records in list(store.writes) for record in records)
            sent.append(chunk)
            journal.settle(chunk, accepted([str(chunk)]))

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    journal.close()
    assert sorted(sent) == list(range(1, 201))
    events = events_of(store)
    assert len(events) == 400
    assert len(store.writes) < 400
    for chunk in range(1, 201):
        of_chunk = [type(event) for event in events if event.chunk == chunk]
        assert of_chunk == [Intent, Settlement]


# --- what keys it ---


def test_all_tries_have_the_secret_of_the_first(open_journal):
    store = Segments()
    first = open_journal(store)
    second = open_journal(store)
    assert first.is_new
    assert not second.is_new
    assert first.secret == second.secret
    assert len(first.secret) == SECRET_BYTES
    assert open_journal(Segments()).secret != first.secret


def test_a_secret_is_told_once_it_is_known():
    with Journal(Segments()) as journal, pytest.raises(RuntimeError, match="once it is replayed"):
        _ = journal.secret


@pytest.mark.parametrize(
    "records",
    [['{"n":["a",1]}'], ['{"o":[null,"",0.0]}'], [OPENING, '{"n":["a",1]}', OPENING]],
    ids=["none", "none in the opening", "two"],
)
def test_a_journal_without_just_one_secret_at_its_beginning_is_corrupt(records):
    class Stored(Segments):
        def read(self):
            yield records

    with Journal(Stored()) as journal, pytest.raises(JournalCorruptError, match="nothing was sent"):
        list(journal.replay())


def test_an_empty_journal_is_refused_where_an_earlier_try_must_have_left_one(open_journal):
    store = Segments()
    for _ in range(2):  # and is not there the next time for having been looked at
        with Journal(store, expected=True) as journal, pytest.raises(JournalMissingError, match="clear_on_success"):
            list(journal.replay())
    open_journal(store)
    open_journal(store, expected=True)


def test_a_try_that_fails_before_it_reads_its_journal_is_in_it_all_the_same(open_journal):
    store = Segments()
    with pytest.raises(ValueError, match="no connection"), Journal(store):
        raise ValueError("no connection")
    open_journal(store, expected=True)


def test_a_try_that_is_killed_or_that_has_no_journal_leaves_none():
    store = Segments()
    with pytest.raises(KeyboardInterrupt), Journal(store):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="no connection"), Journal(store, expected=True):
        raise ValueError("no connection")
    assert store.openings == []


def test_what_a_try_learns_late_of_the_servers_clock_is_told_of_its_earlier_moments(open_journal):
    store = Segments()
    steady = 0.0
    clock = WorkerClock(now=lambda: 5_000.0, elapsed=lambda: steady)
    first = open_journal(store, clock=clock)
    first.intend(first.new_chunk(), [key(1)], [None])
    first.tell_offset()  # nothing is known yet
    clock.learn(5_030.0)
    first.settle(1, [MessageOutcome(0, MessageState.UNCONFIRMED)])
    first.intend(first.new_chunk(), [key(2)], [None])
    first.tell_offset()
    first.close()
    second = open_journal(store, clock=WorkerClock(now=lambda: 9e9, elapsed=lambda: 0.0))
    second.intend(second.new_chunk(), [key(3)], [None])
    second.close()

    with Journal(store) as journal:
        events = list(journal.replay())
    roster = Roster()
    Replay(roster, "a single send").take(events)
    assert [event.name for event in events if isinstance(event, Note)] == ["offset"]
    assert [one.moment.window(None)[1] for one in roster] == [5_030.0, 5_030.0, float("inf")]
    roster.close()
