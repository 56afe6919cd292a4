# SPDX-License-Identifier: Apache-2.0

"""The gate that keeps to the rate limit, on a clock of its own."""

from __future__ import annotations

import threading
import time

import pytest
from support.events import LONG
from support.hand_clock import NOW, HandClock

from airflow_provider_instasent.api.daemon_workers import Workers
from airflow_provider_instasent.api.rate_limit import RateLimit
from airflow_provider_instasent.campaign.rate_gate import RateGate


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def gate(clock):
    return RateGate(lambda: None, clock)


def says(remaining, reset_at=NOW + 60, limit=100, server_time=NOW):
    return RateLimit(limit, remaining, max(0.0, reset_at - server_time), reset_at, server_time)


def test_requests_wait_for_the_reset_where_nothing_remains(gate, clock, monkeypatch):
    def wait(seconds):
        clock.now += seconds

    monkeypatch.setattr(gate._changed, "wait", wait)
    gate.enter()
    gate.leave(says(1, limit=2))
    gate.enter()
    assert clock.now == NOW
    gate.enter()
    assert clock.now == pytest.approx(NOW + 60, abs=0.1)


def test_a_request_that_is_over_lets_the_next_one_go(gate):
    gate.enter()
    gate.leave(says(1, limit=2))
    gate.enter()
    waiting = threading.Thread(target=gate.enter, daemon=True)
    waiting.start()
    gate.leave(None)  # it never left
    waiting.join(LONG)
    assert not waiting.is_alive()


def test_a_request_without_an_answer_may_have_been_counted(gate, clock, monkeypatch):
    def wait(seconds):
        clock.now += seconds

    monkeypatch.setattr(gate._changed, "wait", wait)
    gate.enter()
    gate.leave(says(1, limit=2))
    gate.enter()
    gate.leave(None, counted=True)
    gate.enter()
    assert clock.now == pytest.approx(NOW + 60, abs=0.1)


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
    gate.leave(says(98))  # and what a sound answer says then counts
    gate.enter()
    assert sum(waited) == pytest.approx(120, abs=2)


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
    assert gate._window.in_flight == 0


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
