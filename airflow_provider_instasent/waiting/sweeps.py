# SPDX-License-Identifier: Apache-2.0
"""Polling a batch: a *sweep* asks once for each pending message, within a rate; waiting is sweeps with pauses.

What a sweep makes of each outcome, when it ends early and when the next one may start is decided in
:class:`Sweep`, for the sync and the async way alike. Reads are made once: the next sweep is the retry.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from airflow_provider_instasent.api import errors, flows
from airflow_provider_instasent.api.exchange import Flow, Kind
from airflow_provider_instasent.api.refusals import error_of
from airflow_provider_instasent.api.retry import ONE_ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.async_client import AsyncInstasentClient
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.waiting.delivery_watch import Watch
    from airflow_provider_instasent.waiting.pace import Pace

log = logging.getLogger(__name__)

IN_FLIGHT = 10
"""Reads in flight at once in an asynchronous sweep, once one has succeeded."""


class Sweep:
    """One sweep over the pending messages of a watch.

    :param watch: takes in what is read
    :param clock: unix seconds
    """

    def __init__(self, watch: Watch, clock: Callable[[], float] = time.time) -> None:
        self.watch = watch
        self.ids = watch.pending
        self.over = False
        self.succeeded = False
        self._clock = clock

    def read(self, sms_id: str) -> Flow[None]:
        """Read one message, once, and take in what came of it."""
        outcome, entity = yield from flows.exchange(
            self.watch.resource.get(sms_id), self.watch.resource.read, ONE_ATTEMPT
        )
        if entity is not None:
            self.watch.saw(sms_id, entity)
        else:
            error = error_of(Kind.READ, outcome)
            if not isinstance(error, errors.NotFoundError):
                self.watch.failed(sms_id, str(error))
                self.over = self.watch.read_failed(outcome, error, self._clock()) or self.over
                return
            self.watch.missed(sms_id, self._clock())
        self.succeeded = True
        self.watch.read_succeeded()

    def end(self) -> None:
        """Count the sweep, and log status words that nobody has documented, each once."""
        self.watch.sweep_ended(succeeded=self.succeeded)
        while self.watch.unlogged_words:
            log.warning(
                "Unknown delivery status %r: it counts as pending. If it means success, add it to `success_statuses`.",
                self.watch.unlogged_words.pop(0),
            )


def sweep_singly(
    client: InstasentClient,
    watch: Watch,
    pace: Pace,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> None:
    """Ask for each pending message, one after the other.

    :param client: reads; its retry policy does not matter here
    :param watch: takes in what is read
    :param pace: spaces the requests
    :param sleep: waits the given seconds
    :param clock: unix seconds
    """
    sweep = Sweep(watch, clock)
    for sms_id in sweep.ids:
        if sweep.over:
            break
        sleep(pace.delay(time.monotonic()))
        client.perform(sweep.read(sms_id))
    sweep.end()


async def sweep_concurrently(
    client: AsyncInstasentClient, watch: Watch, pace: Pace, *, clock: Callable[[], float] = time.time
) -> None:
    """Ask for each pending message, several in flight.

    Until the first success there is one in flight at a time, so that a bad token or an API that is down costs a request
    or three, not a storm.

    :param client: reads; its retry policy does not matter here
    :param watch: takes in what is read
    :param pace: spaces the requests
    :param clock: unix seconds
    """
    sweep = Sweep(watch, clock)
    running: set[asyncio.Task[None]] = set()
    try:
        for sms_id in sweep.ids:
            while len(running) >= (IN_FLIGHT if sweep.succeeded else 1):
                running = await _first_done(running)
            if not sweep.over:
                await asyncio.sleep(pace.delay(time.monotonic()))
            if sweep.over:
                break
            running.add(asyncio.create_task(client.perform(sweep.read(sms_id))))
        while running:
            running = await _first_done(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    sweep.end()


async def _first_done(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait for one of these and return the others; what a read raised is raised."""
    done, others = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return others
