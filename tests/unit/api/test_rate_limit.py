# SPDX-License-Identifier: Apache-2.0
"""What the rate-limit headers of an answer say."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.rate_limit import RateLimit

NOW = 1_800_000_000.0


def answer(status, **headers):
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, RateLimit()),
        (
            {"x_ratelimit_limit": "1200", "x_ratelimit_remaining": "3", "x_ratelimit_reset": str(int(NOW) + 9)},
            RateLimit(1200, 3, 9.0, NOW + 9),
        ),
        (
            {"x_ratelimit_reset": str(int(NOW) + 9), "date": "Fri, 15 Jan 2027 08:00:05 GMT"},
            RateLimit(reset_in=4.0, reset_at=NOW + 9, server_time=NOW + 5),
        ),
        ({"x_ratelimit_limit": "nan", "x_ratelimit_remaining": "inf", "x_ratelimit_reset": "-inf"}, RateLimit()),
        ({"x_ratelimit_limit": "many", "x_ratelimit_remaining": "", "x_ratelimit_reset": "soon"}, RateLimit()),
        ({"x_ratelimit_remaining": "2.0"}, RateLimit(remaining=2)),
    ],
)
def test_the_rate_limit_headers(headers, limit):
    assert answer(200, **headers).rate_limit(NOW) == limit


DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # NOW
SOON = "Fri, 15 Jan 2027 08:00:09 GMT"  # in 9 s


@pytest.mark.parametrize(
    "reset",
    [
        "1800000009", "1800000009.0", " 1800000009 ", "1.800000009e9", "1800000009000", "1800000009000000",
        "1800000009000000000", SOON, "2027-01-15T08:00:09Z", "2027-01-15 09:00:09 +0100",
    ],
)  # fmt: skip
@pytest.mark.parametrize("skew", [0, 7_200, -7_200])
def test_a_reset_in_any_unit_is_that_moment(reset, skew):
    told = answer(429, x_ratelimit_reset=reset, date=DATE).rate_limit(NOW + skew)
    assert (told.reset_at, told.reset_in, told.is_rough) == (NOW + 9, 9.0, False)
    assert answer(429, x_ratelimit_reset=reset).rate_limit(NOW).reset_in == 9.0


@pytest.mark.parametrize(
    ("reset", "seconds"), [("0", 0), ("9", 9), ("30.5", 30.5), ("3600", 3600), ("30000", 30), ("59000", 59)]
)
def test_a_small_number_is_the_seconds_that_are_left(reset, seconds):
    told = answer(429, x_ratelimit_reset=reset, date=DATE).rate_limit(NOW + 500)
    assert (told.reset_at, told.reset_in, told.is_rough) == (NOW + seconds, seconds, True)


@pytest.mark.parametrize(
    "reset", ["-1", "-1800000009", "soon", "", "nan", "inf", "1e400", "5000000", "2027-01-15T08:00:09", "9s", "60;w=60"]
)
def test_a_reset_that_says_nothing_is_none(reset):
    told = answer(429, x_ratelimit_reset=reset, date=DATE).rate_limit(NOW)
    assert (told.reset_at, told.reset_in, told.ends_in) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "9"}, 9.0),
        ({"retry_after": "1800000009", "date": DATE}, 9.0),
        ({"retry_after": "1799999991", "date": DATE}, 0.0),
        ({"retry_after": " 9.5 "}, 9.5),
        ({"retry_after": SOON, "date": DATE}, 9.0),
        ({"retry_after": "Friday, 15-Jan-27 08:00:09 GMT", "date": DATE}, 9.0),
        ({"retry_after": "Fri Jan 15 08:00:09 2027", "date": DATE}, 9.0),
        ({"retry_after": DATE, "date": SOON}, 0.0),
        ({"retry_after": "9", "x_ratelimit_reset": "garbage"}, 9.0),
        ({"retry_after": "9", "x_ratelimit_reset": str(int(NOW) - 100), "date": DATE}, 9.0),
        ({"retry_after": "9", "x_ratelimit_reset": str(int(NOW) + 20), "date": DATE}, 20.0),
        *(({"retry_after": said}, 0.0) for said in ("", "soon", "-9", "nan", "inf", "9, 9", "9s")),
    ],
)
def test_retry_after_counts_where_no_reset_is_told(headers, seconds):
    assert answer(429, **headers).rate_limit(NOW + (0 if "date" not in headers else 3_600)).ends_in == seconds
