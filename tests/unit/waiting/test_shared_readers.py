# SPDX-License-Identifier: Apache-2.0
"""All waits of one account on one event loop share a client and a reader, whichever comes, goes or is cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import time
from contextlib import suppress

import pytest
from support.counting import Counted
from support.events import LONG
from support.fake_client import FakeAsyncClient, id_of, page_of, read_of

from airflow_provider_instasent.api.endpoints import LOOKUPS, SMS
from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.waiting import shared_readers
from airflow_provider_instasent.waiting.accepted_times import AcceptedTimes
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.delivery_watch import Watch
from airflow_provider_instasent.waiting.shared_readers import _ACCOUNTS, shared_reader
from airflow_provider_instasent.waiting.subscription import LAST_LOOK, Subscription


def subscription_for(*ids, interval=0.02):
    """A wait for these messages."""
    return Subscription(Watch(ids), deadline=time.time() + 3_600, poll_interval=interval, polls_per_minute=60_000)


class Clients:
    """Opens clients and keeps them."""

    def __init__(self, **settings):
        self.opened: list[FakeAsyncClient] = []
        self.settings = settings

    async def open(self):
        self.opened.append(FakeAsyncClient(**self.settings))
        return self.opened[-1]


async def wait(clients, *ids, account="mine", resource=SMS, report=lambda _: None, **settings):
    """Wait as a trigger does."""
    async with shared_reader(account, resource, clients.open) as reader:
        return await reader.wait(subscription_for(*ids, **settings), report)


async def until(condition):
    """Wait until something is so."""
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
async def nothing_is_left():
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not _ACCOUNTS.get(asyncio.get_running_loop())


class Gate:
    """Statuses that stay `sent` until they are let through."""

    def __init__(self):
        self.is_open = False

    def __call__(self, request):
        return read_of(id_of(request), "delivered" if self.is_open else "sent")


async def test_two_waits_share_one_client_and_one_reader_and_the_last_one_out_closes_it():
    gate = Gate()
    clients = Clients(answer=gate)
    first, second = (asyncio.create_task(wait(clients, *ids)) for ids in (("a", "b"), ("b",)))
    await until(lambda: clients.opened and len(clients.opened[0].requests) > 10)
    (client,) = clients.opened
    assert client.closed == 0
    gate.is_open = True
    ends = await asyncio.wait_for(asyncio.gather(first, second), LONG)
    assert [(one.ending, one.result.delivered) for one in ends] == [(Ending.SUCCESS, 2), (Ending.SUCCESS, 1)]
    assert client.closed == 1


async def test_a_message_that_two_wait_for_is_read_once_a_round():
    rounds = []
    clients = Clients(answer=lambda request: read_of(id_of(request)))
    both = [wait(clients, "a", report=rounds.append) for _ in range(2)]
    await asyncio.wait_for(asyncio.gather(*both), LONG)
    assert [id_of(request) for request in clients.opened[0].requests] == ["a"]


async def test_cancelling_the_first_of_two_does_not_disturb_the_second():
    gate = Gate()
    clients = Clients(answer=gate)
    first, second = (asyncio.create_task(wait(clients, one)) for one in "ab")
    await until(lambda: clients.opened and len(clients.opened[0].requests) > 4)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    (client,) = clients.opened
    assert client.closed == 0
    begin = len(client.requests)
    await until(lambda: len(client.requests) > begin + 5)
    assert {id_of(request) for request in client.requests[begin + 1 :]} == {"b"}
    gate.is_open = True
    assert (await asyncio.wait_for(second, LONG)).ending is Ending.SUCCESS
    assert client.closed == 1


async def test_cancelling_the_last_one_gives_up_the_answer_that_is_awaited():
    never = asyncio.Event()
    clients = Clients(before=lambda _: never.wait())
    only = asyncio.create_task(wait(clients, "a"))
    await until(lambda: clients.opened and clients.opened[0].requests)
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(only, LONG)
    assert clients.opened[0].closed == 1


async def test_what_is_raised_in_reading_reaches_every_wait_and_a_new_one_works():
    async def fail(_):
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    clients = Clients(before=fail)
    async with shared_reader("mine", SMS, clients.open) as reader:
        all_waits = [reader.wait(subscription_for(one), lambda _: None) for one in "abc"]
        ends = await asyncio.wait_for(asyncio.gather(*all_waits, return_exceptions=True), LONG)
        assert [type(one) for one in ends] == [ZeroDivisionError] * 3
        clients.opened[0].before = None
        ended = await asyncio.wait_for(reader.wait(subscription_for("d"), lambda _: None), LONG)
        assert ended.ending is Ending.SUCCESS
    assert len(clients.opened) == 1


async def test_a_wait_that_joins_later_is_read_for_at_once():
    clients = Clients(answer=lambda request: read_of(id_of(request), "sent" if id_of(request) == "a" else "delivered"))
    first = asyncio.create_task(wait(clients, "a", interval=3_600))
    await until(lambda: clients.opened and clients.opened[0].requests)
    ended = await asyncio.wait_for(wait(clients, "b"), LONG)
    assert ended.ending is Ending.SUCCESS
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first


async def test_each_account_has_its_own_and_sms_and_lookups_share_a_client():
    gate = Gate()
    clients = Clients(answer=gate)
    every = [("mine", SMS), ("mine", LOOKUPS), ("other", SMS)]
    running = [asyncio.create_task(wait(clients, "a", account=one, resource=what)) for one, what in every]
    await until(lambda: len(clients.opened) == 2 and all(len(one.requests) > 4 for one in clients.opened))
    assert {request.path for request in clients.opened[0].requests} == {"sms/a", "lookup/a"}
    assert {request.path for request in clients.opened[1].requests} == {"sms/a"}
    gate.is_open = True
    await asyncio.wait_for(asyncio.gather(*running), LONG)
    assert [one.closed for one in clients.opened] == [1, 1]


async def test_another_event_loop_has_its_own():
    gate = Gate()
    clients, others = Clients(answer=gate), Clients()
    here = asyncio.create_task(wait(clients, "a"))
    await until(lambda: clients.opened and clients.opened[0].requests)
    ended = await asyncio.to_thread(asyncio.run, wait(others, "a"))
    assert ended.ending is Ending.SUCCESS
    assert [one.closed for one in (*clients.opened, *others.opened)] == [0, 1]
    gate.is_open = True
    await asyncio.wait_for(here, LONG)


async def test_two_that_open_a_client_at_once_use_one_and_close_the_other():
    clients = Clients()

    async def slowly():
        await asyncio.sleep(0.01)
        return await clients.open()

    async def one(message_id):
        async with shared_reader("mine", SMS, slowly) as reader:
            return await reader.wait(subscription_for(message_id), lambda _: None)

    await asyncio.wait_for(asyncio.gather(one("a"), one("b")), LONG)
    used, unused = clients.opened
    assert (len(used.requests), len(unused.requests)) == (2, 0)
    assert (used.closed, unused.closed) == (1, 1)


async def test_a_client_that_cannot_be_opened_leaves_nothing_behind():
    async def fail():
        raise ValueError("bad connection")

    with pytest.raises(ValueError, match="bad connection"):
        async with shared_reader("mine", SMS, fail):
            raise AssertionError("unreachable")
    assert (await asyncio.wait_for(wait(Clients(), "a"), LONG)).ending is Ending.SUCCESS


async def test_the_reader_runs_in_no_triggers_context():
    whose = contextvars.ContextVar("whose", default="nobody's")
    seen = []

    async def look(_):
        seen.append(whose.get())

    clients = Clients(before=look)
    whose.set("the first trigger's")
    await asyncio.wait_for(wait(clients, "a"), LONG)
    assert seen == ["nobody's"]


async def test_each_sweep_is_reported_to_its_own_wait_in_its_own_context():
    whose, told = contextvars.ContextVar("whose", default="nobody's"), []
    gate = Gate()
    clients = Clients(answer=gate)

    async def trigger(name):
        whose.set(name)
        return await wait(clients, name, report=lambda one: told.append((whose.get(), *one.watch.ids)))

    running = [asyncio.create_task(trigger(name)) for name in ("one", "other")]
    await until(lambda: len(told) > 6)
    gate.is_open = True
    await asyncio.wait_for(asyncio.gather(*running), LONG)
    assert set(told) == {("one", "one"), ("other", "other")}


async def test_pages_that_the_limit_forbids_hold_up_nobodys_single_read():
    listed = []

    def answer(request):
        if request.path != "sms":
            return read_of(id_of(request))
        listed.append(request)
        number = request.params["page"]
        page = page_of(*(f"m{100 * number + line}" for line in range(100)), status="sent")
        told = {"limit": "30", "remaining": str(30 - len(listed)), "reset": str(int(time.time()) + 3_000)}
        return Answer(200, {f"x-ratelimit-{name}": value for name, value in told.items()}, page.body)

    clients = Clients(answer=answer)
    long = new_long_wait(clients)
    await until(lambda: len(listed) >= 24)
    await asyncio.sleep(0.1)
    try:
        ended = await asyncio.wait_for(wait(clients, "x"), LONG)
        assert ended.ending is Ending.SUCCESS
    finally:
        long.cancel()
        with suppress(asyncio.CancelledError):
            await long


def new_long_wait(clients):
    """Wait for ten thousand messages that were all accepted just now."""
    now = time.time()
    watch = Watch([f"m{place}" for place in range(100, 10_100)], accepted=AcceptedTimes.between(now, now))
    one = Subscription(watch, deadline=now + 3_600, poll_interval=1.0, polls_per_minute=60_000)

    async def go_on():
        async with shared_reader("mine", SMS, clients.open) as reader:
            return await reader.wait(one, lambda _: None)

    return asyncio.create_task(go_on())


async def test_waits_and_reads_are_counted():
    counted = Counted()
    clients = Clients(answer=lambda request: Answer(401, {}, b"") if id_of(request) == "sms" else Gate()(request))
    async with shared_reader("mine", SMS, clients.open) as reader:
        clients.opened[0].settings.counters = counted
        await asyncio.wait_for(
            reader.wait(subscription_for(*(f"m{place}" for place in range(9))), lambda _: None), LONG
        )
    assert counted.counts["waits.begun"] == counted.counts["waits.ended"] == 1
    assert (counted.counts["reads.single"], counted.counts["reads.list"]) == (2, 1)


async def test_two_that_open_a_client_at_once_and_the_first_leaves_meanwhile():
    clients = Clients(answer=lambda request: read_of(id_of(request)))
    opening, may_open = [], asyncio.Event()

    async def slowly():
        opening.append(1)
        number, client = len(opening), await clients.open()
        await until(lambda: len(opening) == 2)
        if number == 2:
            await may_open.wait()
        return client

    async def wait_once(one):
        async with shared_reader("mine", SMS, slowly) as reader:
            return await reader.wait(subscription_for(one), lambda _: None)

    first, second = asyncio.create_task(wait_once("a")), asyncio.create_task(wait_once("b"))
    assert (await asyncio.wait_for(first, LONG)).ending is Ending.SUCCESS
    may_open.set()
    assert (await asyncio.wait_for(second, LONG)).ending is Ending.SUCCESS
    assert [one.closed for one in clients.opened] == [1, 1]


async def test_a_reader_that_somebody_cancels_ends_its_waits():
    gate = Gate()
    clients = Clients(answer=gate)
    waiting = asyncio.create_task(wait(clients, "a"))
    await until(lambda: clients.opened and clients.opened[0].requests)
    (reader,) = [task for task in asyncio.all_tasks() if "SharedReader._run" in repr(task)]
    reader.cancel()
    with pytest.raises(RuntimeError, match="cancelled"):
        await asyncio.wait_for(waiting, LONG)


async def test_a_status_that_nobody_knows_is_warned_of_in_the_context_of_whoever_waits(caplog):
    whose = contextvars.ContextVar("whose", default="nobody")
    said = []
    caplog.handler.addFilter(lambda record: said.append((whose.get(), record.getMessage())) or True)
    clients = Clients(answer=lambda request: read_of(id_of(request), "Teleported"))

    async def wait_as(name):
        whose.set(name)
        await wait(clients, name)

    running = [asyncio.create_task(wait_as(name)) for name in ("one", "other")]
    await until(lambda: len(said) == 2)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert sorted(name for name, _ in said) == ["one", "other"]
    assert all("teleported" in line for _, line in said)


async def test_an_answer_that_takes_long_keeps_nobody_who_is_done():
    asked, may_answer = [], asyncio.Event()

    async def before(request):
        asked.append(id_of(request))
        if id_of(request) == "slow":
            await may_answer.wait()

    clients = Clients(before=before)
    done = asyncio.create_task(wait(clients, "first", "quick"))
    slow = asyncio.create_task(wait(clients, "slow"))
    assert (await asyncio.wait_for(done, LONG)).ending is Ending.SUCCESS
    assert "slow" in asked
    assert not slow.done()
    may_answer.set()
    assert (await asyncio.wait_for(slow, LONG)).ending is Ending.SUCCESS


async def test_a_deadline_that_comes_while_an_answer_takes_long_is_told(monkeypatch):
    monkeypatch.setattr(shared_readers, "TOLD_EVERY", 0.01)
    never = asyncio.Event()
    clients = Clients(before=lambda _: never.wait())
    one = subscription_for("slow")
    one.deadline = time.time() - LAST_LOOK + 0.3

    async def go_on():
        async with shared_reader("mine", SMS, clients.open) as reader:
            return await reader.wait(one, lambda _: None)

    monkeypatch.setattr(Subscription, "gives_up_at", property(lambda one: one.deadline + LAST_LOOK))
    assert (await asyncio.wait_for(go_on(), LONG)).ending is Ending.TIMEOUT
