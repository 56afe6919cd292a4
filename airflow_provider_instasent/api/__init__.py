# SPDX-License-Identifier: Apache-2.0
"""What does Instasent's HTTP API say, and how do we ask? Plain Python, usable without Airflow.

In the order in which a message passes through::

    message   numbers   encoding          what is sent, checked; its number; the parts it takes
    number_cells   missing_values         what a cell must be to be a number, and what stands for no value
    client_ids                            what it is known by for ever
    endpoints   schema   schemas/         the request that is made of it, and how the body of its answer is read
    flows   bulk_flows   lookup_flows     whole calls without a socket: what to send, what to make of the answer
    client | async_client                 two drivers, over requests and over httpx   (client_settings, lookup_calls)
    base_urls   connection_fields         where it is, which hosts may do without TLS; what the settings are called
    network_environment                   by which proxy, and trusting whom: what both clients know of the environment
    watched_connections                   has a request begun to leave, and is it overdue: those of the sync client
    connection_failures   headers         how a failed connection is told; what each request carries
    answer_bodies   json_data             the answer's bytes, within a bound; its JSON as data that can be kept
    counters                              which of all this is counted, for Airflow's metrics
    exchange   rate_limit   timestamps    the answer: status and body, what the limit says, the server's moments
    rate_window                           when the next request may leave, with others under the same limit
    refusals   retry                      was it accepted, refused or is it in doubt; is it asked again   (no_funds)
    bulk_attribution   message_finder     whose outcome each item of a bulk answer is
    bulk_errors   indexes                 what its errors say, and how their indexes count   (client_id_taken)
    message_outcome   statuses            what is known then: on our side; on the way to the handset
    errors   server_words                 what a caller is told

    pages   recent_pages   list_order     a list page by page; its recent part; in which order it is
    account   price_profile_paths         the balance; where prices are
    parameter_checks   files              for the rooms above: parameters, files that appear whole
    steady_clock   daemon_workers         a clock that nobody sets; threads that keep no process from ending
    interruptible                         waiting so that it can be asked to end

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
