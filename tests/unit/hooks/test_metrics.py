# SPDX-License-Identifier: Apache-2.0
"""Counts reach Airflow's metrics; no trouble of theirs reaches a send or an event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter

import pytest
from support.events import LONG, until

from airflow_provider_instasent.compat import Stats
from airflow_provider_instasent.hooks import metrics
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.hooks.metrics import AIRFLOW_COUNTERS, AirflowCounters


class Backend:
    """What Airflow's metrics stand for here.

    :ivar counts: by name
    :ivar threads: on which they were counted
    :ivar open: what a call waits for on any thread but the main one
    """

    def __init__(self):
        self.counts = Counter()
        self.threads = []
        self.open = threading.Event()
        self.open.set()

    def incr(self, name, count):
        self.threads.append(threading.current_thread())
        if threading.current_thread() is not threading.main_thread():
            assert self.open.wait(LONG)
        self.counts[name] += count

    def __call__(self):
        return self.incr


@pytest.fixture
def backend():
    return Backend()


def test_the_clients_of_a_connection_count_by_airflow(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", '{"conn_type": "instasent", "password": "token"}')
    with InstasentHook().get_conn(max_in_flight=1) as client:
        assert client.settings.counters is AIRFLOW_COUNTERS
    assert asyncio.run(InstasentHook().aget_conn()).settings.counters is AIRFLOW_COUNTERS


def test_airflows_own_metrics_are_what_counts():
    assert metrics._airflows_increment() == Stats.incr


def test_a_count_is_there_at_once_and_none_of_nothing(backend):
    counters = AirflowCounters(backend)
    counters.count("a")
    counters.count("a", 3)
    counters.count("b", 0)
    assert backend.counts == {"a": 4}
    assert backend.threads == [threading.current_thread()] * 2


@pytest.mark.parametrize("fails", ["import", "call"])
def test_what_metrics_raise_is_told_once_and_stops_nothing(caplog, fails):
    def broken(*_args):
        raise RuntimeError("the metrics client is broken")

    counters = AirflowCounters(broken if fails == "import" else lambda: broken)
    with caplog.at_level(logging.DEBUG, logger=metrics.__name__):
        counters.count("a")
        counters.count("a")
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]


async def test_a_loop_goes_on_while_metrics_wait(backend):
    backend.open.clear()
    counters = AirflowCounters(backend)
    for _ in range(1_000):
        counters.count("a")
    counters.count("b", 2)
    await asyncio.sleep(0)
    assert threading.current_thread() not in backend.threads
    assert not backend.counts
    backend.open.set()
    await until(lambda: backend.counts == {"a": 1_000, "b": 2}, "the counts")
    assert threading.current_thread() not in backend.threads
    assert len(backend.threads) <= 3  # gathered, and not one call a count
    await until(lambda: not counters._is_handing_over, "the end of it")
    counters.count("a")
    await until(lambda: backend.counts["a"] == 1_001, "a count after that")


def test_a_loop_that_ends_waits_for_its_counts(backend):
    counters = AirflowCounters(backend)

    async def count():
        counters.count("a")

    for _ in range(3):
        asyncio.run(count())
    assert backend.counts == {"a": 3}


async def test_a_loop_without_threads_loses_counts_and_nothing_else(backend):
    counters = AirflowCounters(backend)
    loop = asyncio.get_running_loop()
    loop.run_in_executor = lambda *_args: (_ for _ in ()).throw(RuntimeError("shut down"))
    try:
        counters.count("a")
    finally:
        del loop.run_in_executor
    counters.count("a")
    await until(lambda: backend.counts == {"a": 2}, "both")
