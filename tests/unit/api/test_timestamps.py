# SPDX-License-Identifier: Apache-2.0
"""The server's clock is read alike in any zone of ours, and its moments in any form."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.timestamps import Created, created_at, moment_of

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


EXACT = [
    # ISO 8601, as it is written by whom
    "2027-01-15T08:00:00+00:00",
    "2027-01-15T08:00:00Z",
    "2027-01-15t08:00:00z",
    "2027-01-15T09:00:00+01:00",
    " 2027-01-15 09:00:00+01 ",
    "2027-01-15T03:00:00\N{MINUS SIGN}05:00",
    "20270115T080000Z",
    "2027-01-15T08:00+0000",
    "2027-01-15T08:00:00.000000000Z",
    "2027-01-15T08:00:00,0Z",
    "2027-01-15 08:00:00 UTC",
    "2027-01-15 08:00:00 GMT+00:00",
    "2027-01-15 08:00:00.0 +0000 UTC",
    "2027-01-15 03:00:00 -0500 EST",
    "2027-01-15T09:00:00+01:00[Europe/Madrid]",
    "2027-01-15T09:00[Europe/Madrid]",
    # Dates as mail and HTTP write them
    DATE,
    "Fri, 15 Jan 2027 10:00:00 +0200",
    "15 Jan 2027 08:00 UT",
    "Friday, 15-Jan-27 08:00:00 GMT",
    "Fri, 15 Jan 2027 08:00:00 -0000",
    "Fri Jan 15 08:00:00 UTC 2027",
    # Numbers
    NOW,
    int(NOW),
    NOW * 1_000,
    int(NOW) * 1_000_000,
    int(NOW) * 1_000_000_000,
    "1800000000",
    "1800000000.0",
    "1.8e9",
    "1800000000000",
    # Objects
    {"date": "2027-01-15 09:00:00.000000", "timezone_type": 3, "timezone": "Europe/Madrid"},
    {"date": "2027-01-15 03:00:00.000000", "timezone_type": 1, "timezone": "-05:00"},
    {"date": "2027-01-15 08:00:00.000000", "timezone_type": 3, "timezone": "UTC"},
    {"$date": "2027-01-15T08:00:00Z"},
    {"$date": int(NOW) * 1_000},
    {"$date": {"$numberLong": "1800000000000"}},
    {"seconds": int(NOW), "nanos": 5},
    {"seconds": "1800000000"},
    {"_seconds": int(NOW), "_nanoseconds": 0},
    {"sec": int(NOW), "usec": 1},
    {"epochSecond": int(NOW), "nano": 0},
    {"dateTime": "2027-01-15T08:00:00.0000000", "timeZone": "UTC"},
]
"""All of NOW, which is 9 o'clock in Madrid and 3 in New York."""

ZONELESS = [
    "2027-01-15T08:00:00",
    " 2027-01-15 08:00 ",
    "20270115T080000",
    "20270115080000",
    20270115080000,
    "2027-01-15 08:00:00 CST",
    "2027-01-15T08:00:00[Nowhere/AtAll]",
    "15 Jan 2027 08:00:00 EST",
    "Fri Jan 15 08:00:00 2027",
    "Fri Jan 15 08:00:00 CET 2027",
    {"date": "2027-01-15 08:00:00.000000"},
    {"date": "2027-01-15 08:00:00.000000", "timezone_type": 2, "timezone": "CST"},
    {"date": "2027-01-15 08:00:00.000000", "timezone": "../../etc/passwd"},
    {"date": "2027-01-15 08:00:00.000000", "timezone": ["UTC"]},
    [2027, 1, 15, 8, 0],
    [2027, 1, 15, 8, 0, 0, 123],
]
"""All of the hour that NOW is in Greenwich, and of no place that is named."""

UNREADABLE = [
    True, None, "", "yesterday", "just now", "27/11/2026 13:00", "05/11/2026 13:00", "2027/01/15 08:00",
    "2027-01-15", "20270115", "202701150800", "2027-01-15T08", "15 Ene 2027 08:00:00 GMT", "2027-02-30T08:00:00Z",
    "2027-01-15 08:00:00 PM", "2027-01-15T08:00:60Z", "2027-01-15T08:00:00+25:00", "2027-01-15T08:00:00-23:59",
    "0000-00-00 00:00:00", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "Z", "+01:00",
    0, -1, 10**400, float("nan"), float("inf"), 6.39e17, 45_000.5, 5e9, 7e8, "1" * 5_000,
    "\N{FULLWIDTH DIGIT SIX}" * 10,
    [NOW], [2027, 13, 15, 8, 0], [2027, 1, 15], [2027, 1, 15, True, 0], {}, {"date": None}, {"date": "2027-01-15"},
    {"seconds": {"seconds": int(NOW)}}, {"$date": {"$date": {"$date": {"$date": int(NOW)}}}}, {"at": int(NOW)},
]  # fmt: skip


@pytest.mark.parametrize("value", EXACT)
def test_the_time_of_an_sms(value):
    assert created_at({"id": "1", "createdAt": value}) == Created.exactly(NOW)


@pytest.mark.parametrize("value", ["2027-01-15T08:00:00.250Z", "1800000000.25", 1800000000250])
def test_fractions_of_a_second_are_kept(value):
    assert created_at({"createdAt": value}) == Created.exactly(NOW + 0.25)


@pytest.mark.parametrize("value", ZONELESS)
def test_a_time_without_a_zone_is_known_to_within_what_zones_differ(value):
    """A short name is that of several zones, and a place that this machine does not know that of none."""
    assert created_at({"createdAt": value}) == Created(NOW, NOW - 14 * 3_600, NOW + 12 * 3_600)


@pytest.mark.parametrize("value", UNREADABLE)
def test_what_can_be_meant_in_several_ways_or_in_none_tells_nothing(value):
    assert created_at({"createdAt": value}) is None


def test_an_hour_that_there_is_twice_is_known_to_within_an_hour():
    twice = {"date": "2027-10-31 02:30:00.000000", "timezone_type": 3, "timezone": "Europe/Madrid"}
    half_past_midnight = datetime(2027, 10, 31, 0, 30, tzinfo=UTC).timestamp()
    assert created_at({"createdAt": twice}) == Created(
        half_past_midnight, half_past_midnight, half_past_midnight + 3_600
    )


@settings(max_examples=300)
@given(
    at=st.integers(int(NOW), int(NOW) + 10**8),
    ahead=st.integers(-12 * 4, 14 * 4),
    form=st.sampled_from(
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%a, %d %b %Y %H:%M:%S", "%A, %d-%b-%y %H:%M:%S"]
    ),
)
def test_the_moment_is_never_outside_of_what_is_read(at, ahead, form):
    here = datetime.fromtimestamp(at, timezone(timedelta(minutes=15 * ahead)))
    assert moment_of(here.strftime(form + " %z")) == Created.exactly(at)
    said = moment_of(here.strftime(form))
    assert said is not None
    assert said.earliest <= at <= said.latest
    assert not said.is_exact


@settings(max_examples=300)
@given(
    st.recursive(
        st.none() | st.text() | st.floats() | st.integers() | st.dates() | st.booleans(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["date", "$date", "seconds", "timezone", "x"]), inner)
        ),
    )
)
def test_whatever_is_there_is_read_or_is_not(value):
    said = moment_of(value)
    assert said is None or said.earliest <= said.at <= said.latest or not said.is_exact


@pytest.mark.parametrize(
    "value",
    [
        "26-Nov-05 08:00:00 GMT",
        "26 Nov 05 08:00:00 GMT",
        "2026110508000000",
        2026110508000000,
        "202611050800001",
        {"date": "2026-11-05T00:00:00Z", "time": "08:00:00"},
        {"date": 1793836800, "time": "08:00"},
        {"date": "2026-11-05T00:00:00Z", "hour": 8},
        4002854400,
        3876710400,
        "5 Marraskuu 2026 08:00:00 GMT",
        "5 Maio 2026 08:00:00 GMT",
        "2026-11-05 08:00:00 GMT EST",
        "2026-11-05 08:00:00 UTC CET",
    ],
    ids=str,
)
def test_what_could_be_another_moment_is_none(value):
    assert moment_of(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "Thursday, 05-Nov-26 08:00:00 GMT",
        "5 November 2026 08:00:00 GMT",
        "Thu, 05 Nov 2026 03:00:00 -0500 (EST)",
        "2026-11-05 09:00:00 +0100 CET",
    ],
)
def test_what_is_one_moment_only_is_read(value):
    assert moment_of(value) == Created.exactly(1793865600.0)
