# SPDX-License-Identifier: Apache-2.0
"""The write-ahead record of a campaign: what was intended, and what became of it.

Before a chunk leaves, its intent is here; once it is answered, its ids and rejections are.

All I/O happens on one thread that is not the caller's: a signal or a timeout on the main thread can then not
interrupt a store call half-way. Records that arrive while a write is under way share the next one.
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.journal.errors import JournalError, JournalWriteError
from airflow_provider_instasent.journal.events import (
    KEY_BYTES,
    Event,
    Intent,
    Note,
    PlacedIntent,
    Settlement,
    intent_record,
    key_of,
    key_of_client_id,
    listing_record,
    note_record,
    placed_intent_record,
    read_record,
    settlement_record,
)
from airflow_provider_instasent.journal.stopping import RECORDING_SECONDS, RECORDING_SECONDS_AFTER_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.journal.segment_stores import SegmentStore

__all__ = ["KEY_BYTES", "Event", "Intent", "Journal", "Note", "Settlement", "key_of", "key_of_client_id"]

STALE_INTENT_SECONDS = 10.0
"""Age at which an intent is written again before its request leaves, so that a superseded try is fenced off."""

MOST_RECORDS_A_WRITE = 32

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
        # In C, so an exception that a signal handler raises in the middle of a `put` cannot leave it locked.
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._replayed = False
        self._ended = False
        self._next_chunk = 1
        self._thread = threading.Thread(target=self._work, name="instasent-journal", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        # After an error the process may have few seconds to live.
        self.close(RECORDING_SECONDS if error is None else RECORDING_SECONDS_AFTER_ERROR)

    def close(self, timeout: float = RECORDING_SECONDS) -> None:
        """Let what is queued be written, then end the thread. What comes later is refused.

        :param timeout: seconds to wait for it
        """
        self._jobs.put(None)
        self._thread.join(timeout)

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
        job = _Job(call=lambda: next(segments, None))
        try:
            records: list[str] | None = self._submit(job).result()
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
        return self._clock() - intended_at > STALE_INTENT_SECONDS

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

    @property
    def failed(self) -> bool:
        """Whether a write failed, after which nothing may be sent."""
        return self._failure is not None

    def check(self) -> None:
        """Raise where a write has failed.

        :raises JournalWriteError: see :attr:`failed`
        """
        if self._failure is not None:
            raise _write_error(self._failure)

    def _append(self, record: str) -> Future[None]:
        if not self._replayed:
            raise RuntimeError("a journal is replayed before it is written to, or it would begin anew")
        self.check()
        return self._submit(_Job(record=record))

    def _submit(self, job: _Job) -> Future[Any]:
        self._jobs.put(job)
        if self._ended:
            self._refuse_the_rest()
        return job.done

    def _work(self) -> None:
        closing = False
        while not closing:
            job = self._jobs.get()
            batch: list[_Job] = []
            while job is not None:
                if job.call is not None:
                    _perform(job, job.call)
                else:
                    batch.append(job)
                if len(batch) == MOST_RECORDS_A_WRITE or self._jobs.empty():
                    break
                job = self._jobs.get()
            closing = job is None
            if batch:
                self._write(batch)
        self._ended = True
        self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        """Fail what was queued after the end, on whichever thread notices, so that nobody waits for ever."""
        with suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    job.done.set_exception(JournalWriteError("the journal of this try is closed: nothing more is sent"))

    def _write(self, batch: list[_Job]) -> None:
        try:
            if self._failure is not None:
                raise self._failure
            self._store.append([job.record for job in batch])
        except BaseException as error:  # noqa: BLE001 - whatever it is, the callers must learn of it
            self._failure = error
            for job in batch:
                job.done.set_exception(_write_error(error))
        else:
            for job in batch:
                job.done.set_result(None)


class _Done(Future[Any]):
    """A future whose `result` waits in C.

    A plain one waits in Python: an exception that a signal handler raises there can leave its lock held, on which the
    journal's thread would then hang, or become a `RuntimeError` about that lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self._answered = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        self._open()

    def set_exception(self, exception: BaseException | None) -> None:
        super().set_exception(exception)
        self._open()

    def result(self, timeout: float | None = None) -> Any:
        if not self._answered:
            if not self._gate.acquire(timeout=-1 if timeout is None else timeout):
                raise TimeoutError
            self._gate.release()
        return super().result()

    def _open(self) -> None:
        self._answered = True
        self._gate.release()


class _Job:
    """Something for the journal's thread: a record to write, or a call to make."""

    def __init__(self, *, record: str = "", call: Callable[[], Any] | None = None) -> None:
        self.record = record
        self.call = call
        self.done = _Done()
        self.done.set_running_or_notify_cancel()  # from now on nobody can cancel it under the thread's hands


def _perform(job: _Job, call: Callable[[], Any]) -> None:
    try:
        job.done.set_result(call())
    except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
        job.done.set_exception(error)


def _write_error(error: BaseException) -> JournalError:
    if isinstance(error, JournalError):
        return error
    failure = JournalWriteError(
        f"the journal could not be written ({type(error).__name__}), so sending ended at once. Messages already "
        "accepted stay accepted; the next try continues from what was written."
    )
    failure.__cause__ = error
    return failure
