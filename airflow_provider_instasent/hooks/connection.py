# SPDX-License-Identifier: Apache-2.0

"""What an `instasent` connection says, as plain values: pure, so that the sync and the async way agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.price_profile_paths import PRICE_PROFILE_PATHS, setting_of
from airflow_provider_instasent.hooks.connection_extra import EXTRA_FIELDS, Field
from airflow_provider_instasent.hooks.pasted_host import base_url_of

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """A connection, read.

    :param token: the API token
    :param base_url: scheme, host, port and path prefix
    :param client_options: the connection's other settings of the clients, those that are set
    :param sender: the default `from`
    :param default_region: the ISO country of numbers in national format
    :param allow_unicode: whether UCS-2 is asked for where a text needs it
    :param max_polls_per_minute: the most reads a minute of all waits together, or None for a quarter of the limit
    :param price_profile_sms_path: path of the SMS prices below the base URL (unknown, hence a setting)
    :param price_profile_lookup_path: path of the Lookup prices below the base URL (unknown, hence a setting)
    :param unknown_extras: names in the extra that mean nothing here
    """

    token: str = field(repr=False)
    base_url: str
    client_options: Mapping[str, Any]
    sender: str | None
    default_region: str | None
    allow_unicode: bool
    max_polls_per_minute: int | None
    price_profile_sms_path: str
    price_profile_lookup_path: str
    unknown_extras: tuple[str, ...] = ()

    def client_settings(self) -> dict[str, Any]:
        """Return the keyword arguments of both clients, the token among them."""
        return {"token": self.token, "base_url": self.base_url, **self.client_options}


def read_connection(
    *, password: str | None, host: str | None, schema: str | None, port: int | None, extra: Any
) -> ConnectionSettings:
    """Return what a connection says.

    :param password: the API token
    :param host: a base URL, a bare host, or nothing for the base URL of the extra's `api`
    :param schema: `https` (the default) or `http`, for a bare host
    :param port: for a host that names none; 0 is none, and without a host none counts
    :param extra: the decoded extra; values may be strings, as forms deliver them, and empty ones are unset
    :raises ConfigurationError: names the field that is wrong
    """
    if not isinstance(extra, Mapping):
        raise ConfigurationError("`extra` of the connection must be a JSON object")
    values = {known.name: _read(known, extra.get(known.name)) for known in EXTRA_FIELDS}
    unknown = tuple(sorted(set(map(str, extra)) - set(values)))
    client_options = {known.name: values.pop(known.name) for known in EXTRA_FIELDS if known.of_client}
    values["allow_unicode"] = bool(values["allow_unicode"])
    if values["max_polls_per_minute"] is not None and values["max_polls_per_minute"] < 1:
        raise ConfigurationError("`max_polls_per_minute` must be 1 or more")
    for setting in map(setting_of, PRICE_PROFILE_PATHS):
        values[setting] = values[setting].strip("/")
    return ConnectionSettings(
        token=password or "",
        base_url=base_url_of(host, schema, port, BASE_URLS[values.pop("api")]),
        client_options={name: value for name, value in client_options.items() if value is not None},
        unknown_extras=unknown,
        **values,  # a field that nobody takes is an error here, and not dropped
    )


def _read(known: Field, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return known.default
    read = _READERS[known.value_type](known.name, value)
    if known.choices and read not in known.choices:
        raise ConfigurationError(f"`{known.name}` must be one of: {', '.join(known.choices)}")
    return read


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"`{name}` must be a string, not {type(value).__name__}")
    return value


def _boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ConfigurationError(f"`{name}` must be true or false")


def _integer(name: str, value: Any) -> int:
    number = _number(name, value)
    if not number.is_integer():
        raise ConfigurationError(f"`{name}` must be a whole number")
    return int(number)


def _number(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f"`{name}` must be a number")
    return number


_READERS = {"string": _string, "boolean": _boolean, "integer": _integer, "number": _number}
