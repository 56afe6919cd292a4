# SPDX-License-Identifier: Apache-2.0
"""A moment is told on the server's clock by its own worker's knowledge, never by another worker's clock."""

from __future__ import annotations

import math

import pytest

from airflow_provider_instasent.journal.worker_clock import (
    UNKNOWN_SLACK,
    ClockIdentity,
    Moment,
    WorkerClock,
    elapsed,
)

HOUR = 3600.0


def test_a_moment_knows_how_far_the_server_was_ahead_when_it_was_noted():
    clock = WorkerClock(now=lambda: 1000.0, elapsed=lambda: 5.0)
    assert clock.moment() == Moment(1000.0, None, 0.0)
    clock.learn(None)
    assert clock.moment().offset is None
    clock.learn(1030.0)
    assert clock.moment() == Moment(1000.0, 30.0, 0.0)
    assert clock.moment().elapsed == 5.0


@pytest.mark.parametrize("now", [None, 0.0, HOUR, -HOUR])
def test_what_was_known_then_counts_whatever_the_clock_of_now_says(now):
    assert Moment(1000.0, 30.0, None).window(now) == (1030.0, 1030.0)
    assert Moment(1000.0, 30.0, 500.0).window(now) == (1030.0, 1030.0)


@pytest.mark.parametrize("ahead", [None, 0.0, HOUR])
def test_without_an_answer_nothing_is_known_but_the_day(ahead):
    assert Moment(1e9, None, ahead).window(None) == (1e9 - UNKNOWN_SLACK, math.inf)


def test_of_another_machine_without_an_answer_nothing_is_known_but_the_day():
    assert Moment(1e9).window(30.0) == (1e9 - UNKNOWN_SLACK, math.inf)


def test_this_try_learns_how_far_the_server_is_ahead_later():
    assert Moment(1000.0, None, 0.0).window(30.0) == (1030.0, 1030.0)


@pytest.mark.parametrize(("ahead", "window"), [(HOUR, (1030.0, 1030.0 + HOUR)), (-HOUR, (1030.0 - HOUR, 1030.0))])
def test_a_clock_that_was_set_between_two_tries_of_one_machine_leaves_two_readings(ahead, window):
    assert Moment(1000.0, None, ahead).window(30.0) == window


def test_clocks_are_compared_on_one_machine_only():
    here = ClockIdentity("boot", 100.0)
    assert ClockIdentity("boot", 160.0).ahead_of(here) == 60.0
    assert ClockIdentity("other", 100.0).ahead_of(here) is None
    assert ClockIdentity("", 100.0).ahead_of(ClockIdentity("", 100.0)) is None


def test_the_clock_of_this_machine_is_the_same_one_a_moment_later():
    ahead = WorkerClock().identity.ahead_of(WorkerClock().identity)
    assert ahead is not None
    assert elapsed() <= elapsed()


def test_a_clock_that_was_set_is_ahead_of_what_it_was():
    before, after = (WorkerClock(now=lambda now=now: now, elapsed=lambda: 5.0) for now in (1000.0, 1000.0 + HOUR))
    assert after.identity.ahead_of(before.identity) == HOUR


def test_while_a_try_lasts_nobody_can_set_its_clock():
    machine, steady = 1000.0, 5.0
    clock = WorkerClock(now=lambda: machine, elapsed=lambda: steady)
    clock.learn(1030.0)
    machine, steady = 1000.0 - HOUR, 7.0
    assert clock.now() == 1002.0
    assert clock.moment() == Moment(1002.0, 30.0, 0.0)
