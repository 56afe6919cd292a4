# SPDX-License-Identifier: Apache-2.0

"""From what a person pastes as base URL or host, with the connection's schema and port, to a base URL."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.api.connection_fields import BASE_URL_OR_HOST
from airflow_provider_instasent.api.errors import ConfigurationError

_EXAMPLES = f"give a base URL such as {BASE_URLS['legacy']}, or a host such as sms.example.com or sms.example.com:8443"

# A scheme that no `://` follows, or what is left of one.
_BROKEN_SCHEME = re.compile(r"(?:ht{1,3}ps?|ttps?)(?:[:;]|[/\\]{2})|[/\\]|:/", re.IGNORECASE)
_LARGEST_PORT = 65_535


def base_url_of(host: str | None, schema: str | None, port: int | None, default: str) -> str:
    """Return the base URL that three fields of a connection mean together.

    A port of 0 is none, wherever it stands: Airflow's form sends that for an empty one. Where there is no host, no port
    counts either, for the default has its own.

    :param host: a base URL, a host with or without a port and a path, or nothing for the default
    :param schema: `https` (the default) or `http`, for a host that is no URL
    :param port: for a host that names none
    :param default: the base URL where there is no host
    :raises ConfigurationError: names the field and what to write instead; never what it holds
    """
    host, scheme = (host or "").strip(), (schema or "").strip().lower() or "https"
    if scheme not in {"https", "http"}:
        raise ConfigurationError(f"`schema` must be https or http; a path prefix belongs to `{BASE_URL_OR_HOST}`")
    if not host:
        return default
    if port and not 0 < port <= _LARGEST_PORT:
        raise ConfigurationError(f"`port` must be a number from 1 to {_LARGEST_PORT}, or empty")
    url = host if "://" in host else f"{scheme}://{_host_alone(host)}"
    try:
        parts = urlsplit(url)
        own_port = parts.port
    except ValueError:
        raise ConfigurationError(f"`{BASE_URL_OR_HOST}` is neither a base URL nor a host: {_EXAMPLES}") from None
    if parts.netloc.partition(":")[0].lower() in {"http", "https"}:
        raise ConfigurationError(f"`{BASE_URL_OR_HOST}` begins with two schemes: {_EXAMPLES}")
    if own_port == 0:
        parts, own_port = parts._replace(netloc=parts.netloc.rpartition(":")[0]), None
    if port and own_port is None:
        parts = parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{port}")
    elif port and own_port != port:
        raise ConfigurationError(f"`port` is another than the one in `{BASE_URL_OR_HOST}`: leave it empty")
    return parts.geturl().rstrip("/")


def _host_alone(host: str) -> str:
    """Return what is no URL as it stands in one: an IPv6 address in brackets.

    :raises ConfigurationError: where it began as a URL and lost its `://`
    """
    try:
        return f"[{ipaddress.IPv6Address(host)}]"
    except ValueError:
        pass
    if _BROKEN_SCHEME.match(host):
        raise ConfigurationError(
            f"`{BASE_URL_OR_HOST}` begins like a URL that lost its `://`: write https:// or http:// in full, or "
            "the host alone"
        )
    return host
