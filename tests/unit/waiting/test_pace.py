# SPDX-License-Identifier: Apache-2.0
"""A wait looks as often as asked for at first, and less often the longer nothing has changed."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting.pace import interval_after


@pytest.mark.parametrize(
    ("asked", "silent_for", "interval"),
    [
        (30, 0, 30),
        (30, 300, 30),
        (30, 310, 31),
        (30, 3_000, 300),
        (30, 10**6, 300),
        (0.5, 1, 0.5),
        (0.5, 10**6, 5),
        (3_600, 10_000, 3_600),
    ],
)
def test_the_interval_is_a_tenth_of_the_silence_between_what_was_asked_for_and_ten_times_that(
    asked, silent_for, interval
):
    assert interval_after(asked, silent_for) == pytest.approx(interval)
