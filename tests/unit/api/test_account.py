# SPDX-License-Identifier: Apache-2.0
"""A balance is an exact decimal or an error."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_instasent.api.account import balance_of, decimal_of, described, plain
from airflow_provider_instasent.api.errors import UnavailableError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"), (0, "0"), (-3.5, "-3.5"), (0.1, "0.1"), (1e-7, "0.0000001"), (1e20, "100000000000000000000"),
        ("12.50", "12.50"), (" 7 ", "7"), ("-0.01", "-0.01"), (Decimal("1.10"), "1.10"),
        ("123456789012345678.123456789", "123456789012345678.123456789"),
    ],
)  # fmt: skip
def test_numbers_and_strings_of_them_are_exact(value, text):
    assert plain(decimal_of(value)) == text
    assert described({"available": value, "currency": "EUR"})["available"] == text


@pytest.mark.parametrize(
    "value",
    ["", "  ", "1,250.00", "12,5", "1_000", "1e3", "٣", "NaN", "Infinity", "EUR 5", True, float("nan"),
     float("inf"), Decimal("NaN"), [], {}, b"1"],
)  # fmt: skip
def test_what_is_no_number_is_an_error_and_never_0(value):
    assert decimal_of(value) is None
    with pytest.raises(UnavailableError, match="not 0"):
        balance_of({"available": value})


@pytest.mark.parametrize(
    ("account", "told"),
    [({}, "no `available`"), ({"balance": 5}, "no `available`"), ({"available": None}, "`available` is null")],
)
def test_a_missing_balance_is_an_error(account, told):
    with pytest.raises(UnavailableError, match=f"{told}.*not 0"):
        described(account)


def test_an_account_keeps_what_else_the_api_says():
    assert described({"available": 1, "name": "Acme"}) == {"available": "1", "name": "Acme", "currency": None}
