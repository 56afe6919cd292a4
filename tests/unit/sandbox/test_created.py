# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import datetime

import pytest

from airflow_provider_instasent.sandbox.clock import Clock
from airflow_provider_instasent.sandbox.created import created
from airflow_provider_instasent.sandbox.settings import Settings

CLOCK = Clock()


def said(number=0, at=10.25, **settings):
    return created(number, at, CLOCK, Settings(**settings)).get("createdAt")


def moment_of(value):
    return datetime.fromisoformat(value).timestamp()


def test_each_form_tells_the_same_moment():
    moment = CLOCK.wall(10.25, 0.0)

    assert moment_of(said()) == int(moment)
    assert moment_of(said(created_form="fraction")) == pytest.approx(moment, abs=1e-5)
    assert said(created_form="unix") == int(moment)
    assert said(created_form="milliseconds") == int(moment * 1000)
    assert said(created_form="unix", clock_skew=50.0) == int(moment + 50)


def test_jitter_stays_within_its_bounds_and_the_same_each_time():
    options = {"created_form": "milliseconds", "created_jitter": 2.0}
    off = [said(number, **options) / 1000 - CLOCK.wall(10.25, 0.0) for number in range(500)]

    assert -2.01 <= min(off) < -1.9
    assert 1.9 < max(off) <= 2.01
    assert off == [said(number, **options) / 1000 - CLOCK.wall(10.25, 0.0) for number in range(500)]
    assert said(3, **options) != said(3, created_seed=1, **options)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_them_cannot_be_read(share):
    values = [said(number, created_unreadable=share) for number in range(1000)]

    unreadable = [value for value in values if value in {None, "just now"}]
    assert len(unreadable) / 1000 == pytest.approx(share, abs=0.05)
    assert share == 0.0 or set(unreadable) == {None, "just now"}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_them_is_an_hour_early(share):
    late = [moment_of(said(number, created_behind=share)) < CLOCK.wall(10.25, 0.0) - 3_000 for number in range(1000)]

    assert sum(late) / 1000 == pytest.approx(share, abs=0.05)
