# SPDX-License-Identifier: Apache-2.0
"""What a reader asks for: a page of the list, or one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from airflow_provider_instasent.api.counters import LIST_READS, SINGLE_READS


@dataclass(frozen=True, slots=True)
class PageRead:
    """Read a page of the list.

    :param number: from 1
    """

    counter: ClassVar[str] = LIST_READS
    """The name under which it is counted."""
    number: int


@dataclass(frozen=True, slots=True)
class SingleRead:
    """Read one message.

    :param message_id: which
    """

    counter: ClassVar[str] = SINGLE_READS
    """The name under which it is counted."""
    message_id: str


Read = PageRead | SingleRead
