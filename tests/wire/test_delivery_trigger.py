# SPDX-License-Identifier: Apache-2.0
"""The delivery trigger over real HTTP: one event, within its rate, and never in the loop's way."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
from support.delivery import accepted, as_restarted, connected, first_event, reads, single_reads, spaced
from support.events import LONG, until
from support.instasent_connection import connection
from support.loop_guard import waiting_calls
from support.sandbox import HELD, call

from airflow_provider_instasent.api.network_environment import Network
from airflow_provider_instasent.waiting import shared_readers, subscription
from airflow_provider_instasent.waiting.account_reader import IN_FLIGHT
from airflow_provider_instasent.waiting.delivery_watch import Watch
from airflow_provider_instasent.waiting.results_file import RESULT_FIELDS

__all__ = ["connected", "single_reads"]

pytestmark = pytest.mark.usefixtures("single_reads")

QUICK = {"poll_interval": 0.05, "max_polls_per_minute": 60_000}


def new_trigger(ids, timeout=LONG, **parameters):
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

    return InstasentDeliveryTrigger(ids, time.time() + timeout, **{**QUICK, **parameters})


async def test_one_event_tells_all(connected):
    ids = accepted(connected, "001", "901")
    event = await first_event(new_trigger(ids, min_delivered_ratio=0.5))
    assert json.loads(json.dumps(event)) == event
    assert (event["outcome"], event["delivered"], event["counts"]) == ("success", 1, {"delivered": 1, "failed": 1})
    assert event["statuses"][ids[1]] == {"status": "failed", "code": "101"}


@pytest.mark.parametrize(
    ("ending", "fault", "outcome", "fail"),
    [
        ("901", None, "undeliverable", True),
        ("908", None, "timeout", True),
        ("001", "unauthorized", "error", True),
        ("001", "poll_fails", "error", False),
    ],
)
async def test_every_end_is_an_event(connected, ending, fault, outcome, fail):
    ids = accepted(connected, ending)
    if fault:
        connected.fault(fault, times=None)
    timeout = 0.5 if outcome == "timeout" else LONG
    event = await first_event(new_trigger(ids, timeout, max_poll_failures=2))
    assert (event["outcome"], event["fail"], event["total"]) == (outcome, fail, 1)


async def test_a_missing_connection_is_an_event(connected):
    event = await first_event(new_trigger(["a"], instasent_conn_id="nobody_made_this"))
    assert (event["outcome"], event["fail"]) == ("error", False)
    assert "nobody_made_this" in event["message"]


async def test_a_bad_connection_is_an_event_that_no_retry_mends(connected, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(connected.url, password=""))
    event = await first_event(new_trigger(["a"]))
    assert (event["outcome"], event["fail"]) == ("error", True)
    assert "`API token`" in event["message"]


async def test_a_restart_keeps_the_deadline(connected, monkeypatch):
    late = 0.0
    monkeypatch.setattr(shared_readers, "SteadyClock", lambda: lambda: time.time() + late)
    trigger = new_trigger(accepted(connected, "908"), timeout=3600)
    running = asyncio.create_task(first_event(trigger))
    await until(lambda: reads(connected))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    again = as_restarted(as_restarted(trigger))
    assert again.deadline == trigger.deadline
    running, before = asyncio.create_task(first_event(again)), len(reads(connected))
    await until(lambda: len(reads(connected)) > before + 2)
    assert not running.done()
    late = 3600
    assert (await asyncio.wait_for(running, LONG))["outcome"] == "timeout"


async def test_a_deadline_that_passed_while_no_triggerer_ran_still_gets_one_look(connected):
    connected.configure(final_after=0.0)
    arrived, stuck = accepted(connected, "001", "908")
    event = await first_event(new_trigger([arrived], timeout=-3600))
    assert event["outcome"] == "success"
    event = await first_event(new_trigger([arrived, stuck], timeout=-3600))
    assert (event["outcome"], event["delivered"]) == ("timeout", 1)
    assert len(reads(connected)) == 3


@pytest.fixture
def held(connected, monkeypatch):
    """The sandbox, whose answers to reads wait until its clock is moved; of connections there are enough."""
    more = connection(connected.url, password=connected.token, extra={"max_in_flight": 2 * IN_FLIGHT})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", more)
    connected.stop_clock()
    return connected


async def fill(held, ids):
    """Start a trigger and let its first read be answered, whereupon it makes as many as it may."""
    held.configure(latency=HELD)
    running = asyncio.create_task(first_event(new_trigger(ids)))
    await asyncio.to_thread(held.wait_for_in_flight, 1)
    held.advance(2 * HELD)
    await asyncio.to_thread(held.wait_for_in_flight, IN_FLIGHT)
    return running


async def test_cancellation_in_the_middle_of_a_read_leaves_nothing_running(held):
    ids = accepted(held, *["908"] * 30)
    before = asyncio.all_tasks()
    running = await fill(held, ids)
    assert len(asyncio.all_tasks() - before) > 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):  # no answer comes, so it waits for none
        await asyncio.wait_for(running, LONG)
    assert asyncio.all_tasks() == before
    seen = held.requests.total
    held.configure(latency=0)
    held.advance(2 * HELD)
    await asyncio.to_thread(call, held, "GET", "/organization/account")
    assert held.requests.total == seen + 1


async def test_reads_run_side_by_side_but_not_all_at_once(held):
    held.configure(final_after=0.0)
    running = await fill(held, accepted(held, *["001"] * 60))
    held.configure(latency=0)
    held.advance(2 * HELD)
    event = await running
    assert event["delivered"] == 60
    in_flight = [one.in_flight for one in reads(held)]
    assert (in_flight[0], max(in_flight)) == (1, IN_FLIGHT)
    assert 5 <= IN_FLIGHT <= 10


async def test_a_bad_token_costs_one_request_even_where_many_may_be_in_flight(connected):
    connected.configure(latency=0.1)
    ids = accepted(connected, *["001"] * 40)
    connected.fault("unauthorized", "read", times=None)
    event = await first_event(new_trigger(ids))
    assert (event["outcome"], event["fail"]) == ("error", True)
    assert len(reads(connected)) == 1


async def test_an_api_that_is_down_costs_three_requests_a_sweep(connected):
    ids = accepted(connected, *["001"] * 40)
    connected.fault("poll_fails", times=None)
    event = await first_event(new_trigger(ids, max_poll_failures=2))
    assert event["outcome"] == "error"
    assert len(reads(connected)) == 6


async def test_a_429_stops_the_sweep(connected, monkeypatch):
    monkeypatch.setattr(subscription, "LAST_LOOK", 30.0)  # less than the pause, and long for fifty reads on any machine
    connected.configure(final_after=0.0)
    ids = accepted(connected, *["001"] * 200)
    connected.fault("rate_limited", "read", skip=50, times=None, seconds=60)
    event = await first_event(new_trigger(ids, timeout=1.0))
    assert (event["outcome"], event["delivered"]) == ("timeout", 50)
    assert 51 <= len(reads(connected)) <= 60


async def test_the_rate_is_bounded_over_sweeps(connected):
    ids = accepted(connected, *["908"] * 10)
    began = connected.sandbox.server_time()
    await first_event(new_trigger(ids, timeout=1.0, poll_interval=0.01, max_polls_per_minute=1200))
    assert reads(connected)
    assert spaced(connected, began, 0.05)


async def test_what_an_earlier_poll_settled_belongs_to_the_batch_and_is_not_read(connected):
    ids = accepted(connected, "001")
    memory = {"settled": {"gone": ["failed", "101"]}, "next_sweep": time.time() + 0.3}
    event = await first_event(as_restarted(new_trigger(ids, min_delivered_ratio=0.5, memory=memory)))
    assert reads(connected)[0].time > memory["next_sweep"] - 0.05
    assert (event["total"], event["delivered"], event["counts"]["failed"]) == (2, 1, 1)
    assert {one.path.rsplit("/", 1)[1] for one in reads(connected)} == set(ids)


async def test_what_it_carries_comes_back(connected):
    ids = accepted(connected, "001")
    event = await first_event(as_restarted(new_trigger(ids, carried={"parts": 2})))
    assert event["carried"] == {"parts": 2}


async def test_it_never_sends(connected):
    ids = accepted(connected, "001", "901", "908")
    before = connected.ledger.accepted
    await first_event(new_trigger(ids, timeout=0.4))
    assert {one.method for one in connected.requests.records()[1:]} == {"GET"}
    assert connected.ledger.accepted == before


def results_of(folder, ids):
    path = folder / "results.jsonl"
    lines = (
        (position, f"c{position}", sms_id, "accepted", "enqueued", None, None) for position, sms_id in enumerate(ids)
    )
    path.write_text("".join(json.dumps(dict(zip(RESULT_FIELDS, line, strict=True))) + "\n" for line in lines))
    return str(path)


@pytest.mark.parametrize("by", ["ids", "results_path"])
async def test_the_loop_is_not_blocked(connected, tmp_path, monkeypatch, by):
    """On its thread nothing waits but the loop itself, and between two of its turns there is little to do."""
    loop, this = asyncio.get_running_loop(), threading.get_ident()
    threads, taken, most = set(), 0, 0
    saw, read_certificates = Watch.saw, Network.tls_context

    def next_turn():
        nonlocal taken
        taken = 0

    def count(self, *arguments):
        nonlocal taken, most
        if taken == 0:
            loop.call_soon(next_turn)
        taken += 1
        most = max(most, taken)
        saw(self, *arguments)

    def note_thread(*arguments):
        threads.add(threading.get_ident())
        return read_certificates(*arguments)

    monkeypatch.setattr(Watch, "saw", count)
    monkeypatch.setattr(Network, "tls_context", note_thread)
    await first_event(new_trigger(accepted(connected, "001")))  # what other libraries import at their first use
    connected.stop_clock()
    connected.configure(rate_limit=100_000)  # or the wait would spread its requests
    ids = accepted(connected, *["001"] * 300)
    connected.at(301, "read", lambda: connected.advance(60))
    watched = {"results_path": results_of(tmp_path, ids)} if by == "results_path" else {}
    trigger = new_trigger([] if watched else ids, **watched)
    with waiting_calls() as found:
        event = await first_event(trigger)
    assert event["delivered"] == 300
    assert len(reads(connected)) > 301
    assert found == []
    assert threads
    assert this not in threads
    # How long a turn may take, `make bench` measures.
    assert 1 <= most <= IN_FLIGHT
