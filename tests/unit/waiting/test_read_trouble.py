# SPDX-License-Identifier: Apache-2.0
"""Trouble with one endpoint is not trouble with the other, and is counted once; nobody ends early for it."""

from __future__ import annotations

import random

import pytest
from support.hand_clock import NOW, HandClock
from support.simulated_account import START, SimulatedAccount, new_reader, new_wait, run

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.rate_window import RateWindow
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.read_trouble import GIVEN_UP, LONG_PAUSE, ReadTrouble
from airflow_provider_instasent.waiting.reads import PageRead, SingleRead

DOWN = Answer(503, {}, b"")
LIMITED = Answer(429, {"x-ratelimit-reset": str(int(NOW) + 50)}, b"")
INTERVAL = 30.0
DAY = 86_400.0


@pytest.fixture
def trouble():
    clock = HandClock()
    return ReadTrouble({kind: RateWindow(clock) for kind in (PageRead, SingleRead)})


def fail(trouble, kind, times, now=NOW, outcome=DOWN):
    return [trouble.failed(kind, outcome, errors.UnavailableError("why"), now, INTERVAL) for _ in range(times)]


@pytest.mark.parametrize(("kind", "other"), [(PageRead, SingleRead), (SingleRead, PageRead)])
@pytest.mark.parametrize(("outcome", "times", "until"), [(DOWN, 3, NOW + INTERVAL), (LIMITED, 1, NOW + 50)])
def test_one_endpoint_pauses_and_the_other_goes_on(trouble, kind, other, outcome, times, until):
    told = fail(trouble, kind, times, outcome=outcome)
    assert [one.is_over for one in told] == [False] * (times - 1) + [True]
    assert trouble.until(kind) == pytest.approx(until, abs=2)
    assert trouble.is_held_up(kind, NOW + 1, 0.0)
    assert (trouble.until(other), trouble.is_held_up(other, NOW + 1, 0.0)) == (0.0, False)
    assert trouble.is_limited(kind) is (outcome is LIMITED)


def test_beside_a_list_that_is_down_one_failed_read_is_enough_and_counts_no_more(trouble):
    assert fail(trouble, PageRead, 3)[-1].counts
    (told,) = fail(trouble, SingleRead, 1, NOW + 1)
    assert (told.is_over, told.counts) == (True, False)
    assert fail(trouble, PageRead, 3, NOW + INTERVAL + 0.5)[-1].counts, "the list is what is counted by"


def test_a_list_that_fails_does_not_count_while_single_reads_are_answered(trouble):
    counted = []
    for number in range(4):
        if number in {1, 2}:
            trouble.succeeded(SingleRead)
        counted.append(any(one.counts for one in fail(trouble, PageRead, 3, NOW + number * INTERVAL)))
    assert counted == [True, False, False, True]


def test_an_endpoint_is_given_up_while_its_third_pause_lasts_and_until_it_answers(trouble):
    for number in range(GIVEN_UP):
        now = NOW + number * INTERVAL
        assert not trouble.is_given_up(PageRead, now)
        fail(trouble, PageRead, 3, now)
    assert trouble.is_given_up(PageRead, now + INTERVAL - 0.1)
    assert not trouble.is_given_up(PageRead, now + INTERVAL), "it is tried again"
    assert fail(trouble, PageRead, 1, now + INTERVAL)[0].is_over, "once"
    trouble.succeeded(PageRead)
    assert not trouble.is_given_up(PageRead, now + 1)


def test_the_last_seconds_of_a_rate_limit_are_waited_for(trouble):
    for number in range(GIVEN_UP):
        reset = NOW + 60 * number + 50
        refused = Answer(429, {"x-ratelimit-reset": str(int(reset))}, b"")
        fail(trouble, PageRead, 5, NOW + 60 * number, refused)  # side by side
        assert not trouble.is_given_up(PageRead, reset - 30) or number == GIVEN_UP - 1
    until = trouble.until(PageRead)
    assert trouble.is_given_up(PageRead, until - LONG_PAUSE - 1)
    assert not trouble.is_given_up(PageRead, until - LONG_PAUSE + 1)


def test_failures_of_the_round_before_are_not_in_a_row_with_those_of_this_one(trouble):
    fail(trouble, PageRead, 2)
    trouble.round_begins()
    assert not any(one.is_over for one in fail(trouble, PageRead, 2))


@pytest.mark.parametrize("kind", [PageRead, SingleRead])
def test_a_refusal_is_told_once(trouble, kind):
    error = errors.AuthenticationError("bad token", status=401)
    told = trouble.failed(kind, Answer(401, {}, b""), error, NOW, INTERVAL)
    assert (told.is_over, "bad token" in told.refusal) == (True, True)
    assert fail(trouble, kind, 1)[0].refusal is None


# A reader on a simulated account.


def waits_of(account, reader, *sizes, **settings):
    """Waits for so many messages each, which were just accepted."""
    waits = [
        new_wait(account, account.accept(size, f"w{place}-"), (account.now, account.now), **settings)
        for place, size in enumerate(sizes)
    ]
    for wait in waits:
        reader.attach(wait)
    return waits


def all_succeeded(account, waits):
    return [account.endings[wait].ending for wait in waits] == [Ending.SUCCESS] * len(waits)


def test_a_small_wait_does_not_stand_behind_a_large_one_where_both_are_read_one_by_one():
    account = SimulatedAccount(final_after=0.0)
    reader = new_reader(account)
    account.fault = lambda read: DOWN if isinstance(read, PageRead) else None
    large, small = waits_of(account, reader, 5_000, 200)
    ended = run(account, reader, DAY)
    assert all_succeeded(account, [large, small])
    assert ended[small] < START + 300
    assert ended[large] < START + 2_000


def test_a_wait_that_comes_later_does_not_stand_behind_thousands_that_the_list_does_not_show():
    account = SimulatedAccount(final_after=0.0, limit=1_200)
    reader = new_reader(account)
    (large,) = waits_of(account, reader, 3_000)
    account.hidden.update(large.watch.ids)
    run(account, reader, 60)
    (small,) = waits_of(account, reader, 1)
    ended = run(account, reader, DAY)
    assert all_succeeded(account, [large, small])
    assert ended[small] < START + 90


def test_pauses_that_are_minutes_apart_are_not_in_a_row():
    account = SimulatedAccount(final_after=0.0, limit=1_200)
    reader = new_reader(account)
    account.fault = lambda read: DOWN if isinstance(read, PageRead) or (account.now - START) % 300 < 40 else None
    waits = waits_of(account, reader, 10_000, 50)
    run(account, reader, DAY)
    assert all_succeeded(account, waits)


@pytest.mark.parametrize("percent", [0.5, 2, 5])
def test_beside_a_list_that_is_down_single_reads_that_fail_now_and_then_delay_nobody(percent):
    chance = random.Random(1)
    account = SimulatedAccount(final_after=0.0, limit=1_200)
    reader = new_reader(account)
    account.fault = lambda read: DOWN if isinstance(read, PageRead) or chance.random() < percent / 100 else None
    (wait,) = waits_of(account, reader, 2_000)
    ended = run(account, reader, DAY)
    assert all_succeeded(account, [wait])
    assert ended[wait] < START + 900


@pytest.mark.parametrize("status", [400, 404, 500])
@pytest.mark.parametrize(("hidden", "traffic"), [(1, 0.5), (40, 1.0), (10, 5.0), (40, 5.0)])
@pytest.mark.parametrize("older", [0, 3_000])
def test_a_list_that_refuses_pages_behind_its_last_one_costs_nobody_patience(status, hidden, traffic, older):
    account = SimulatedAccount(final_after=45.0, traffic=traffic, limit=1_200)
    account.accept(older, "old", account.now - 3_600)
    reader = new_reader(account)
    (wait,) = waits_of(account, reader, 300)
    account.hidden.update(random.Random(3).sample(list(wait.watch.ids), hidden))

    def fault(read):
        if not isinstance(read, PageRead):
            return None
        is_beyond = (read.number - 1) * 100 >= len(account.accepted) - len(account.hidden)
        return Answer(status, {}, b"") if is_beyond else None

    account.fault = fault
    ended = run(account, reader, DAY)
    assert all_succeeded(account, [wait])
    assert ended[wait] < START + 300
    assert len(account.requests) < 700


@pytest.mark.parametrize(("per_minute", "interval"), [(60, 5.0), (60, 30.0), (20, 30.0)])
def test_searches_for_new_waits_leave_turns_to_what_was_found_before(per_minute, interval):
    """A wait for five messages comes each second, which is as fast as one search takes."""
    account = SimulatedAccount(final_after=200.0, limit=1_200)
    account.accept(1_000, "old", account.now - 9_000)
    reader = new_reader(account, per_minute)
    ended = {}
    for second in range(900):
        ids = account.accept(5)
        reader.attach(new_wait(account, ids, (account.now - 1, account.now), poll_interval=interval))
        ended |= run(account, reader, START + second + 1 - account.now)
    assert len(ended) >= 300


def test_a_wait_that_brings_a_rate_limit_along_puts_off_itself_alone():
    account = SimulatedAccount(final_after=60.0, limit=1_200)
    reader = new_reader(account)
    (campaign,) = waits_of(account, reader, 3_000)
    ended = {}
    for _ in range(5):
        sensor = new_wait(account, account.accept(1, "s"), (account.now, account.now))
        sensor.watch.blocked_until = account.now + 58
        reader.attach(sensor)
        ended |= run(account, reader, 40)
    assert ended[campaign] < START + 100
    assert 429 not in account.statuses


@pytest.mark.parametrize("others", [0, 10, 15])
def test_a_limit_that_is_shared_takes_few_single_sends_from_the_list(others):
    account = SimulatedAccount(final_after=DAY, limit=1_200)
    reader = new_reader(account)
    waits_of(account, reader, 20_000, *[1] * 300)
    used, done = 0.0, 0

    def fault(_):
        nonlocal used, done
        used = others * (account.now - START)
        while done < used:
            done += 1
            account._windows["list", int(account.now // 60)] += 1

    account.fault = fault
    run(account, reader, 600)
    assert len(account.read("read")) <= 350


@pytest.mark.parametrize("kind", [PageRead, SingleRead])
def test_an_api_that_goes_down_after_it_answered_is_told_after_ten_pauses_and_one(kind):
    account = SimulatedAccount(final_after=DAY)
    reader = new_reader(account)
    (wait,) = waits_of(account, reader, 500 if kind is PageRead else 3)
    run(account, reader, 20)
    account.fault = lambda _: DOWN
    ended = run(account, reader, DAY)
    assert account.endings[wait].ending is Ending.ERROR
    assert 9 * 30 <= ended[wait] - START <= 13 * 30


@pytest.mark.parametrize(("said", "seconds"), [("45", 45), ("1000", 120), ("Mon, 12 Jan 1970 13:47:25 GMT", 45)])
def test_an_endpoint_that_is_down_is_left_alone_as_long_as_it_asks_and_still_counts(trouble, said, seconds):
    down = Answer(503, {"retry-after": said}, b"")
    (first,) = fail(trouble, PageRead, 1, NOW, down)
    assert (first.is_over, first.is_rate_limited, first.counts) == (True, False, True)
    assert (trouble.until(PageRead), trouble.until(SingleRead)) == (NOW + seconds, 0.0)
    assert not trouble.is_limited(PageRead)
