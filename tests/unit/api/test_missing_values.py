# SPDX-License-Identifier: Apache-2.0
"""What stands for a value that is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from airflow_provider_instasent.api.missing_values import is_missing


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), Decimal("NaN"), Decimal("sNaN"), np.float32("nan"), np.datetime64("NaT"), pd.NaT, pd.NA],
    ids=str,
)
def test_missing(value):
    assert is_missing(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nan",
        "None",
        0,
        0.0,
        False,
        float("inf"),
        Decimal(0),
        b"",
        [],
        {},
        [None],
        datetime(2026, 11, 27, tzinfo=UTC),
        np.zeros(2),
    ],
    ids=repr,
)
def test_there(value):
    assert not is_missing(value)
