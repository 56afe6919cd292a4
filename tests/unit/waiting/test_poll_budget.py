# SPDX-License-Identifier: Apache-2.0
"""How many reads a minute the waits of one account make together."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting.poll_budget import POLLS_PER_MINUTE, PollBudget


def budget(per_minute=None, now=1_000.0):
    clock = [now]
    return PollBudget(lambda: clock[0], per_minute), clock


def test_reads_are_spaced_evenly_and_nothing_is_saved_up():
    one, clock = budget(120)
    delays = []
    for _ in range(4):
        delays.append(one.delay())
        one.leave()
    assert delays == [0.0, 0.5, 1.0, 1.5]
    clock[0] += 100
    assert one.delay() == 0.0
    one.leave()
    assert one.delay() == 0.5
    clock[0] += 0.2
    assert one.delay() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("limit", "per_minute"),
    [(None, POLLS_PER_MINUTE), (0, POLLS_PER_MINUTE), (-5, POLLS_PER_MINUTE), (1, 1), (7, 1), (480, 120), (1_200, 300)],
)
def test_without_a_wish_it_is_a_quarter_of_the_limit_that_was_told(limit, per_minute):
    one, _ = budget()
    one.learn(limit)
    assert one.per_minute == per_minute
    assert one.interval == 60 / per_minute


def test_an_answer_without_a_limit_changes_nothing_and_another_limit_does():
    one, _ = budget()
    for limit, per_minute in ((480, 120), (None, 120), (240, 60)):
        one.learn(limit)
        assert one.per_minute == per_minute


def test_the_lowest_that_anybody_asks_for_counts_as_long_as_they_do():
    one, _ = budget(100)
    one.learn(40)
    assert one.per_minute == 100  # what the user wants counts more than the default
    one.ask("sms", 60)
    one.ask("lookups", 80)
    assert one.per_minute == 60
    one.ask("sms", None)
    assert one.per_minute == 80
    one.ask("lookups", 600)
    assert one.per_minute == 100


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "60"])
def test_a_number_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="max_polls_per_minute"):
        budget(wrong)
