# SPDX-License-Identifier: Apache-2.0
"""When an API that gives no usable answers is left alone, so that not all of a campaign becomes unconfirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.api.message_outcome import MessageState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.message_outcome import MessageOutcome

MOST_UNANSWERED = 25
"""Chunks in a row without a usable answer after which the rest stays planned, rather than become unconfirmed too."""

_ANSWERED = frozenset({MessageState.ACCEPTED, MessageState.REJECTED})


class UnansweredRequests:
    """Counts chunks in a row that nobody answered."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def take(self, outcomes: Sequence[MessageOutcome]) -> UnavailableError | None:
        """Take in what became of a chunk; return why sending had better end, or None."""
        lost = any(outcome.state is MessageState.UNCONFIRMED for outcome in outcomes)
        answered = any(outcome.state in _ANSWERED for outcome in outcomes)
        self._in_a_row = 0 if answered else self._in_a_row + lost
        if self._in_a_row < MOST_UNANSWERED:
            return None
        return UnavailableError(
            f"The API gave no usable answer to {self._in_a_row} requests in a row, so sending ended: their messages "
            "are unconfirmed and will be looked for, the rest stays planned."
        )
