# SPDX-License-Identifier: Apache-2.0
"""The server's clock is read alike in any zone of ours, and its moments in any form."""

from __future__ import annotations

import os
import time

import pytest

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.timestamps import FURTHEST_ZONE, created_at, zone_slack

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


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2027-01-15T08:00:00+00:00", NOW),
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T09:00:00+01:00", NOW),
        (" 2027-01-15 08:00:00 ", NOW),
        (NOW, NOW),
        (int(NOW), NOW),
        (True, None),
        (None, None),
        ("", None),
        ("yesterday", None),
        ({"date": "2027-01-15"}, None),
        ("20270115T080000Z", NOW),
        ("2027-01-15T08:00:00.250Z", NOW + 0.25),
        ("2027-01-15T08:00+0000", NOW),
        (NOW * 1_000, NOW),
        (int(NOW) * 1_000_000, NOW),
        (int(NOW) * 1_000_000_000, NOW),
        ("1800000000", NOW),
        ("1800000000000", NOW),
        ("2027-01-15", None),
        ("20270115", None),
        ("2027-01-15T08", None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:59", 253402387139.0),
        (0, None),
        (-1, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        ([NOW], None),
    ],
)
def test_the_time_of_an_sms(value, moment):
    assert created_at({"id": "1", "createdAt": value}) == moment


@pytest.mark.parametrize(
    "value",
    ["1764012312345", "2027-01-15T08:00:00+00:00", "2027-01-15 08:00Z", NOW, str(int(NOW)), None, "now", {}, 10**400],
)
def test_what_has_a_zone_or_needs_none_is_exact(value):
    assert zone_slack({"createdAt": value}) == 0.0


@pytest.mark.parametrize("value", ["2027-01-15T08:00:00", " 2027-01-15 08:00 ", "20270115T080000.5"])
def test_a_time_without_a_zone_may_be_off_by_half_a_day(value):
    assert created_at({"createdAt": value}) is not None
    assert zone_slack({"createdAt": value}) == FURTHEST_ZONE
