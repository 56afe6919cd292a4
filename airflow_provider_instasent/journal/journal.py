# SPDX-License-Identifier: Apache-2.0
"""The write-ahead record of a campaign: what was intended, and what became of it.

Before a chunk leaves, its intent is here; once it is answered, its ids and rejections are.

All I/O happens on one thread that is not the caller's
(:class:`~airflow_provider_instasent.journal.journal_thread.JournalThread`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.journal.errors import JournalError
from airflow_provider_instasent.journal.events import (
    Event,
    Intent,
    PlacedIntent,
    intent_record,
    listing_record,
    note_record,
    placed_intent_record,
    read_record,
    settlement_record,
)
from airflow_provider_instasent.journal.journal_thread import JournalThread
from airflow_provider_instasent.journal.stale_intents import is_stale
from airflow_provider_instasent.journal.stopping import RECORDING_SECONDS, RECORDING_SECONDS_AFTER_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.journal.segment_store import SegmentStore

KEYS_A_RECORD = 2_450
"""Two of these records fill a key of the task state store."""


class Journal:
    """One campaign's journal, open for this try. Use as a context manager; replay it before writing to it.

    :param store: where the segments are
    :param clock: our clock in unix seconds
    """

    def __init__(self, store: SegmentStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._thread = JournalThread(store.append)
        self._replayed = False
        self._next_chunk = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        # After an error the process may have few seconds to live.
        self.close(RECORDING_SECONDS if error is None else RECORDING_SECONDS_AFTER_ERROR)

    def close(self, timeout: float = RECORDING_SECONDS) -> None:
        """Let what is queued be written, then end the thread. What comes later is refused.

        :param timeout: seconds to wait for it
        """
        self._thread.end(timeout)

    def replay(self) -> Iterator[Event]:
        """Yield what earlier tries wrote, in order. Must be exhausted before the first record.

        :raises JournalError: where it is corrupt, foreign or unusable
        """
        segments = self._store.read()
        while (records := self._read(segments)) is not None:
            for record in records:
                event = read_record(record)
                if isinstance(event, Intent | PlacedIntent):
                    self._next_chunk = max(self._next_chunk, event.chunk + 1)
                yield event
        self._replayed = True

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

    def intend(self, chunk: int, keys: Sequence[bytes], client_ids: Sequence[str | None]) -> float:
        """Write that a chunk is about to leave; return when it is durable.

        :param chunk: its number; writing the same one again refreshes its time
        :param keys: one a message
        :param client_ids: the clientId where the user gave one, else None
        :returns: the time written, in unix seconds
        :raises JournalWriteError: where it could not be written: the chunk must not leave
        """
        at = self._clock()
        self._append(intent_record(chunk, at, keys, client_ids)).result()
        return at

    def is_stale(self, intended_at: float) -> bool:
        """Tell whether an intent has to be written again before its request may leave.

        :param intended_at: our clock in unix seconds when it was written last
        """
        return is_stale(intended_at, self._clock())

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

    def intend_places(self, chunk: int, spans: Sequence[tuple[int, int]]) -> tuple[float, Future[None]]:
        """Write that a chunk of listed messages is about to leave.

        :param chunk: its number; writing the same one again refreshes its time
        :param spans: places in the roster, as `(first, count)`
        :returns: the time written, and a future that is done when it is durable: the chunk must not leave before
        :raises JournalWriteError: where an earlier write failed
        """
        at = self._clock()
        return at, self._append(placed_intent_record(chunk, at, spans))

    def settle(self, chunk: int, outcomes: Sequence[MessageOutcome]) -> Future[None]:
        """Write what became of messages of a chunk.

        :param chunk: the intent's number, or `WHOLE_ROSTER`
        :param outcomes: `position` is the place in the intent; `planned` says that it provably was not sent
        :returns: done when it is durable
        :raises JournalWriteError: where an earlier write failed
        """
        return self._append(settlement_record(chunk, outcomes))

    def note(self, name: str, value: Any) -> Future[None]:
        """Write a named fact of the campaign.

        :raises JournalWriteError: where an earlier write failed
        """
        return self._append(note_record(name, value))

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
