# SPDX-License-Identifier: Apache-2.0
"""What a wait knows of a batch: counts, and the status of each message of the first ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REPORTED = 1_000
"""Ids whose status is reported one by one."""


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What is known of a batch.

    :param total: messages waited for, each id once
    :param delivered: those that arrived
    :param undeliverable: those that will not arrive
    :param pending: the rest
    :param counts: messages by status, the API's word; `unread` where none was read
    :param statuses: `{"status", "code"}` by id, of the first 1,000
    """

    words: ClassVar[tuple[str, str]] = ("delivered", "undeliverable")
    """What the two final counts are called in messages."""

    total: int = 0
    delivered: int = 0
    undeliverable: int = 0
    pending: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for XCom."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return what :meth:`as_dict` made plain.

        :raises KeyError: where a value is missing
        """
        return cls(**{known.name: values[known.name] for known in fields(cls)})

    def __str__(self) -> str:
        good, bad = self.words
        parts = [f"{self.delivered} of {self.total} {good}"]
        if self.undeliverable:
            parts.append(f"{self.undeliverable} {bad}")
        if self.pending:
            parts.append(f"{self.pending} pending")
        by_status = ", ".join(f"{status} {count}" for status, count in sorted(self.counts.items()))
        return ", ".join(parts) + (f" ({by_status})" if by_status else "")
