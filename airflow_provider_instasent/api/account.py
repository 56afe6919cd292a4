# SPDX-License-Identifier: Apache-2.0
"""The account's balance, as a decimal: one that is missing or cannot be read is an error, never 0."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import endpoints
from airflow_provider_instasent.api.answers import error_of
from airflow_provider_instasent.api.conclusion import Ending
from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.api.exchange import Flow, Kind
from airflow_provider_instasent.api.flows import exchange
from airflow_provider_instasent.api.polling import MAX_POLL_FAILURES, Ended, Goal
from airflow_provider_instasent.api.retry import ONE_ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


class BalanceGoal(Goal):
    """Waits until the balance is high enough.

    :param min_available: in the account's currency
    :param max_poll_failures: rounds in a row without a readable balance after which it is an error
    """

    waits_for = "the balance"
    unaffected = "Nothing was bought or sent."

    def __init__(self, min_available: Decimal, max_poll_failures: int = MAX_POLL_FAILURES) -> None:
        super().__init__(max_poll_failures)
        self.min_available = min_available
        self.account: dict[str, Any] | None = None
        self._unreadable: str | None = None

    def read(self, clock: Callable[[], float]) -> Flow[None]:
        """Read the account once, and take in what came of it.

        :param clock: unix seconds
        """
        self.account = self._unreadable = None
        request = endpoints.get_account_request()
        outcome, account = yield from exchange(request, endpoints.read_account, ONE_ATTEMPT)
        if account is None:
            self.read_failed(outcome, error_of(Kind.READ, outcome), clock())
        else:
            try:
                self.account = described(account)
            except UnavailableError as error:
                self._unreadable = str(error)
        self.sweep_ended(succeeded=account is not None)

    def reached(self) -> Ended | None:
        """Return success where the balance is high enough, and an error where an account has none."""
        if self._unreadable is not None:
            return self.failed(f"{self._unreadable}. {self.unaffected}", final=False)
        if self.account is None or Decimal(self.account["available"]) < self.min_available:
            return None
        return Ended(Ending.SUCCESS, f"{self}.", self.result())

    def result(self) -> dict[str, Any]:
        """Return the account as it was last read."""
        return dict(self.account or {})

    def __str__(self) -> str:
        wanted = f"{plain(self.min_available)} wanted"
        if self.account is None:
            return f"the balance is not known, {wanted}"
        return f"{self.account['available']} {self.account['currency'] or '(no currency said)'} available, {wanted}"
