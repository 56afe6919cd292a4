# SPDX-License-Identifier: Apache-2.0

"""Airflow connections of type `instasent` for tests, by way of the environment; and hooks that do not wait long."""

from __future__ import annotations

import json
from typing import Any

TOKEN = "token-of-the-tests"


def connection(host: str | None = None, *, password: str | None = TOKEN, extra: Any = None, **fields: Any) -> str:
    """Return the value of `AIRFLOW_CONN_INSTASENT_DEFAULT`, or of any other connection's variable.

    :param host: the base URL, such as the sandbox's
    :param password: the token
    :param extra: by the names of the connection's extra
    :param fields: `schema`, `port`
    """
    return json.dumps({"conn_type": "instasent", "host": host, "password": password, "extra": extra or {}, **fields})


def hasten(monkeypatch: Any) -> None:
    """Give the clients of all hooks a retry policy whose two attempts are 10 ms apart, not five over 15 s."""
    from airflow_provider_instasent.api.retry import RetryPolicy
    from airflow_provider_instasent.hooks.instasent import InstasentHook

    quick = RetryPolicy(max_attempts=2, max_rate_limited=3, first_wait=0.01, longest_wait=0.02, longest_reset_wait=0.02)
    settings = InstasentHook._client_settings
    hasty = staticmethod(lambda read: {**settings(read), "retry_policy": quick})
    monkeypatch.setattr(InstasentHook, "_client_settings", hasty)
