# SPDX-License-Identifier: Apache-2.0
"""All triggers of an account share one reader, over real HTTP: each page once, in one budget, and nobody is lost."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest
from support.delivery import connected, first_event
from support.events import LONG, until
from support.instasent_connection import connection
from support.sandbox import deliverable

from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.waiting import shared_readers
from airflow_provider_instasent.waiting.account_reader import IN_FLIGHT
from airflow_provider_instasent.waiting.delivery_watch import Watch

__all__ = ["connected"]

FAST = {"max_polls_per_minute": 60_000}


def send(sandbox, count, start=0):
    messages = [Sms.create(to=deliverable(start + place), text="Hello", sender="Acme") for place in range(count)]
    with InstasentClient(sandbox.token, base_url=sandbox.url) as client:
        return [outcome.id for outcome in client.send_bulk(messages)]


def send_alternating(sandbox, waits, chunks):
    """Send as several senders at once would, a chunk of a hundred each in turn."""
    ids = [[] for _ in range(waits)]
    for number in range(chunks):
        for wait in range(waits):
            ids[wait] += send(sandbox, 100, (number * waits + wait) * 100)
    return ids


def new_trigger(sandbox, ids, **parameters):
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

    now = sandbox.sandbox.server_time()
    memory = {"accepted": [now - 5, now]}
    settings = {"poll_interval": 0.5, **FAST, **parameters}
    return InstasentDeliveryTrigger(ids, settings.pop("deadline", time.time() + LONG), memory=memory, **settings)


def pages(sandbox):
    return [int(one.query["page"]) for one in sandbox.requests.records("list")]


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_each_page_is_read_once_for_all(connected, order):
    connected.configure(list_order=order, sent_after=0, final_after=0)
    connected.stop_clock()
    waits = send_alternating(connected, 5, 3)
    events = await asyncio.gather(*(first_event(new_trigger(connected, ids)) for ids in waits))
    assert [event["delivered"] for event in events] == [300] * 5
    read = Counter(pages(connected))
    assert set(range(1, 16)) <= set(read) <= set(range(1, 21)), "a search may go a few pages beyond"
    assert set(read.values()) == {1}
    assert connected.requests.records("read") == []
    assert len({one.connection for one in connected.requests.records("list")}) <= 8, "one client for all"


async def test_the_next_round_reads_only_pages_with_something_pending(connected):
    connected.stop_clock()
    waits = send_alternating(connected, 2, 4)
    running = [asyncio.create_task(first_event(new_trigger(connected, ids, poll_interval=0.05))) for ids in waits]
    await until(lambda: len(pages(connected)) >= 24)
    connected.advance(60)
    for event in await asyncio.gather(*running):
        assert event["delivered"] == 400
    rounds = Counter(pages(connected))
    of_theirs = [rounds.pop(number) for number in range(1, 9)]
    # One may be read once more by the search, and another once less: the clock moves in the middle of a round.
    assert max(of_theirs) - min(of_theirs) <= 2, "a page is read as often as any other"
    assert set(rounds.values()) <= {1}, "others are met at most while theirs are searched"


async def test_a_429_pauses_the_reader_where_it_is(connected):
    connected.configure(sent_after=0, final_after=0)
    connected.stop_clock()
    waits = send_alternating(connected, 2, 5)
    connected.fault("rate_limited", "list", skip=4, times=1, seconds=1)
    events = await asyncio.gather(*(first_event(new_trigger(connected, ids, max_poll_failures=1)) for ids in waits))
    assert [event["delivered"] for event in events] == [500, 500]
    read = [int(one.query["page"]) for one in connected.requests.records("list") if one.status == 200]
    assert set(range(1, 11)) <= set(read)
    assert set(Counter(read).values()) == {1}, "nothing that was read is read again"


async def test_an_error_pauses_it_where_it_is_too(connected):
    connected.configure(sent_after=0, final_after=0)
    connected.stop_clock()
    ids = send(connected, 1_000)
    connected.fault("poll_fails", "list", skip=4, times=3)
    event = await first_event(new_trigger(connected, ids, poll_interval=0.05))
    assert event["delivered"] == 1_000
    read = [int(one.query["page"]) for one in connected.requests.records("list") if one.status == 200]
    assert set(range(1, 11)) <= set(read)
    assert set(Counter(read).values()) == {1}


async def test_what_the_headers_leave_is_obeyed_and_a_tenth_is_left_to_sends(connected):
    connected.configure(sent_after=0, final_after=0)
    waits = send_alternating(connected, 2, 20)
    connected.configure(rate_limit=20, rate_window=2)
    events = await asyncio.gather(*(first_event(new_trigger(connected, ids)) for ids in waits))
    assert [event["delivered"] for event in events] == [2_000, 2_000]
    assert 429 not in {one.status for one in connected.requests.records("list")}
    assert set(range(1, 41)) <= set(pages(connected))
    assert len(pages(connected)) <= 60


async def test_the_budget_is_that_of_the_connection_and_shared(connected, monkeypatch):
    extra = {"max_polls_per_minute": 1_200}
    monkeypatch.setenv(
        "AIRFLOW_CONN_INSTASENT_DEFAULT", connection(connected.url, password=connected.token, extra=extra)
    )
    waits = send_alternating(connected, 4, 5)
    connected.configure(sent_after=0, final_after=0)
    began = connected.sandbox.server_time()
    events = await asyncio.gather(
        *(first_event(new_trigger(connected, ids, max_polls_per_minute=None)) for ids in waits)
    )
    assert [event["delivered"] for event in events] == [500] * 4
    read = connected.requests.records("list")
    assert 20 <= len(read) <= 30
    assert all(one.time - began > 0.05 * place - 0.01 for place, one in enumerate(read))


async def test_one_that_is_cancelled_disturbs_nobody(connected):
    connected.stop_clock()
    first, second = send_alternating(connected, 2, 2)
    before = asyncio.all_tasks()
    gone = asyncio.create_task(first_event(new_trigger(connected, first, poll_interval=0.05)))
    stays = asyncio.create_task(first_event(new_trigger(connected, second, poll_interval=0.05)))
    await until(lambda: len(pages(connected)) >= 8)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    seen = len(pages(connected))
    await until(lambda: len(pages(connected)) >= seen + 4)
    connected.advance(60)
    assert (await stays)["delivered"] == 200
    assert asyncio.all_tasks() == before
    assert not shared_readers._ACCOUNTS[asyncio.get_running_loop()]


async def test_a_token_that_is_revoked_ends_all_at_once(connected):
    connected.stop_clock()
    waits = send_alternating(connected, 3, 2)
    running = [asyncio.create_task(first_event(new_trigger(connected, ids, poll_interval=0.05))) for ids in waits]
    await until(lambda: len(pages(connected)) >= 12)
    connected.fault("unauthorized", times=None)
    events = await asyncio.gather(*running)
    assert [(event["outcome"], event["fail"]) for event in events] == [("error", True)] * 3
    assert sum(one.status == 401 for one in connected.requests.records("list")) <= IN_FLIGHT


async def test_two_connections_with_one_token_are_one_account_and_two_tokens_two(connected, monkeypatch):
    connected.configure(sent_after=0, final_after=0)
    monkeypatch.setattr(connected.sandbox, "tokens", {connected.token, "another-token"})
    for name, token in (("same", connected.token), ("other", "another-token")):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection(connected.url, password=token))
    connected.stop_clock()
    ids = send(connected, 300)
    await asyncio.gather(
        first_event(new_trigger(connected, ids)), first_event(new_trigger(connected, ids, instasent_conn_id="same"))
    )
    assert Counter(pages(connected)) == Counter([1, 2, 3])
    await asyncio.gather(
        first_event(new_trigger(connected, ids)), first_event(new_trigger(connected, ids, instasent_conn_id="other"))
    )
    assert Counter(pages(connected)) == Counter([1, 2, 3] * 3)


async def test_others_may_send_meanwhile(connected):
    connected.stop_clock()
    ids = send(connected, 500)
    running = asyncio.create_task(first_event(new_trigger(connected, ids, poll_interval=0.1)))
    for number in range(1, 4):
        await until(lambda number=number: len(pages(connected)) >= 5 * number)
        send(connected, 700, 10_000 * number)
    connected.advance(60)
    assert (await running)["delivered"] == 500
    assert connected.requests.records("read") == []


async def test_a_wait_says_how_much_it_asked_and_when_it_looks_again(connected):
    from airflow_provider_instasent.triggers.reading import wait_at_reader

    connected.configure(sent_after=0)
    connected.stop_clock()
    now, lines = connected.sandbox.server_time(), []
    watch = Watch(send(connected, 200), memory={"accepted": [now - 5, now]})
    settings = {"deadline": time.time() + LONG, "poll_interval": 2.0, "polls_per_minute": 60_000}
    running = asyncio.create_task(wait_at_reader("instasent_default", watch, write=lines.append, **settings))
    await until(lambda: lines)
    connected.advance(60)
    assert (await running).result.delivered == 200
    assert lines[0].startswith("0 of 200 delivered, 200 pending (sent 200). 2 requests so far; it looks again in ")
    assert not any(sms_id in lines[0] for sms_id in watch.ids)
