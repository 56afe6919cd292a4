# SPDX-License-Identifier: Apache-2.0
"""Trouble with one endpoint is not trouble with the other, and is counted once."""

from __future__ import annotations

import pytest
from support.hand_clock import NOW, HandClock

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.rate_window import RateWindow
from airflow_provider_instasent.waiting.read_trouble import GIVEN_UP, LONG_PAUSE, ReadTrouble
from airflow_provider_instasent.waiting.reads import PageRead, SingleRead

DOWN = Answer(503, {}, b"")
LIMITED = Answer(429, {"x-ratelimit-reset": str(int(NOW) + 50)}, b"")
INTERVAL = 30.0


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
        counted.append(fail(trouble, PageRead, 3, NOW + number * INTERVAL)[-1].counts)
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
        fail(trouble, PageRead, 1, NOW + number, LIMITED)
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
