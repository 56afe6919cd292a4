# SPDX-License-Identifier: Apache-2.0
"""Where the API is, and which hosts may be spoken to without TLS."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from airflow_provider_instasent.api.connection_fields import API_TOKEN, BASE_URL_OR_HOST
from airflow_provider_instasent.api.errors import ConfigurationError

BASE_URLS = {
    "legacy": "https://api.instasent.com",
    "transactional": "https://api.instasent.com/transactional/v1",
}
"""Base URL of each API (confirmed: Legacy by its documentation, Transactional by its quickstart)."""

# No white space, brackets or commas; letters of any script, for names that are. Only an address has a zone, after %.
_LIKE_A_HOST = re.compile(r"[\w.-]+|[\da-f:.]+(?:%[\w.-]+)?", re.IGNORECASE)


def check_base_url(base_url: str, *, allow_http: bool) -> None:
    """Check that a base URL is one, and that nobody on the way sees the token.

    :param allow_http: allow `http://` to hosts other than loopback
    :raises ConfigurationError: says what to do
    """
    field = f"`{BASE_URL_OR_HOST}`"
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{field} is not a base URL; give one such as {BASE_URLS['legacy']}") from None
    if parts.scheme not in {"http", "https"} or not host or not _LIKE_A_HOST.fullmatch(host):
        raise ConfigurationError(f"{field} must be a base URL such as {BASE_URLS['legacy']}, or a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{field} must hold no user name or password before an @; the {API_TOKEN} has a field of its own"
        )
    if parts.query or parts.fragment or "?" in base_url or "#" in base_url:
        raise ConfigurationError(f"{field} must end before any ? or #: paths of the API are added to it")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ConfigurationError(
            f"{field} uses http://, which shows the {API_TOKEN} to everybody on the way: use https://, "
            "or set `allow_http` in the connection's extra if that network is yours"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
