# SPDX-License-Identifier: Apache-2.0
"""The one thread on which a journal is read and written.

It is not the caller's: a signal or a timeout on the main thread can then not interrupt a store call half-way. Records
that arrive while a write is under way share the next one.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.journal.errors import JournalError, JournalWriteError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_RECORDS_A_WRITE = 32


class JournalThread:
    """Makes calls and writes records, in order. After a failed write it refuses every further one.

    :param append: keeps records durably, or raises
    """

    def __init__(self, append: Callable[[list[str]], None]) -> None:
        self._append = append
        # In C, so an exception that a signal handler raises in the middle of a `put` cannot leave it locked.
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="instasent-journal", daemon=True)
        self._thread.start()

    def end(self, timeout: float) -> None:
        """Let what is queued be done, then end. What comes later is refused.

        :param timeout: seconds to wait for it
        """
        self._jobs.put(None)
        self._thread.join(timeout)

    def call(self, call: Callable[[], Any]) -> Future[Any]:
        """Make a call soon."""
        return self._submit(_Job(call=call))

    def write(self, record: str) -> Future[None]:
        """Write a record soon; the future is done when it is durable.

        :raises JournalError: where a write has failed
        """
        self.check()
        return self._submit(_Job(record=record))

    def check(self) -> None:
        """Raise where a write has failed.

        :raises JournalError: says that it did
        """
        if self._failure is not None:
            raise _write_error(self._failure)

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
            self._append([job.record for job in batch])
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
