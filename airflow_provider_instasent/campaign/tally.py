# SPDX-License-Identifier: Apache-2.0
"""Count what becomes of messages, each once, as it is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.message_outcome import MessageState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.counters import Counters, Outcomes
    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.planning.spool import Placed


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts for one try.

    :param counters: where the counts go
    :param names: what is counted: messages or lookups
    """

    counters: Counters
    names: Outcomes

    def planned(self, number: int) -> None:
        """Count messages that no earlier try had planned."""
        self.counters.count(self.names.planned, number)

    def landed(self, outcomes: Sequence[MessageOutcome], placed: Sequence[Placed]) -> None:
        """Count what was accepted or rejected of a chunk; what has no answer may yet be found.

        :param outcomes: one a message
        :param placed: the messages
        """
        self.accepted(sum(one.state is MessageState.ACCEPTED for one in outcomes))
        # A refusal says nothing of an earlier request for the message, which stays in doubt.
        pairs = zip(outcomes, placed, strict=True)
        self.rejected(sum(one.state is MessageState.REJECTED and not item.doubted for one, item in pairs))

    def accepted(self, number: int) -> None:
        """Count messages of which it is new that they were accepted."""
        self.counters.count(self.names.accepted, number)

    def rejected(self, number: int) -> None:
        """Count messages that the API refused."""
        self.counters.count(self.names.rejected, number)

    def unconfirmed(self, number: int) -> None:
        """Count messages that a try leaves unconfirmed."""
        self.counters.count(self.names.unconfirmed, number)
