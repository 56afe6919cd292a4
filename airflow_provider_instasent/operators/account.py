# SPDX-License-Identifier: Apache-2.0
"""The account operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.compat import BaseOperator
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.operators.final_errors import failures_without_retry
from airflow_provider_instasent.templating import TemplatedFields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.compat import Context


class InstasentAccountOperator(TemplatedFields, BaseOperator):
    """Read the account. It is free and changes nothing.

    A balance that is missing, null or no number fails the task: it is never taken as 0.

    :param instasent_conn_id: the connection (templated)
    :returns: `{"available", "currency", …}`: the balance as a decimal string, exact where a float would not be, the
        currency or None, and whatever else the API says
    """

    template_fields: Sequence[str] = ("instasent_conn_id",)
    ui_color = "#d6ecff"

    def __init__(self, *, instasent_conn_id: str = InstasentHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.instasent_conn_id = instasent_conn_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Read the account and return it."""
        from airflow_provider_instasent.api.account import described

        with failures_without_retry(), InstasentHook(self.instasent_conn_id) as hook:
            account = described(hook.get_account())
        self.log.info("Balance: %s %s.", account["available"], account["currency"] or "(no currency said)")
        return account
