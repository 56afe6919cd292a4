# SPDX-License-Identifier: Apache-2.0
"""What planning and listing say while they go on, on a clock that is handed in."""

from __future__ import annotations

import pytest
from support.campaign import KEYS
from support.hand_clock import HandClock
from support.sandbox import deliverable

from airflow_provider_instasent.planning.choices import OnInvalid
from airflow_provider_instasent.planning.plan import Planner, PlanSettings
from airflow_provider_instasent.planning.plan_progress import INTERVAL, ListingProgress, PlanProgress
from airflow_provider_instasent.planning.spool import Spool


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def lines():
    return []


def rows(clock, total, seconds):
    """So many rows, each of which takes so long to come."""
    for index in range(total):
        clock.now += seconds
        yield {"to": deliverable(index % 40), "text": "private"}


def plan(progress, rows):
    with Spool() as spool:
        spool.keys = KEYS
        settings = PlanSettings("c", sender="Acme", on_invalid=OnInvalid.SKIP)
        return Planner(spool, settings, lambda _number: False, progress).read(rows)


def test_planning_says_that_it_begins_how_it_gets_on_and_what_it_found(clock, lines):
    progress = PlanProgress(lines.append, clock)
    progress.begin()
    assert lines == ["Planning: reading rows. Nothing is sent before the last one is checked."]
    plan(progress, [*rows(clock, 40, 1.0), *rows(clock, 6, 0.0), {"to": "12", "text": "private"}])
    assert lines[-1] == "Planned: 47 rows, 40 messages, 1 invalid, 6 duplicates, in 40.0 s."


def test_lines_come_at_intervals_and_tell_the_pace(clock, lines):
    plan(PlanProgress(lines.append, clock), rows(clock, 40, 1.0))
    assert lines == [
        "Planning: 15 rows read, 15 messages, 1 rows a second.",
        "Planning: 30 rows read, 30 messages, 1 rows a second.",
        "Planned: 40 rows, 40 messages, in 40.0 s.",
    ]


def test_the_pace_is_that_of_rows_and_not_of_the_wait_for_the_first(clock, lines):
    progress = PlanProgress(lines.append, clock)
    clock.now += 600
    plan(progress, rows(clock, 61, 0.5))
    assert [line for line in lines if "a second" in line][1].endswith("31 messages, 2 rows a second.")
    assert lines[-1] == "Planned: 61 rows, 40 messages, 21 duplicates, in 630.5 s."


def test_a_fast_plan_says_only_what_it_found(clock, lines):
    plan(PlanProgress(lines.append, clock), rows(clock, 40, INTERVAL / 41))
    assert lines == ["Planned: 40 rows, 40 messages, in 14.6 s."]


def test_no_rows_are_told_too(clock, lines):
    plan(PlanProgress(lines.append, clock), [])
    assert lines == ["Planned: 0 rows, 0 messages, in 0.0 s."]


def test_a_long_list_of_suppressed_numbers_is_told(clock, lines):
    assert len(list(PlanProgress(lines.append, clock).suppressing(rows(clock, 40, 1.0)))) == 40
    assert lines == [f"Planning: {number} numbers of `suppress` read." for number in (14, 29)]


def test_a_long_listing_is_told(clock, lines):
    progress = ListingProgress(40_000, lines.append, clock)
    for listed in range(10_000, 40_001, 10_000):
        clock.now += 10
        progress.take(listed)
    progress.end(40_000)
    assert lines == [
        "Listing messages in the journal: 20000 of 40000.",
        "Listing messages in the journal: 40000 of 40000.",
        "Listed 40000 messages in the journal in 40.0 s.",
    ]


def test_a_short_listing_is_not(clock, lines):
    progress = ListingProgress(10_000, lines.append, clock)
    clock.now += INTERVAL / 2
    progress.take(10_000)
    progress.end(10_000)
    assert not lines
