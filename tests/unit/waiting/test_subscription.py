# SPDX-License-Identifier: Apache-2.0
"""When one wait looks, and when it is over, without a reader."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.delivery_watch import Watch
from airflow_provider_instasent.waiting.subscription import LAST_LOOK, Subscription

DEADLINE = 10_000.0


def new(ids="ab", next_sweep=100.0, deadline=DEADLINE, interval=30.0):
    watch = Watch(ids)
    watch.next_sweep = next_sweep
    one = Subscription(watch, deadline=deadline, poll_interval=interval)
    one.joined_at = 0.0
    return one


def swept(one, begin, end, status=None):
    one.begin_sweep(begin)
    if status:
        for message_id in one.watch.ids:
            one.answered()
            one.watch.saw(message_id, {"status": status})
    one.end_sweep(end)


def test_a_sweep_asks_for_what_is_pending_in_the_order_of_the_batch():
    one = new("abc")
    one.watch.saw("b", {"status": "delivered"})
    one.begin_sweep(100.0)
    assert list(one.left) == ["a", "c"]
    assert one.in_sweep
    assert not one.is_due(10**6)


def test_the_next_look_is_an_interval_after_the_sweep_began():
    one = new()
    assert [one.is_due(now) for now in (99.9, 100.0)] == [False, True]
    swept(one, 100.0, 110.0, "sent")
    assert (one.next_look(), one.sweeps) == (130.0, 1)
    assert one.left == {}


def test_a_sweep_longer_than_the_interval_is_followed_at_once():
    one = new()
    swept(one, 100.0, 145.0, "sent")
    assert one.next_look() == 145.0


def test_the_pause_is_from_the_end_of_the_last_sweep_to_the_next_look():
    one = new()
    assert one.pause == 0.0
    swept(one, 100.0, 110.0, "sent")
    assert one.pause == 20.0
    one.look_after(45.0)
    assert (one.next_look(), one.pause) == (155.0, 45.0)
    swept(one, 155.0, 200.0, "sent")
    assert one.pause == 0.0


def test_silence_lengthens_the_interval_and_a_change_ends_it():
    one = new()
    swept(one, 100.0, 100.0, "sent")
    swept(one, 1_100.0, 1_100.0, "sent")
    assert one.next_look() == 1_200.0
    swept(one, 5_100.0, 5_100.0, "sent")
    assert one.next_look() == 5_400.0
    swept(one, 5_400.0, 5_400.0, "queued")
    assert one.next_look() == 5_430.0


def test_the_last_look_is_at_the_deadline():
    one = new(deadline=115.0)
    swept(one, 100.0, 101.0, "sent")
    assert one.next_look() == 115.0
    assert one.conclude(114.9, is_paused=False) is None
    assert one.conclude(115.0, is_paused=False) is None  # it looks once more
    one.begin_sweep(115.0)
    assert one.conclude(116.0, is_paused=False) is None
    one.end_sweep(117.0)
    assert one.conclude(117.0, is_paused=False).ending is Ending.TIMEOUT


@pytest.mark.parametrize(
    ("now", "is_paused", "ends"),
    [
        (116.0, True, True),
        (114.0, True, False),
        (115.0 + LAST_LOOK - 1, False, False),
        (115.0 + LAST_LOOK, False, True),
    ],
)
def test_a_last_look_has_its_time_and_is_made_during_a_pause_by_nobody_who_does_not_sit_it_out(now, is_paused, ends):
    one = new(deadline=115.0)
    one.begin_sweep(110.0)
    assert (one.conclude(now, is_paused=is_paused, sits_out=False) is not None) == ends
    assert (one.conclude(now, is_paused=is_paused) is not None) == (now >= 115.0 + LAST_LOOK)


def test_a_deadline_that_was_past_when_it_came_leaves_a_minute_all_the_same():
    one = new(deadline=115.0)
    one.joined_at = 50_000.0
    assert one.is_due(50_000.0)
    one.begin_sweep(50_000.0)
    assert one.conclude(50_001.0, is_paused=False) is None
    assert one.conclude(50_000.0 + LAST_LOOK, is_paused=False).ending is Ending.TIMEOUT


def test_what_is_decided_ends_the_wait_in_the_middle_of_a_sweep_and_a_refusal_does_too():
    one, other = new(), new()
    for each in (one, other):
        each.begin_sweep(100.0)
    for message_id in "ab":
        one.watch.saw(message_id, {"status": "delivered"})
    other.watch.refusal = "HTTP 401"
    assert one.conclude(101.0, is_paused=False).ending is Ending.SUCCESS
    assert other.conclude(101.0, is_paused=False).ending is Ending.ERROR


def test_a_sweep_counts_as_failed_only_where_no_read_of_this_wait_succeeded():
    one = new()
    swept(one, 100.0, 101.0)
    assert one.watch.failed_sweeps == 1
    one.begin_sweep(130.0)
    one.answered()
    one.sweep_failed(131.0)
    assert one.watch.failed_sweeps == 0
    assert one.in_sweep  # it goes on where it is
    one.sweep_failed(161.0)
    assert one.watch.failed_sweeps == 1
    one.end_sweep(162.0)
    assert one.watch.failed_sweeps == 2


@pytest.mark.parametrize(("deadline", "looks_at"), [(115.0, 160.0), (150.0, 160.0), (170.0, 160.0)])
def test_a_rate_limit_that_it_brings_along_puts_off_the_first_look_also_one_at_the_deadline(deadline, looks_at):
    one = new(deadline=deadline)
    one.watch.blocked_until = 160.0
    one.join(100.0)
    assert one.next_look() == looks_at
    assert not one.is_due(159.9)
    assert one.conclude(159.9, is_paused=False) is None
    assert one.is_due(160.0)
