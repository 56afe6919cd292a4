# SPDX-License-Identifier: Apache-2.0
"""Send what is planned: chunks of up to 100, several in flight, each written ahead, paced by the rate limit."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.bulk_flows import MAX_BULK, ChunkResult, send_chunk
from airflow_provider_instasent.api.daemon_workers import Workers
from airflow_provider_instasent.api.exchange import Answer, Outcome
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.rate_gate import RateGate
from airflow_provider_instasent.campaign.unanswered import UnansweredRequests
from airflow_provider_instasent.campaign.unconfirmed import proves_acceptance
from airflow_provider_instasent.journal.errors import JournalError, StoppedError
from airflow_provider_instasent.journal.stopping import RECORDING_SECONDS, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.errors import ApiError
    from airflow_provider_instasent.api.exchange import Flow
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.retry import RetryPolicy
    from airflow_provider_instasent.campaign.tally import Tally
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.worker_clock import Moment, WorkerClock
    from airflow_provider_instasent.planning.spool import Placed, Spool

    ChunkFlow = Callable[[Sequence[Sms], RetryPolicy, ChunkResult], Flow[ChunkResult]]

_WAKE = 0.25
"""Seconds after which a pass looks whether it was asked to stop, though no chunk has landed."""


@dataclass(slots=True)
class Flight:
    """One chunk on its way.

    :param messages: what it holds
    :param spans: their places in the roster, as `(first, count)`
    :param result: filled while it is sent
    :param chunk: its number in the journal, 0 until its intent is written
    :param first_intended: when its intent was first written: a part of it may have left since then
    :param intended: when its intent was last written
    :param landed: whether nothing more happens to it
    """

    messages: Sequence[Placed]
    spans: list[tuple[int, int]]
    result: ChunkResult
    chunk: int = 0
    first_intended: Moment | None = None
    intended: Moment | None = None
    landed: bool = False


@dataclass(slots=True)
class SendReport:
    """What a pass over the plan came to.

    :param stopped_by: the error that ended it early: no funds, a wrong token, no connection …
    :param last_request_at: the steady clock when the last request left, 0 where none did
    :param requests: how many requests were made
    """

    stopped_by: ApiError | None = None
    last_request_at: float = 0.0
    requests: int = 0


class Sender:
    """Sends the planned messages of a spool.

    :param client: safe for several requests at once
    :param journal: open and replayed; None only where no retry can follow
    :param spool: the plan; used from the calling thread only
    :param max_in_flight: chunks on their way at once
    :param stop: set from outside to end soon
    :param tally: counts what lands
    :param chunk_size: the most messages in a chunk
    :param chunk_flow: how a chunk leaves
    :param clock: of this try
    :ivar progress: called with the number of messages settled so far in a pass
    :ivar report: what it came to
    """

    def __init__(
        self,
        client: InstasentClient,
        journal: Journal | None,
        spool: Spool,
        max_in_flight: int,
        stop: Stop,
        *,
        clock: WorkerClock,
        tally: Tally,
        chunk_size: int = MAX_BULK,
        chunk_flow: ChunkFlow = send_chunk,
    ) -> None:
        self._client = client
        self._journal = journal
        self._spool = spool
        self._max_in_flight = max_in_flight
        self._stop = stop
        self._chunk_size = chunk_size
        self._chunk_flow = chunk_flow
        self._clock = clock
        self._tally = tally
        self.progress: Callable[[int], None] = lambda _settled: None
        self.report = SendReport()
        # That of a pass ends with it; the wider one may have been set from outside.
        self._ending = Stop(within=stop)
        self._gate = RateGate(lambda: self._ending.check(), clock.now)  # noqa: PLW0108 - each pass has an ending of its own
        self._lock = threading.Lock()
        self._taken = -1
        self._last_record: Future[None] | None = None
        self._settled = 0
        self._unanswered = UnansweredRequests()

    def send_planned(self) -> SendReport:
        """Send all that is planned, or as much as can be.

        :raises JournalError: where a record could not be written: sending ended at once
        :raises StoppedError: where `stop` was set
        """
        self._taken = -1
        self._settled = 0
        self._unanswered = UnansweredRequests()
        self._ending = Stop(within=self._stop)
        self.report.stopped_by = None
        workers = Workers(self._max_in_flight, "instasent-sender")
        flights: dict[Future[None], Flight] = {}
        try:
            self._send_all(workers, flights)
            if self._last_record is not None and not self._stop.is_set():
                self._last_record.result()
        finally:
            self._ending.set()
            # Chunks in flight record themselves; a signal's exception on this thread cannot stop them.
            workers.close(RECORDING_SECONDS)
            for flight in flights.values():
                self._take_in(flight)
        self._stop.check()
        return self.report

    def _send_all(self, workers: Workers, flights: dict[Future[None], Flight]) -> None:
        exhausted = False
        while not self._stop.is_set():
            while not exhausted and len(flights) < self._max_in_flight and not self._ending.is_set():
                flight = self._next_flight()
                if flight is None:
                    exhausted = True
                    break
                flights[workers.submit(partial(self._fly, flight))] = flight
            if not flights:
                return
            done, _ = wait(flights, timeout=_WAKE, return_when=FIRST_COMPLETED)
            for future in done:
                self._land(flights.pop(future), future)

    def _next_flight(self) -> Flight | None:
        placed = self._spool.planned(self._taken, self._chunk_size)
        if not placed:
            return None
        self._taken = placed[-1].place
        return Flight(placed, _spans(placed), ChunkResult.of([item.message for item in placed]))

    def _fly(self, flight: Flight) -> None:
        """Send a chunk and record what came of it; on a worker's thread."""
        try:
            self._send(flight)
        except (JournalError, StoppedError):
            raise  # what is not answered had not left
        except BaseException:
            flight.result.outcomes = [_doubtful(outcome) for outcome in flight.result.outcomes]
            raise
        finally:
            flight.landed = True
            self._record(flight)

    def _send(self, flight: Flight) -> None:
        messages = [item.message for item in flight.messages]
        flow = self._chunk_flow(messages, self._client.settings.retry_policy, flight.result)
        entered = False

        def before_send() -> None:
            nonlocal entered
            self._gate.enter()
            entered = True
            self._write_intent(flight)
            with self._lock:
                self.report.last_request_at = self._clock.elapsed()
                self.report.requests += 1

        def after_send(outcome: Outcome) -> None:
            nonlocal entered
            entered = False
            if isinstance(outcome, Answer):
                self._clock.learn(outcome.server_time())
                self._gate.leave(outcome.rate_limit(self._clock.now()))
            else:
                self._gate.leave(None, counted=outcome.left)

        try:
            self._client.perform(flow, before_send=before_send, after_send=after_send, sleep=self._ending.sleep)
        finally:
            if entered:
                self._gate.leave(None)

    def _write_intent(self, flight: Flight) -> None:
        """Write a chunk's intent, again where it is stale; it must be durable before the chunk leaves."""
        if self._journal is None:
            flight.intended = self._clock.moment()
            flight.first_intended = flight.first_intended or flight.intended
            return
        self._journal.check()
        while flight.intended is None or self._journal.is_stale(flight.intended):
            self._ending.check()
            with self._lock:
                flight.chunk = flight.chunk or self._journal.new_chunk()
            intended, written = self._journal.intend_places(flight.chunk, flight.spans)
            written.result()
            flight.intended = intended
            flight.first_intended = flight.first_intended or intended
        self._ending.check()

    def _record(self, flight: Flight) -> None:
        """Write what came of a chunk to the journal, in order, on the thread that learned it."""
        pairs = zip(flight.result.outcomes, flight.messages, strict=True)
        flight.result.outcomes = [_proven(outcome, placed) for outcome, placed in pairs]
        if not flight.chunk or self._journal is None:
            return
        with self._lock:
            self._last_record = self._journal.settle(flight.chunk, flight.result.outcomes)

    def _land(self, flight: Flight, future: Future[None]) -> None:
        """Take in what came of a chunk; on the calling thread."""
        self._take_in(flight)
        error = future.exception()
        if error is not None and not isinstance(error, StoppedError):
            raise error
        result = flight.result
        self._settled += sum(outcome.state is not MessageState.PLANNED for outcome in result.outcomes)
        self.progress(self._settled)
        stopped_by = result.stopped_by or self._unanswered.take(result.outcomes)
        if stopped_by is not None:
            self.report.stopped_by = self.report.stopped_by or stopped_by
            self._ending.set()

    def _take_in(self, flight: Flight) -> None:
        """Say in the spool where a chunk stands; without an answer it may have been accepted."""
        if flight.first_intended is None:
            return
        self._spool.roster.intend(flight.spans, flight.first_intended)
        if flight.landed:
            self._spool.roster.settle(flight.result.outcomes, [placed.place for placed in flight.messages])
            self._tally.landed(flight.result.outcomes, flight.messages)


def _proven(outcome: MessageOutcome, placed: Placed) -> MessageOutcome:
    """Take a refusal for a used clientId as acceptance, where the id is ours and an earlier request was in doubt."""
    if proves_acceptance(client_id_taken=outcome.client_id_taken, in_doubt=placed.doubted, given=placed.given):
        return replace(outcome, state=MessageState.ACCEPTED, reason=None, client_id_taken=False)
    return outcome


def _doubtful(outcome: MessageOutcome) -> MessageOutcome:
    """Doubt what has no outcome after an error of no known kind: its request may have left."""
    if outcome.state is not MessageState.PLANNED:
        return outcome
    return replace(outcome, state=MessageState.UNCONFIRMED, reason="sending broke off")


def _spans(placed: Sequence[Placed]) -> list[tuple[int, int]]:
    """Return consecutive places as `(first, count)`."""
    spans: list[tuple[int, int]] = []
    for item in placed:
        if spans and sum(spans[-1]) == item.place:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((item.place, 1))
    return spans
