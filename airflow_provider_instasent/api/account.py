# SPDX-License-Identifier: Apache-2.0
"""The account's balance, as a decimal: one that is missing or cannot be read is an error, never 0."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_UNKNOWN = "{}, so the balance is not known; this is not 0"


def decimal_of(value: Any) -> Decimal | None:
    """Return a plain decimal number, or None where it is none: `12`, `12.50` or `"12.50"`, but no `1,250`.

    :param value: a number, or a string of one
    """
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return exact if exact.is_finite() else None
    text = str(value).strip()
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def plain(number: Decimal) -> str:
    """Return a number in digits, never with an exponent."""
    return format(number, "f")


def balance_of(account: Mapping[str, Any]) -> Decimal:
    """Return what is available (confirmed: a number or a string).

    :param account: as the API sent it
    :raises UnavailableError: where it is missing, null or no plain decimal; says which, and names the field
    """
    if "available" not in account:
        raise UnavailableError(_UNKNOWN.format("the account's answer has no `available`"))
    if account["available"] is None:
        raise UnavailableError(_UNKNOWN.format("the account's `available` is null"))
    balance = decimal_of(account["available"])
    if balance is None:
        raise UnavailableError(_UNKNOWN.format("the account's `available` is no plain decimal number such as 12.50"))
    return balance


def described(account: Mapping[str, Any]) -> dict[str, Any]:
    """Return an account with its balance as a decimal string: `{"available", "currency", …raw}`.

    :raises UnavailableError: where the balance is missing, null or no plain decimal
    """
    return {**account, "available": plain(balance_of(account)), "currency": account.get("currency")}
