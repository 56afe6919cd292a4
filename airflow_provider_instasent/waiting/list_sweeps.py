# SPDX-License-Identifier: Apache-2.0
"""Polling a large batch by the list: a page tells of up to 100 messages where a single read tells of one.

A sweep reads the list from its newest end until every pending message was seen, or until single reads would be
cheaper; what the list did not show is then read one by one, a bounded number a sweep.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airflow_provider_instasent.api import endpoints, flows
from airflow_provider_instasent.api.exchange import Flow, Kind, Pause
from airflow_provider_instasent.api.list_order import LikelyOrder
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.recent_pages import Side, walk_recent
from airflow_provider_instasent.api.refusals import error_of
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.api.timestamps import created_at
from airflow_provider_instasent.waiting.delivery_watch import FEW
from airflow_provider_instasent.waiting.sweeps import Sweep, sweep_concurrently, sweep_singly

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.async_client import AsyncInstasentClient
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.waiting.delivery_watch import Watch
    from airflow_provider_instasent.waiting.pace import Pace

LIST_PAGE = 100
SINGLES_A_SWEEP = 50
"""Messages that one sweep reads one by one after the list, those asked for longest ago first."""

_PAGES_TO_SPARE = 20


class ListSweep(Sweep):
    """One sweep over the pending messages of a watch, by the list.

    :param watch: takes in what is read
    :param clock: unix seconds
    """

    def __init__(self, watch: Watch, clock: Callable[[], float] = time.time) -> None:
        super().__init__(watch, clock)
        self._unseen = set(self.ids)

    def read_list(self, pace: Pace) -> Flow[None]:
        """Read pages until all pending messages were seen, and take in what they tell.

        :param pace: spaces the requests
        """
        # A page a hundred messages at best, twice that where others send too; beyond, single reads are cheaper.
        most = min(len(self.ids), 2 * len(self.ids) // LIST_PAGE + _PAGES_TO_SPARE)
        pending = set(self.ids)

        def side_of(entity: Entity) -> Side:
            return Side.INSIDE if entity["id"] in pending else Side.UNTOLD

        # What the list does not show is read one by one, so a likely order will do.
        walk = walk_recent(side_of, lambda: not self._unseen, LikelyOrder(created_at), most)
        number = next(walk)
        while True:
            yield Pause(pace.delay(time.monotonic()), "pace")
            outcome, entities = yield from flows.exchange(
                self.watch.resource.list(number, LIST_PAGE), endpoints.read_list, ONE_ATTEMPT
            )
            if entities is None:
                self.over = self.watch.read_failed(outcome, error_of(Kind.READ, outcome), self._clock())
                return
            self.succeeded = True
            self.watch.read_succeeded()
            self._take(entities)
            try:
                number = walk.send(Page(entities, None))
            except StopIteration:
                return

    def paced(self, sms_id: str, pace: Pace) -> Flow[None]:
        """Read one message at its place in the pace."""
        yield Pause(pace.delay(time.monotonic()), "pace")
        yield from self.read(sms_id)

    def _take(self, entities: list[Entity]) -> None:
        for entity in entities:
            if entity["id"] in self._unseen:
                self._unseen.discard(entity["id"])
                self.watch.saw(entity["id"], entity)

    def left_over(self) -> list[str]:
        """Return the messages the list did not show that this sweep reads one by one."""
        return [sms_id for sms_id in self.ids if sms_id in self._unseen][:SINGLES_A_SWEEP]


async def sweep_batch(client: AsyncInstasentClient, watch: Watch, pace: Pace) -> None:
    """Ask for each pending message, by the list where that is cheaper.

    :param client: reads; its retry policy does not matter here
    :param watch: takes in what is read
    :param pace: spaces the requests
    """
    if len(watch.pending) <= FEW:
        await sweep_concurrently(client, watch, pace)
        return
    sweep = ListSweep(watch)
    await client.perform(sweep.read_list(pace))
    for sms_id in sweep.left_over():
        if sweep.over:
            break
        await client.perform(sweep.paced(sms_id, pace))
    sweep.end()


def sweep_batch_here(
    client: InstasentClient,
    watch: Watch,
    pace: Pace,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> None:
    """Do the same without an event loop; the parameters are those of :func:`sweep_singly`."""
    if len(watch.pending) <= FEW:
        sweep_singly(client, watch, pace, sleep=sleep, clock=clock)
        return
    sweep = ListSweep(watch, clock)
    client.perform(sweep.read_list(pace), sleep=sleep)
    for sms_id in sweep.left_over():
        if sweep.over:
            break
        client.perform(sweep.paced(sms_id, pace), sleep=sleep)
    sweep.end()
