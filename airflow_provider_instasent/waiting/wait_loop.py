# SPDX-License-Identifier: Apache-2.0
"""Waiting until one thing is true, such as a balance: reads, pauses between them, and the deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.steady_clock import SteadyClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_instasent.waiting.goal import Ended, Goal


async def await_until_over(
    goal: Goal,
    read: Callable[[Callable[[], float]], Awaitable[object]],
    *,
    deadline: float,
    poll_interval: float,
    report: Callable[[Any], object] = lambda _: None,
) -> Ended:
    """Read until a wait concludes, without blocking the event loop.

    :param goal: what is waited for; the first read is at `goal.next_sweep`
    :param read: reads it; is given a clock in unix seconds
    :param deadline: unix seconds; when it is over already, there is one read all the same
    :param poll_interval: seconds between two reads
    :param report: called with the goal after each read
    """
    clock = SteadyClock()
    while True:
        await asyncio.sleep(goal.pause(clock(), deadline))
        if goal.may_sweep(clock()):
            await read(clock)
            goal.next_sweep = clock() + poll_interval
            report(goal)
        if (ended := goal.conclude(clock(), deadline)) is not None:
            return ended
