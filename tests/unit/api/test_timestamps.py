# SPDX-License-Identifier: Apache-2.0
"""The server's clock is read alike in any zone of ours; a creation time in any unit, and never raising."""

from __future__ import annotations

import os
import time

import pytest

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.timestamps import created_at

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # NOW


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Fri, 99 Jan 2027 08:00:00 GMT", None),
        (DATE, NOW),
        ("Fri, 15 Jan 2027 10:00:00 +0200", NOW),
        ("Fri, 15 Jan 2027 08:00:00", NOW),
        ("Fri, 15 Jan 2027 08:00:00 -0000", NOW),
        ("Fri, 15 Jan 99999999999 08:00:00 GMT", None),
        ("Fri, 15 Jan 2027 08:00:00 +9999999999999999999", None),
        ("1" * 5000, None),
        ("\x00\ufffd,,,", None),
    ],
)
def test_the_servers_clock_in_any_zone_of_ours(date, moment, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert Answer(200, {} if date is None else {"date": date}, b"").server_time() == moment
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != "America/New_York"


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("moment", [1_000_000_000.0, 1_776_767_676.0, NOW, 4_999_999_999.0])
@pytest.mark.parametrize("form", [int, float, str, lambda value: f" {value} "])
def test_unix_time_in_any_unit(unit, moment, form):
    assert created_at({"createdAt": form(int(moment) * unit)}) == pytest.approx(moment, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1800000000.25", 1_800_000_000.25),
        (1_800_000_000_250, 1_800_000_000.25),
        ("20270115", 1_799_971_200.0),
        ("2027-01-15T08:00:00.5Z", NOW + 0.5),
        *(
            (odd, None)
            for odd in (
                *(0, -1, 1, 10**9 - 1, 5 * 10**9, 10**20, 10**400, -(10**400), 1e308, float("nan"), float("inf")),
                *("0", "20270115080000", "9" * 400, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"),
                *("9999-12-31T23:59:59-23:59", "-0001-11-30T00:00:00Z", "\ud800", "\0", [], {}, {"date": NOW}, True),
            )
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_time_that_is_none_is_read_as_none(value, moment):
    assert created_at({"createdAt": value}) == moment
