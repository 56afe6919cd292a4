# SPDX-License-Identifier: Apache-2.0
"""Waiting until the balance is high enough. No sockets, no clock."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import endpoints
from airflow_provider_instasent.api.account import decimal_of, described, plain
from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.api.exchange import Flow, Kind
from airflow_provider_instasent.api.flows import exchange
from airflow_provider_instasent.api.refusals import error_of
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.goal import Ended, Goal
from airflow_provider_instasent.waiting.poll_failures import MAX_POLL_FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable


def amount_of(min_available: Any) -> Decimal:
    """Return the amount that a user waits for.

    :param min_available: a number or a decimal string
    :raises ValueError: where it is neither
    """
    amount = decimal_of(min_available)
    if amount is None:
        raise ValueError("`min_available` must be a number, or a decimal string such as 12.50")
    return amount


class BalanceGoal(Goal):
    """Waits until the balance is high enough.

    :param min_available: in the account's currency
    :param max_poll_failures: sweeps in a row without a readable balance after which it is an error
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
