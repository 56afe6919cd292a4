# SPDX-License-Identifier: Apache-2.0
"""Waiting until a batch is final: sweeps, pauses between them, and the deadline. Nothing is ever sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airflow_provider_instasent.api.parameter_checks import positive
from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
from airflow_provider_instasent.waiting.list_sweeps import sweep_batch, sweep_batch_here
from airflow_provider_instasent.waiting.pace import DEFAULT_POLLS_PER_MINUTE, Pace

if TYPE_CHECKING:
    from airflow_provider_instasent.api.async_client import AsyncInstasentClient
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.waiting.conclusion import Conclusion

End_co = TypeVar("End_co", covariant=True)


class Awaited(Protocol[End_co]):
    """What is waited for: a :class:`~airflow_provider_instasent.waiting.polling.Polling` that can conclude."""

    next_sweep: float

    def may_sweep(self, now: float) -> bool:
        """Tell whether no rate limit forbids a sweep."""

    def pause(self, now: float, deadline: float) -> float:
        """Return the seconds until there is something to do."""

    def interval(self, asked: float) -> float:
        """Return the seconds until the next sweep."""

    def conclude(self, now: float, deadline: float) -> End_co | None:
        """Tell how the wait ended, or None while it goes on."""


AsyncSweep = Callable[["AsyncInstasentClient", Watch, Pace], Awaitable[None]]
"""A way to read the pending messages of a watch, within a pace."""


def wait_until_final(
    client: InstasentClient,
    message_ids: Iterable[str] | Watch,
    rules: WatchRules | None = None,
    *,
    deadline: float,
    poll_interval: float = 30.0,
    max_polls_per_minute: int = DEFAULT_POLLS_PER_MINUTE,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
    report: Callable[[Watch], object] = lambda _: None,
) -> Conclusion:
    """Wait until a batch is final or the deadline comes; see :func:`watch_until_final` for an event loop.

    :param client: reads; its retry policy does not matter here
    :param message_ids: the batch, or a watch over it
    :param rules: what counts as success, where there is no watch yet
    :param deadline: unix seconds
    :param poll_interval: seconds between two sweeps; longer while a large batch stands still
    :param max_polls_per_minute: the most reads a minute
    :param sleep: waits the given seconds; what it raises ends the wait
    :param clock: unix seconds
    :param report: called after each sweep, for a progress log
    :raises ValueError: names the parameter that is wrong
    """
    positive("poll_interval", poll_interval)
    watch = message_ids if isinstance(message_ids, Watch) else Watch(message_ids, rules)
    pace = Pace(max_polls_per_minute)
    return poll_until_over(
        watch,
        lambda: sweep_batch_here(client, watch, pace, sleep=sleep, clock=clock),
        deadline=deadline,
        poll_interval=poll_interval,
        sleep=sleep,
        clock=clock,
        report=report,
    )


def poll_until_over(
    watch: Awaited[End_co],
    sweep: Callable[[], object],
    *,
    deadline: float,
    poll_interval: float,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
    report: Callable[[Any], object] = lambda _: None,
) -> End_co:
    """Poll until a wait concludes; the loop of every wait in a worker slot.

    :param watch: what is waited for
    :param sweep: reads what is not known yet
    :param deadline: unix seconds; when it is over already, there is one sweep all the same
    :param poll_interval: seconds between two sweeps
    :param sleep: waits the given seconds; what it raises ends the wait
    :param clock: unix seconds
    :param report: called with the watch after each sweep
    """
    while True:
        if watch.may_sweep(clock()):
            sweep()
            watch.next_sweep = clock() + watch.interval(poll_interval)
            report(watch)
        if (ended := watch.conclude(clock(), deadline)) is not None:
            return ended
        sleep(watch.pause(clock(), deadline))


async def await_until_over(
    watch: Awaited[End_co],
    sweep: Callable[[], Awaitable[object]],
    *,
    deadline: float,
    poll_interval: float,
    report: Callable[[Any], object] = lambda _: None,
) -> End_co:
    """Poll until a wait concludes without blocking the event loop; the loop of every trigger.

    The parameters are those of :func:`poll_until_over`; the first sweep is at `watch.next_sweep`.
    """
    while True:
        await asyncio.sleep(watch.pause(time.time(), deadline))
        if watch.may_sweep(time.time()):
            await sweep()
            watch.next_sweep = time.time() + watch.interval(poll_interval)
            report(watch)
        if (ended := watch.conclude(time.time(), deadline)) is not None:
            return ended


async def watch_until_final(
    client: AsyncInstasentClient,
    watch: Watch,
    *,
    deadline: float,
    poll_interval: float,
    pace: Pace,
    sweep: AsyncSweep = sweep_batch,
    report: Callable[[Watch], object] = lambda _: None,
) -> Conclusion:
    """Wait until a batch is final or the deadline comes, without blocking the event loop.

    :param client: reads; its retry policy does not matter here
    :param watch: the batch; its first sweep is at `watch.next_sweep`
    :param deadline: unix seconds; when it is over already, there is one sweep all the same
    :param poll_interval: seconds between two sweeps; longer while a large batch stands still
    :param pace: spaces the reads
    :param sweep: reads the pending messages
    :param report: called after each sweep, for a progress log
    """
    return await await_until_over(
        watch,
        lambda: sweep(client, watch, pace),
        deadline=deadline,
        poll_interval=poll_interval,
        report=report,
    )
