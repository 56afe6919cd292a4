# SPDX-License-Identifier: Apache-2.0
"""A reader of its own for one wait in a worker: the same as in a triggerer, without an event loop.

Requests are made on threads of their own, so that a wait ends at once when it is asked to, also while an answer is
still to come.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.api.counters import WAITS_BEGUN, WAITS_ENDED
from airflow_provider_instasent.api.daemon_workers import Workers
from airflow_provider_instasent.api.interruptible import TICK, sleep
from airflow_provider_instasent.api.steady_clock import SteadyClock
from airflow_provider_instasent.waiting.account_reader import IN_FLIGHT, AccountReader
from airflow_provider_instasent.waiting.poll_budget import PollBudget
from airflow_provider_instasent.waiting.subscription import Subscription
from airflow_provider_instasent.waiting.wait_progress import warn_of_unknown_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.delivery_watch import Watch
    from airflow_provider_instasent.waiting.reads import Read


class LoneReader:
    """Reads for one wait. Use as a context manager.

    :param watch: what is waited for; its first sweep is at `watch.next_sweep`
    :param deadline: unix seconds; when it is over already, there is one sweep all the same
    :param poll_interval: seconds between two sweeps; longer while nothing changes
    :param per_minute: the most reads a minute, as the connection says; None for a quarter of the limit
    :param polls_per_minute: the most reads a minute of this wait, where that is less; None for the connection's
    :param check: called at least four times a second; what it raises ends the wait
    :param clock: unix seconds, on a clock that nobody sets
    """

    def __init__(
        self,
        watch: Watch,
        *,
        deadline: float,
        poll_interval: float,
        per_minute: int | None = None,
        polls_per_minute: int | None = None,
        check: Callable[[], object] = lambda: None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock or SteadyClock()
        self._check = check
        self._reader = AccountReader(watch.resource, PollBudget(self._clock, per_minute), self._clock)
        self.subscription = Subscription(
            watch, deadline=deadline, poll_interval=poll_interval, polls_per_minute=polls_per_minute
        )
        self._reader.attach(self.subscription)
        self._reader.pause_until(watch.blocked_until)
        self._workers: Workers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the threads end; an answer that is still to come is nobody's any more."""
        if self._workers is not None:
            self._workers.close(0.0)
            self._workers = None

    def wait(self, client: InstasentClient, report: Callable[[Subscription], object] = lambda _: None) -> Conclusion:
        """Wait until the batch is final or the deadline comes.

        :param client: safe for several requests at once; its retry policy does not matter here
        :param report: called after each sweep, for a progress log
        """
        sweeps = 0
        client.settings.counters.count(WAITS_BEGUN)
        try:
            while (ended := self._ended()) is None:
                warn_of_unknown_words(self.subscription.watch)
                if self.subscription.sweeps != sweeps:
                    sweeps = self.subscription.sweeps
                    report(self.subscription)
                self._go_on(client)
        finally:
            client.settings.counters.count(WAITS_ENDED)
        return ended

    def sweep(self, client: InstasentClient) -> Conclusion | None:
        """Ask once for all that is pending, or for as much as the API allows; return the end, where that brings it.

        :param client: as of :meth:`wait`
        """
        self.subscription.watch.next_sweep = self._clock()
        sweeps = self.subscription.sweeps
        while not self._reader.is_paused and self.subscription.sweeps == sweeps:
            if self._ended(sits_out=False) is not None and not self.subscription.is_due(self._clock()):
                break
            self._go_on(client)
        self.subscription.look_after(self.subscription.poll_interval)
        warn_of_unknown_words(self.subscription.watch)
        return self._ended(sits_out=False)

    def _ended(self, *, sits_out: bool = True) -> Conclusion | None:
        return next((ended for _, ended in self._reader.conclusions(sits_out=sits_out)), None)

    def _go_on(self, client: InstasentClient) -> None:
        if reads := self._reader.next_reads():
            self._make(client, reads)
        else:
            sleep(self._reader.idle_for(), self._check)

    def _make(self, client: InstasentClient, reads: list[Read]) -> None:
        """Make reads side by side, each at its place in the pace."""
        if self._workers is None:
            self._workers = Workers(IN_FLIGHT, "instasent-reader")
        running: dict[Future[Any], Read] = {}
        for read in reads:
            delay = self._reader.delay_of(read)
            if delay is None:
                break
            sleep(delay, self._check)
            self._reader.leaves(read)
            client.settings.counters.count(read.counter)
            running[self._workers.submit(partial(client.perform, self._reader.flow(read)))] = read
        while running:
            self._check()
            done, _ = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in done:
                self._reader.take(running.pop(future), *future.result())
