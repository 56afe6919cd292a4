# SPDX-License-Identifier: Apache-2.0
"""The readers of a triggerer: on one event loop, all waits of one account share one.

A reader runs while anybody waits: as a task of its own, in no trigger's context, so that it outlives the trigger that
came first and its lines do not end up in that one's log.
"""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from airflow_provider_instasent.api.counters import WAITS_BEGUN, WAITS_ENDED
from airflow_provider_instasent.api.steady_clock import SteadyClock
from airflow_provider_instasent.waiting.account_reader import AccountReader
from airflow_provider_instasent.waiting.poll_budget import PollBudget
from airflow_provider_instasent.waiting.wait_progress import warn_of_unknown_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable

    from airflow_provider_instasent.api.async_client import AsyncInstasentClient
    from airflow_provider_instasent.api.endpoints import Resource
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.reads import Read
    from airflow_provider_instasent.waiting.subscription import Subscription


GATHER = 0.1
"""Share of its interval by which the first look of a small wait is put off, for others that start beside it."""


TOLD_EVERY = 1.0
"""Seconds after which those whose deadline has come are told so, while an answer is still to come."""


class _Waiter:
    """Somebody who waits for one subscription."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.sweeps = 0
        self.ended: Conclusion | Exception | None = None


class SharedReader:
    """A reader on an event loop.

    :param reader: decides what is read
    :param client: reads; its retry policy does not matter here
    """

    def __init__(self, reader: AccountReader, client: AsyncInstasentClient) -> None:
        self._reader = reader
        self._client = client
        self._waiters: dict[Subscription, _Waiter] = {}
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def wait(self, subscription: Subscription, report: Callable[[Subscription], object]) -> Conclusion:
        """Wait until a wait is over.

        :param subscription: it
        :param report: called after each of its sweeps, for a progress log
        """
        subscription.shift(self._reader.ahead_by())
        self._count(WAITS_BEGUN)
        try:
            self._reader.attach(subscription)
            waiter = self._waiters[subscription] = _Waiter()
            self._joined.set()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), context=contextvars.Context())
            while True:
                await waiter.news.wait()
                waiter.news.clear()
                warn_of_unknown_words(subscription.watch)
                if isinstance(waiter.ended, Exception):
                    raise waiter.ended
                if waiter.ended is not None:
                    return waiter.ended
                report(subscription)
        finally:
            self._waiters.pop(subscription, None)
            self._reader.detach(subscription)
            self._count(WAITS_ENDED)

    def _count(self, name: str) -> None:
        self._client.settings.counters.count(name)

    async def close(self) -> None:
        """End reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while self._waiters:
                self._tell()
                if reads := self._reader.next_reads():
                    await self._make(reads)
                else:
                    await self._idle()
        except asyncio.CancelledError:
            self._end_all(RuntimeError("the reader of this account was cancelled"))
            raise
        except Exception as error:  # noqa: BLE001 - each wait ends with it, in its own log
            self._end_all(error)

    def _end_all(self, error: Exception) -> None:
        for waiter in self._waiters.values():
            waiter.ended = waiter.ended or error
            waiter.news.set()

    def _tell(self) -> None:
        """Tell those who wait what is new."""
        for subscription, ended in self._reader.conclusions():
            self._reader.detach(subscription)
            self._waiters[subscription].ended = ended
            self._waiters[subscription].news.set()
        for subscription, waiter in self._waiters.items():
            if subscription.sweeps != waiter.sweeps:
                waiter.sweeps = subscription.sweeps
                waiter.news.set()

    async def _idle(self) -> None:
        """Wait until there is something to read, or somebody joins."""
        if not self._reader.subscriptions:
            await asyncio.sleep(0)  # those who were told go
            return
        self._joined.clear()
        try:
            async with asyncio.timeout(self._reader.idle_for()):
                await self._joined.wait()
        except TimeoutError:
            pass

    async def _make(self, reads: list[Read]) -> None:
        """Make reads side by side, each at its place in the pace."""
        running: dict[asyncio.Task[Any], Read] = {}
        try:
            for read in reads:
                delay = self._reader.delay_of(read)
                if delay is None:
                    break
                await asyncio.sleep(delay)
                self._reader.leaves(read)
                self._count(read.counter)
                running[asyncio.create_task(self._client.perform(self._reader.flow(read)))] = read
            while running:
                done, _ = await asyncio.wait(running, timeout=TOLD_EVERY, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    outcome, result = task.result()
                    self._reader.take(running.pop(task), outcome, result)
                self._tell()  # one slow answer keeps nobody who is done
        finally:
            for task, read in running.items():
                task.cancel()
                self._reader.abandon(read)
            await asyncio.gather(*running, return_exceptions=True)


class _Account:
    """What the waits of one account share on an event loop: client, budget, and a reader for SMS and for lookups."""

    def __init__(self, client: AsyncInstasentClient, per_minute: int | None) -> None:
        self.client = client
        self.users = 0
        self._clock = SteadyClock()
        self._budget = PollBudget(self._clock, per_minute)
        self._readers: dict[Resource, SharedReader] = {}

    def reader(self, resource: Resource) -> SharedReader:
        if resource not in self._readers:
            self._readers[resource] = SharedReader(
                AccountReader(resource, self._budget, self._clock, gather=GATHER), self.client
            )
        return self._readers[resource]

    async def close(self) -> None:
        try:
            for reader in self._readers.values():
                await reader.close()
        finally:
            await self.client.close()


_ACCOUNTS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Account]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_reader(
    account: Hashable,
    resource: Resource,
    open_client: Callable[[], Awaitable[AsyncInstasentClient]],
    per_minute: int | None = None,
) -> AsyncIterator[SharedReader]:
    """Use the reader of an account on this event loop; it ends with the last who uses it.

    :param account: what tells it from others: base URL and token, or a digest of them
    :param resource: what is waited for: SMS or lookups
    :param open_client: makes the client, where nobody waits for this account yet; it is closed with the reader
    :param per_minute: the most reads a minute, as the connection says; None for a quarter of the limit
    """
    accounts, spare = _ACCOUNTS.setdefault(asyncio.get_running_loop(), {}), None
    if account not in accounts:
        spare = await open_client()
        if account not in accounts:
            accounts[account], spare = _Account(spare, per_minute), None
    shared = accounts[account]
    shared.users += 1
    try:
        if spare is not None:  # somebody else came first
            await spare.close()
        yield shared.reader(resource)
    finally:
        shared.users -= 1
        if not shared.users:
            accounts.pop(account, None)
            await shared.close()
