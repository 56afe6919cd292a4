# SPDX-License-Identifier: Apache-2.0
"""What a reader asks for: a page of the list, or one message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageRead:
    """Read a page of the list.

    :param number: from 1
    """

    number: int


@dataclass(frozen=True, slots=True)
class SingleRead:
    """Read one message.

    :param message_id: which
    """

    message_id: str


Read = PageRead | SingleRead
