# SPDX-License-Identifier: Apache-2.0

"""The connection test: one short read of the account, and in words what it means."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.account import described
from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.connection_fields import API_TOKEN, BASE_URL_OR_HOST
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.refusals import is_redirect
from airflow_provider_instasent.api.retry import ONE_ATTEMPT

if TYPE_CHECKING:
    from airflow_provider_instasent.api.client import InstasentClient

_LONGEST_CONNECT = 3.0
_LONGEST_READ = 5.0

_SENDER, _NUMBER = "Acme", "+34600000001"
"""Of a message whose other fields are to be checked; it goes nowhere."""

_BASE_URLS = ", ".join(f"{url} ({api.capitalize()} API)" for api, url in BASE_URLS.items())


def hasty(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a client for somebody who waits at a screen: short timeouts, no retries.

    :param settings: keyword arguments of a client
    """
    usual = ClientSettings(**settings)
    return {
        **settings,
        "retry_policy": ONE_ATTEMPT,
        "connect_timeout": min(usual.connect_timeout, _LONGEST_CONNECT),
        "read_timeout": min(usual.read_timeout, _LONGEST_READ),
    }


def diagnose(client: InstasentClient, sender: str | None = None, default_region: str | None = None) -> tuple[bool, str]:
    """Read the account (confirmed: free and read-only) and say what came of it; API errors are not raised.

    :param client: made of :func:`hasty` settings
    :param sender: the connection's, checked as a message's is; None where each task names its own
    :param default_region: the connection's, checked as where a number is read
    :returns: whether the connection works, and the balance or what to do
    """
    works, said = _account(client)
    wrong = _wrong_defaults(sender, default_region)
    return works and not wrong, ". ".join([*wrong, said])


def _wrong_defaults(sender: str | None, default_region: str | None) -> list[str]:
    """Return what each message made with these defaults would be refused for."""
    wrong = []
    for defaults in ({"sender": sender or _SENDER}, {"sender": _SENDER, "default_region": default_region}):
        try:
            Sms.create(to=_NUMBER, text="-", **defaults)
        except errors.InvalidMessageError as error:
            wrong.append(f"{error} (a default of this connection)")
    return wrong


def _account(client: InstasentClient) -> tuple[bool, str]:
    base_url = client.settings.base_url
    apis = [api for api, url in BASE_URLS.items() if url == base_url]
    place = f"{apis[0].capitalize()} API at {base_url}" if apis else f"API at {base_url}"
    try:
        account = client.get_account()
    except errors.ApiError as error:
        return False, f"{place}: {_advice(error)}"
    if "available" not in account:
        return False, f"{place}: {_NO_ACCOUNT}"
    try:
        known = described(account)
    except errors.UnavailableError as error:
        return False, f"{place}: {error}"
    return True, f"Balance {known['available']} {known['currency'] or '(no currency said)'}; {place}"


_NO_ACCOUNT = (
    "something answers there, but not with an Instasent account, so it is probably another web site or a "
    f"proxy; the base URLs are {_BASE_URLS}"
)


def _advice(error: errors.ApiError) -> str:
    if isinstance(error, errors.NotFoundError):
        return (
            "HTTP 404: there is no account below this base URL, so its path is probably wrong; "
            f"the base URLs are {_BASE_URLS}. Leave `{BASE_URL_OR_HOST}` empty to choose one with `api`"
        )
    if isinstance(error, errors.AuthenticationError):
        return f"{error}. The {API_TOKEN} must be one of this very API"
    if isinstance(error, errors.UnavailableError) and error.status is not None:
        if error.status < HTTPStatus.MULTIPLE_CHOICES:
            return _NO_ACCOUNT
        if is_redirect(error.status):
            return str(error)
        return f"{error}. The API has trouble: try again later"
    return str(error)
