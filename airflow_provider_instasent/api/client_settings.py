# SPDX-License-Identifier: Apache-2.0
"""What a client needs to know, checked once for both clients."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.base_urls import BASE_URLS, check_base_url
from airflow_provider_instasent.api.connection_fields import API_TOKEN
from airflow_provider_instasent.api.counters import NO_COUNTERS, Counters
from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.network_environment import Network, read_network
from airflow_provider_instasent.api.retry import DEFAULT_RETRY_POLICY, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT_IN_FLIGHT = 8
"""Requests in flight at once where neither the connection nor the task says."""

_READS_A_REQUEST = 4
"""Read timeouts that a whole answer may take."""

LONGEST_IDLE = 10.0
"""Seconds a connection may have idled and still carry a send."""

LONGEST_TO_LEAVE = 10.0
"""Seconds from the decision to send to the first byte: a name that is long in resolving, or a handshake that hangs, may
outlive the try whose request it is, and another one may have sent the message by then."""


_HEADER = re.compile(r"(?:authorization\s*:|bearer(?:\s|:|$))", re.IGNORECASE)
_QUOTES = frozenset("\"'`\u2018\u2019\u201c\u201d<>")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Settings of a client, sync or async.

    :param token: the API token, sent as `Authorization: Bearer` (confirmed)
    :param base_url: scheme, host and path prefix
    :param connect_timeout: seconds to open a connection
    :param read_timeout: seconds to wait for the next bytes of an answer
    :param max_in_flight: connections kept, hence requests in flight at once
    :param ca_bundle: path of a CA bundle, a file or a folder; None for what the environment names, or else certifi's
    :param allow_http: allow `http://` to hosts other than loopback, which shows the token to the network
    :param user_agent_suffix: added to the User-Agent, such as `Airflow/3.3.2`
    :param retry_policy: how often and how long a request is repeated where that is safe
    :param counters: where requests are counted, and by those who use the client what became of messages
    :ivar network: the way to the API, as the environment has it when the client is made
    :raises ConfigurationError: where a setting is missing or unsafe, or the environment names what cannot be used
    """

    token: str = field(repr=False)
    base_url: str = BASE_URLS["legacy"]
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    max_in_flight: int = DEFAULT_IN_FLIGHT
    ca_bundle: str | None = None
    allow_http: bool = False
    user_agent_suffix: str = ""
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY
    counters: Counters = field(default=NO_COUNTERS, repr=False)
    network: Network = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", _checked_token(self.token))
        check_base_url(self.base_url, allow_http=self.allow_http)
        for name in ("connect_timeout", "read_timeout"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigurationError(f"`{name}` must be a number of seconds above 0")
        if self.max_in_flight < 1:
            raise ConfigurationError("`max_in_flight` must be at least 1")
        object.__setattr__(self, "network", read_network(self.base_url, self.ca_bundle))

    @property
    def request_deadline(self) -> float:
        """Seconds that a request may take as a whole once it has a connection, however its answer trickles in."""
        return self.connect_timeout + _READS_A_REQUEST * self.read_timeout

    def url(self, path: str) -> str:
        """Return the URL of a path below the base URL."""
        return f"{self.base_url.rstrip('/')}/{path}"

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return a response as the flows take it, the token hidden should a refusal repeat it.

        :param status: the HTTP status
        :param headers: as they came
        :param body: the bytes, read to their end
        """
        if status >= 400:  # noqa: PLR2004 - where HTTP errors begin
            body = body.replace(self.token.encode(), b"(token)")
        return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def _checked_token(token: object) -> str:
    """Return a token without white space around it, which pasting adds.

    What else came along is refused rather than taken off: Airflow hides in its logs what the connection holds, and that
    is to be the token.

    :raises ConfigurationError: says what is wrong with it, never what it holds
    """
    if not isinstance(token, str) or not token.strip():
        raise ConfigurationError(f"`{API_TOKEN}` is missing: put it into that field of the connection (its `password`)")
    token = token.strip()
    if _HEADER.match(token):
        raise ConfigurationError(f"`{API_TOKEN}` begins as a header does: leave out `Authorization:` and `Bearer`")
    if token[0] in _QUOTES or token[-1] in _QUOTES:
        raise ConfigurationError(f"`{API_TOKEN}` stands in quotes or brackets: give it without them")
    if any(map(str.isspace, token)):
        raise ConfigurationError(f"`{API_TOKEN}` has a space or a line break inside: copy it again, in one piece")
    if not token.isascii() or not token.isprintable():
        raise ConfigurationError(
            f"`{API_TOKEN}` holds characters that cannot stand in an HTTP header: copy it again, as plain text"
        )
    return token
