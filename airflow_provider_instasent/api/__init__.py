# SPDX-License-Identifier: Apache-2.0
"""The Instasent API in plain Python: usable without Airflow.

The names are imported on first use, so that importing this package costs a DAG file nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_instasent.api.async_client import AsyncInstasentClient
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.errors import (
        ApiError,
        AuthenticationError,
        BulkStoppedError,
        ConfigurationError,
        InstasentError,
        InvalidMessageError,
        InvalidRequestError,
        NoFundsError,
        NotFoundError,
        NotSentError,
        PayloadError,
        RateLimitedError,
        RefusedError,
        TooLargeError,
        UnavailableError,
        UnconfirmedError,
    )
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
    from airflow_provider_instasent.api.statuses import DeliveryStatus, Verdict, judge

__all__ = [
    "ApiError",
    "AsyncInstasentClient",
    "AuthenticationError",
    "BulkStoppedError",
    "ConfigurationError",
    "DeliveryStatus",
    "InstasentClient",
    "InstasentError",
    "InvalidMessageError",
    "InvalidRequestError",
    "MessageOutcome",
    "MessageState",
    "NoFundsError",
    "NotFoundError",
    "NotSentError",
    "PayloadError",
    "RateLimitedError",
    "RefusedError",
    "Sms",
    "TooLargeError",
    "UnavailableError",
    "UnconfirmedError",
    "Verdict",
    "judge",
]

_MODULES = {
    "AsyncInstasentClient": "async_client",
    "InstasentClient": "client",
    "DeliveryStatus": "statuses",
    "Verdict": "statuses",
    "judge": "statuses",
    "Sms": "message",
    "MessageOutcome": "message_outcome",
    "MessageState": "message_outcome",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__
