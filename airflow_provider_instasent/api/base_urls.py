# SPDX-License-Identifier: Apache-2.0
"""Where the API is, and which hosts may be spoken to without TLS."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from airflow_provider_instasent.api.errors import ConfigurationError

BASE_URLS = {
    "legacy": "https://api.instasent.com",
    "transactional": "https://api.instasent.com/transactional/v1",
}
"""Base URL of each API (confirmed: Legacy by its documentation, Transactional by its quickstart)."""


def check_base_url(base_url: str, *, allow_http: bool) -> None:
    """Check that a base URL is one, and that nobody on the way sees the token.

    :param allow_http: allow `http://` to hosts other than loopback
    :raises ConfigurationError: says what to do
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError("`host` is not a base URL; give one such as https://api.instasent.com") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError("`host` must be a base URL such as https://api.instasent.com, or a host name")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("`host` must hold no user name, query or fragment; the token is the password")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ConfigurationError(
            "`host` uses http://, which shows the token to everybody on the way: use https://, "
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
