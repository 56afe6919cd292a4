# SPDX-License-Identifier: Apache-2.0

"""The sandbox's clock: it runs, or stands where a test stopped it and moves by what that test says."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from airflow_provider_instasent.sandbox import clock as module
from airflow_provider_instasent.sandbox.clock import Clock
from airflow_provider_instasent.sandbox.settings import Settings
from airflow_provider_instasent.sandbox.state import Sandbox


@pytest.fixture
def machine(monkeypatch):
    """The machine's own clock, as a list of one number."""
    seconds = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: seconds[0], time=lambda: seconds[0]))
    return seconds


def test_it_runs_with_the_machine_until_it_is_stopped(machine):
    clock = Clock()
    machine[0] += 5
    assert clock.now() == 5
    clock.stop()
    machine[0] += 7
    assert clock.now() == 5
    clock.stop()
    clock.advance(3)
    machine[0] += 7
    assert clock.now() == 8
    assert clock.wall(clock.now(), 1) - clock.wall(0, 0) == 9


def test_it_only_moves_forward():
    with pytest.raises(ValueError, match="only moves forward"):
        Clock().advance(-1)


async def test_who_waits_for_a_stopped_clock_waits_until_it_is_moved():
    clock = Clock()
    clock.stop()
    waiting = asyncio.create_task(clock.wait_until(clock.now() + 60))
    for seconds in (20, 20):
        clock.advance(seconds)
        await asyncio.sleep(3 * module._LOOK)
        assert not waiting.done()
    clock.advance(30)
    await asyncio.wait_for(waiting, 120)


async def test_a_reset_lets_go_whoever_waits():
    sandbox = Sandbox(["token"], Settings())
    sandbox.clock.stop()
    waiting = asyncio.create_task(sandbox.clock.wait_until(sandbox.clock.now() + 3600))
    await asyncio.sleep(0)
    sandbox.reset()
    await asyncio.wait_for(waiting, 120)
    assert 0 <= sandbox.clock.now() < 3600
