# SPDX-License-Identifier: Apache-2.0
"""The server's clock is read alike in any zone of ours."""

from __future__ import annotations

import os
import time

import pytest

from airflow_provider_instasent.api.exchange import Answer

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
