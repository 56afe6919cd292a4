# SPDX-License-Identifier: Apache-2.0
"""A clock that goes on steadily, whoever sets the machine's meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_provider_instasent.api import steady_clock
from airflow_provider_instasent.api.steady_clock import SteadyClock


@pytest.fixture
def machine(monkeypatch):
    """The machine's two clocks, moved by hand."""
    clocks = SimpleNamespace(unix=1_800_000_000.0, elapsed=500.0)
    time = SimpleNamespace(time=lambda: clocks.unix, clock_gettime=lambda _: clocks.elapsed)
    monkeypatch.setattr(steady_clock, "time", time)
    return clocks


def test_it_tells_unix_seconds_and_goes_on_with_what_has_elapsed(machine):
    clock = SteadyClock()
    assert clock() == 1_800_000_000.0
    machine.elapsed += 7.5
    assert clock() == 1_800_000_007.5


@pytest.mark.parametrize("moved", [-86_400.0, 3_600.0])
def test_setting_the_machines_clock_does_not_move_it_and_a_new_one_begins_there(machine, moved):
    clock = SteadyClock()
    machine.unix += moved
    assert clock() == 1_800_000_000.0
    assert SteadyClock()() == 1_800_000_000.0 + moved


def test_elapsed_never_goes_back():
    assert steady_clock.elapsed() <= steady_clock.elapsed()
