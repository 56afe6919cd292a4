# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_instasent.sandbox.settings import HINTS, Settings


def test_a_change_keeps_the_rest():
    changed = Settings(list_lag=3).changed({"envelope": "bare", "balance": -1.5, "clock_skew": -60})

    assert (changed.list_lag, changed.envelope, changed.balance, changed.clock_skew) == (3, "bare", -1.5, -60)
    assert changed.changed({"balance": None}).balance is None


def test_an_unknown_setting_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match="unknown sandbox setting envelop; there are: envelope, "):
        Settings().changed({"envelop": "bare"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("envelope", "boxed"),
        ("bulk_rejection_status", 200),
        ("echo_client_id", "yes"),
        ("latency", -0.1),
        ("latency", None),
        ("page_cap", 0),
        ("page_cap", 1.5),
        ("rate_limit", True),
        ("rate_window", 0),
        ("created_behind", 1.1),
        ("created_unreadable", -0.1),
        ("created_form", "roman"),
        ("balance", "5"),
        ("currency", 5),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"sandbox setting {name} "):
        Settings().changed({name: value})


def test_every_setting_is_documented():
    assert [name for name in HINTS if f":param {name}:" not in (Settings.__doc__ or "")] == []
