# SPDX-License-Identifier: Apache-2.0

"""Airflow connections of type `instasent` for tests, by way of the environment."""

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
