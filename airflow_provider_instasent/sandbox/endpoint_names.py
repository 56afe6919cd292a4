# SPDX-License-Identifier: Apache-2.0
"""The endpoints by the names that faults, rate limits and the request log use."""

from __future__ import annotations

from typing import Literal

EndpointName = Literal["send", "bulk", "read", "list", "account", "lookup", "lookup_read", "lookup_list", "prices"]

READS: frozenset[EndpointName] = frozenset(("read", "list", "lookup_read", "lookup_list"))
"""What a poll reads."""

PREFIXES = ("", "/transactional/v1")
"""The base paths of the Legacy and of the Transactional API (C)."""
