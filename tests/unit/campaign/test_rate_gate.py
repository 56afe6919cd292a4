# SPDX-License-Identifier: Apache-2.0

"""The gate that keeps to the rate limit, on a clock of its own."""

from __future__ import annotations

import threading
import time

import pytest
from support.events import LONG

from airflow_provider_instasent.api.daemon_workers import Workers
from airflow_provider_instasent.api.rate_limit import RateLimit
from airflow_provider_instasent.campaign import rate_gate
from airflow_provider_instasent.campaign.rate_gate import RateGate

NOW = 1_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gate(clock):
    return RateGate(lambda: None, clock)


def says(remaining, reset_at=NOW + 60, limit=100, server_time=NOW):
    return RateLimit(limit, remaining, max(0.0, reset_at - server_time), reset_at, server_time)


def test_it_is_open_until_it_knows_a_limit(gate):
    for _ in range(1_000):
        gate.enter()
    assert gate._pause() == 0


def test_requests_in_flight_count_against_what_remains(gate):
    gate.enter()
    gate.leave(says(2))
    gate.enter()
    assert gate._pause() == 0
    gate.enter()
    assert gate._pause() == pytest.approx(60 + rate_gate.MARGIN)
    gate.leave(None)  # it never left
    assert gate._pause() == 0


def test_a_request_without_an_answer_may_have_been_counted(gate):
    gate.enter()
    gate.leave(says(2))
    for _ in range(2):
        gate.enter()
        gate.leave(None, counted=True)
    assert gate._remaining == 0
    assert gate._pause() > 0


def test_a_late_answer_does_not_raise_what_remains(gate):
    gate.enter()
    gate.enter()
    gate.leave(says(1))
    gate.leave(says(5))
    assert gate._remaining == 1


def test_after_the_reset_it_opens_for_a_whole_window(gate, clock):
    gate.enter()
    gate.leave(says(0))
    assert gate._pause() > 0
    clock.now = NOW + 60 + 2 * rate_gate.MARGIN
    for _ in range(100):
        assert gate._pause() == 0
        gate.enter()
    assert gate._pause() > 0


def test_an_answer_of_the_window_before_says_nothing_about_this_one(gate, clock):
    gate.enter()
    gate.enter()
    gate.leave(says(50))
    clock.now = NOW + 61
    gate.leave(says(90, reset_at=NOW + 120, server_time=NOW + 61))
    gate.enter()
    gate.leave(says(0, reset_at=NOW + 60, server_time=NOW + 59))
    assert gate._remaining == 90


def test_the_reset_is_on_the_servers_clock(gate, clock):
    gate.enter()
    gate.leave(says(0, reset_at=NOW + 500 + 60, server_time=NOW + 500))
    assert gate._pause() == pytest.approx(60 + rate_gate.MARGIN)


def test_a_reset_in_the_far_future_is_waited_for_120_seconds_at_a_time(gate, clock, monkeypatch):
    waited = []

    def wait(seconds):
        waited.append(seconds)
        clock.now += seconds

    monkeypatch.setattr(gate._changed, "wait", wait)
    gate.enter()
    gate.leave(says(0, reset_at=NOW + 1e9))
    gate.enter()
    assert sum(waited) == pytest.approx(120, abs=1)
    gate.leave(says(7))  # and what a sound answer says then counts
    assert gate._remaining == 7


@pytest.mark.parametrize("missing", ["remaining", "reset_at"])
def test_headers_that_are_missing_close_nothing(gate, missing):
    gate.enter()
    gate.leave(RateLimit(**{"limit": 100, "remaining": 0, "reset_at": NOW + 60, missing: None}))
    assert gate._pause() == 0


def test_an_end_is_noticed_while_waiting(clock, monkeypatch):
    waited = []

    def check():
        if len(waited) == 3:
            raise InterruptedError

    def wait(seconds):
        waited.append(seconds)
        clock.now += seconds

    gate = RateGate(check, clock)
    monkeypatch.setattr(gate._changed, "wait", wait)
    gate.enter()
    gate.leave(says(0, reset_at=NOW + 3600))
    with pytest.raises(InterruptedError):
        gate.enter()
    assert sum(waited) < 1
    assert gate._in_flight == 0


def test_workers_hand_back_results_and_errors_of_every_kind():
    workers = Workers(2, "test")

    def fail():
        raise KeyboardInterrupt

    assert workers.submit(lambda: 5).result(LONG) == 5
    assert isinstance(workers.submit(fail).exception(LONG), KeyboardInterrupt)
    workers.close(LONG)
    assert not any(thread.is_alive() for thread in workers._threads)


def test_workers_that_hang_are_left_alone():
    workers, go_on = Workers(3, "test"), threading.Event()
    for _ in range(3):
        workers.submit(lambda: go_on.wait(2 * LONG))
    began = time.monotonic()
    workers.close(0.2)
    assert time.monotonic() - began < LONG
    go_on.set()
