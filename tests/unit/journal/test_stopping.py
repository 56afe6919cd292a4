# SPDX-License-Identifier: Apache-2.0
"""A try that is asked to stop does so wherever it looks, and says what that means."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_provider_instasent.api import interruptible
from airflow_provider_instasent.journal.errors import StoppedError
from airflow_provider_instasent.journal.stopping import Stop


@pytest.fixture
def slept(monkeypatch):
    """What was slept, on a clock that nothing else moves."""
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: 100.0 + sum(slept), sleep=slept.append)
    monkeypatch.setattr(interruptible, "time", clock)
    return slept


def test_nobody_has_asked_for_an_end_at_first():
    stop = Stop(within=Stop())
    assert stop.is_set() is False
    stop.check()


def test_an_end_of_the_wider_one_is_an_end_of_this_and_not_the_other_way_round():
    wide = Stop()
    narrow, other = Stop(within=wide), Stop(within=wide)
    narrow.set()
    assert (narrow.is_set(), other.is_set(), wide.is_set()) == (True, False, False)
    wide.set()
    assert (other.is_set(), wide.is_set()) == (True, True)


def test_it_says_what_the_end_means():
    stop = Stop()
    stop.set()
    with pytest.raises(StoppedError, match="asked to stop; what is not sent yet goes out in the next try"):
        stop.check()
    with pytest.raises(StoppedError, match="asked to stop; nothing was ordered"):
        stop.check("nothing was ordered")
    with pytest.raises(StoppedError, match="it was waiting, and the next try goes on from the journal"):
        stop.sleep(1.0)
    with pytest.raises(StoppedError, match="it was planning, and this try has made no request"):
        next(stop.until_set([1]))


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.25, 1.1])
def test_a_wait_that_nobody_ends_lasts_as_long_as_it_should(slept, seconds):
    Stop().sleep(seconds)
    assert sum(slept) == pytest.approx(seconds)
    assert all(0 < one <= 0.25 for one in slept)


def test_a_wait_ends_soon_after_somebody_asks_for_it(slept, monkeypatch):
    stop = Stop()
    monkeypatch.setattr(interruptible.time, "sleep", lambda seconds: slept.append(seconds) or stop.set())
    with pytest.raises(StoppedError):
        stop.sleep(3_600.0)
    assert slept == [0.25]


def test_rows_come_until_somebody_asks_for_an_end():
    stop = Stop()
    rows = stop.until_set(range(10))
    assert [next(rows), next(rows)] == [0, 1]
    stop.set()
    with pytest.raises(StoppedError):
        next(rows)
