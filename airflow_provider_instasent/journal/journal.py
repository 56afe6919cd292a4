# SPDX-License-Identifier: Apache-2.0
"""The write-ahead record of a campaign: what was intended, and what became of it.

Before a chunk leaves, its intent is here; once it is answered, its ids and rejections are.

All I/O happens on one thread that is not the caller's
(:class:`~airflow_provider_instasent.journal.journal_thread.JournalThread`).
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.api.client_ids import new_secret
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalError, JournalMissingError
from airflow_provider_instasent.journal.events import (
    OFFSET,
    Event,
    Intent,
    Opening,
    PlacedIntent,
    intent_record,
    listing_record,
    members_record,
    note_record,
    opening_record,
    placed_intent_record,
    read_record,
    settlement_record,
)
from airflow_provider_instasent.journal.journal_thread import JournalThread
from airflow_provider_instasent.journal.stale_intents import is_stale
from airflow_provider_instasent.journal.stopping import RECORDING_SECONDS, RECORDING_SECONDS_AFTER_ERROR
from airflow_provider_instasent.journal.worker_clock import WorkerClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.journal.segment_store import SegmentStore
    from airflow_provider_instasent.journal.worker_clock import Moment

KEYS_A_RECORD = 1_450
"""Two of these records fill a key of the task state store."""

SPANS_A_RECORD = 2_000
"""Spans of a plan's members that one record holds."""


class Journal:
    """One campaign's journal, open for this try. Use as a context manager; replay it before writing to it.

    :param store: where the segments are
    :param clock: this try's
    :param expected: whether an earlier try must have opened it
    :ivar clock: this try's
    :ivar is_new: whether no earlier try has opened it; known once it is replayed
    """

    def __init__(self, store: SegmentStore, *, clock: WorkerClock | None = None, expected: bool = False) -> None:
        self._store = store
        self._expected = expected
        self.clock = clock or WorkerClock()
        self.is_new = True
        self._secret: bytes | None = None
        self._thread = JournalThread(store.append)
        self._replayed = False
        self._next_chunk = 1
        self._has_untold_moments = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if not self._replayed and isinstance(error, type) and issubclass(error, Exception):
            with suppress(Exception):
                deque(self.replay(), maxlen=0)  # a try that failed before it read the journal is in it all the same
        # After an error the process may have few seconds to live.
        self.close(RECORDING_SECONDS if error is None else RECORDING_SECONDS_AFTER_ERROR)

    def close(self, timeout: float = RECORDING_SECONDS) -> None:
        """Let what is queued be written, then end the thread. What comes later is refused.

        :param timeout: seconds to wait for it
        """
        self._thread.call(self._store.close)
        self._thread.end(timeout)

    def replay(self) -> Iterator[Event]:
        """Yield what earlier tries wrote, in order, then the opening of this one, once that is written.

        Must be exhausted before the first record.

        :raises JournalMissingError: where it is empty and must not be
        :raises JournalError: where it is corrupt, foreign or unusable
        """
        segments = self._store.read()
        while (records := self._read(segments)) is not None:
            for record in records:
                event = read_record(record)
                self._take_secret(event)
                if isinstance(event, Intent | PlacedIntent):
                    self._next_chunk = max(self._next_chunk, event.chunk + 1)
                yield event
        self._replayed = True
        yield self._open()

    @property
    def secret(self) -> bytes:
        """What keys the digests in this journal: the same for every try.

        :raises RuntimeError: where it was not replayed
        """
        if not self._replayed or self._secret is None:
            raise RuntimeError("a journal tells its secret once it is replayed")
        return self._secret

    def _take_secret(self, event: Event) -> None:
        """Take the secret from the first record.

        :raises JournalCorruptError: where that holds none, or a later one does
        """
        held = event.secret if isinstance(event, Opening) else None
        if self.is_new != (held is not None):
            raise JournalCorruptError("the journal's beginning is not what was written: nothing was sent by this try")
        self._secret = self._secret or held
        self.is_new = False

    def _open(self) -> Opening:
        """Write that this try begins: a superseded one that is still alive fails at its next write."""
        if self.is_new and self._expected:
            raise JournalMissingError(
                "This task was cleared and its journal is empty: either no earlier try came so far as to begin one, or "
                "it was emptied since, as `[state_store] clear_on_success` of the API server does when a task "
                "succeeds, or it is kept on another worker. So nothing tells what was sent, and nothing was sent by "
                "this try. If an earlier try sent messages, start a new DAG run, or set `journal_path` to a place that "
                'all workers share. If none did, clear the task with on_unconfirmed="resend".'
            )
        opening = Opening(new_secret() if self.is_new else None, self.clock.identity)
        self._secret = self._secret or opening.secret
        self._append(opening_record(opening)).result()
        return opening

    def _read(self, segments: Iterator[list[str]]) -> list[str] | None:
        try:
            records: list[str] | None = self._thread.call(lambda: next(segments, None)).result()
        except JournalError:
            raise
        except Exception as error:
            raise JournalError(
                f"the journal could not be read ({type(error).__name__}): nothing was sent. The next try reads it "
                "again."
            ) from error
        return records

    def new_chunk(self) -> int:
        """Return a chunk number that was never used in this journal."""
        chunk = self._next_chunk
        self._next_chunk += 1
        return chunk

    def intend(self, chunk: int, keys: Sequence[bytes], client_ids: Sequence[str | None]) -> Moment:
        """Write that a chunk is about to leave; return when it is durable.

        :param chunk: its number; writing the same one again refreshes its time
        :param keys: one a message
        :param client_ids: the clientId where the user gave one, else None
        :returns: the moment written
        :raises JournalWriteError: where it could not be written: the chunk must not leave
        """
        moment = self.clock.moment()
        self._append(intent_record(chunk, moment, keys, client_ids)).result()
        self._has_untold_moments |= moment.offset is None
        return moment

    def is_stale(self, intended: Moment) -> bool:
        """Tell whether an intent has to be written again before its request may leave.

        :param intended: when it was written last
        """
        return is_stale(intended.elapsed, self.clock.elapsed())

    def enlist(self, keys: Sequence[bytes], client_ids: Sequence[str | None]) -> None:
        """List messages before any of them is sent; return when it is durable.

        :param keys: one a message, in the order of their places
        :param client_ids: the clientId where the user gave one, else None
        :raises JournalWriteError: where it could not be written
        """
        starts = range(0, len(keys), KEYS_A_RECORD)
        jobs = [
            self._append(listing_record(keys[at : at + KEYS_A_RECORD], client_ids[at : at + KEYS_A_RECORD]))
            for at in starts
        ]
        for job in jobs:
            job.result()

    def enlist_members(self, spans: Sequence[tuple[int, int]]) -> None:
        """Write which of the listed messages the plan is made of that will be noted next; return when it is durable.

        :param spans: places in the roster, as `(first, count)`
        :raises JournalWriteError: where it could not be written
        """
        starts = range(0, max(len(spans), 1), SPANS_A_RECORD)
        jobs = [self._append(members_record(spans[at : at + SPANS_A_RECORD], begins=at == 0)) for at in starts]
        for job in jobs:
            job.result()

    def intend_places(self, chunk: int, spans: Sequence[tuple[int, int]]) -> tuple[Moment, Future[None]]:
        """Write that a chunk of listed messages is about to leave.

        :param chunk: its number; writing the same one again refreshes its time
        :param spans: places in the roster, as `(first, count)`
        :returns: the moment written, and a future that is done when it is durable: the chunk must not leave before
        :raises JournalWriteError: where an earlier write failed
        """
        moment = self.clock.moment()
        written = self._append(placed_intent_record(chunk, moment, spans))
        self._has_untold_moments |= moment.offset is None
        return moment, written

    def settle(self, chunk: int, outcomes: Sequence[MessageOutcome]) -> Future[None]:
        """Write what became of messages of a chunk.

        :param chunk: the intent's number, or `WHOLE_ROSTER`
        :param outcomes: `position` is the place in the intent; `planned` says that it provably was not sent
        :returns: done when it is durable
        :raises JournalWriteError: where an earlier write failed
        """
        self.tell_offset()
        return self._append(settlement_record(chunk, outcomes))

    def note(self, name: str, value: Any) -> Future[None]:
        """Write a named fact of the campaign.

        :raises JournalWriteError: where an earlier write failed
        """
        return self._append(note_record(name, value))

    def tell_offset(self) -> None:
        """Write how far the server's clock is ahead of this try's, where it was learned after a moment was written.

        A later try, on another machine, can then tell when that was.

        :raises JournalWriteError: where an earlier write failed
        """
        if self._has_untold_moments and self.clock.offset is not None:
            self._has_untold_moments = False
            self._append(note_record(OFFSET, round(self.clock.offset, 3)))

    @property
    def in_metadata_database(self) -> bool:
        """Whether what is written makes Airflow's metadata database larger."""
        return self._store.in_metadata_database

    def check(self) -> None:
        """Raise where a write has failed, after which nothing may be sent.

        :raises JournalWriteError: says that it did
        """
        self._thread.check()

    def _append(self, record: str) -> Future[None]:
        if not self._replayed:
            raise RuntimeError("a journal is replayed before it is written to, or it would begin anew")
        return self._thread.write(record)
