# SPDX-License-Identifier: Apache-2.0

"""The connection test: one short read of the account, and in words what it means."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.account import described
from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.refusals import is_redirect
from airflow_provider_instasent.api.retry import ONE_ATTEMPT

if TYPE_CHECKING:
    from airflow_provider_instasent.api.client import InstasentClient

_LONGEST_CONNECT = 3.0
_LONGEST_READ = 5.0

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


def diagnose(client: InstasentClient) -> tuple[bool, str]:
    """Read the account (confirmed: free and read-only) and say what came of it; API errors are not raised.

    :param client: made of :func:`hasty` settings
    :returns: whether the connection works, and the balance or what to do
    """
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
    "something answers there, but not with an Instasent account, so the host is probably another web site or a "
    f"proxy; the base URLs are {_BASE_URLS}"
)


def _advice(error: errors.ApiError) -> str:
    if isinstance(error, errors.NotFoundError):
        return (
            "HTTP 404: there is no account below this base URL, so its path is probably wrong; "
            f"the base URLs are {_BASE_URLS}. Leave the host empty to choose one with `api`"
        )
    if isinstance(error, errors.AuthenticationError):
        return f"{error}. The token must be one of this very API"
    if isinstance(error, errors.UnavailableError) and error.status is not None:
        if error.status < HTTPStatus.MULTIPLE_CHOICES:
            return _NO_ACCOUNT
        if is_redirect(error.status):
            return str(error)
        return f"{error}. The API has trouble: try again later"
    return str(error)
