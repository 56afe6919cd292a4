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
        ({"x_ratelimit_reset": "1"}, RateLimit(reset_in=0.0, reset_at=1.0)),
        ({"x_ratelimit_limit": "nan", "x_ratelimit_remaining": "inf", "x_ratelimit_reset": "-inf"}, RateLimit()),
        ({"x_ratelimit_limit": "many", "x_ratelimit_remaining": "", "x_ratelimit_reset": "soon"}, RateLimit()),
        ({"x_ratelimit_remaining": "2.0"}, RateLimit(remaining=2)),
    ],
)
def test_the_rate_limit_headers(headers, limit):
    assert answer(200, **headers).rate_limit(NOW) == limit
