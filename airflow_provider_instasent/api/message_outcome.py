# SPDX-License-Identifier: Apache-2.0
"""The states a message can be in on our side, and what is known of one message after a send."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MessageState(StrEnum):
    """Where a message stands between us and the API. Only evidence moves it."""

    PLANNED = "planned"
    INTENDED = "intended"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCONFIRMED = "unconfirmed"


def reported(state: str) -> str:
    """Return a state as users see it: what was intended and has no answer is unconfirmed."""
    return MessageState.UNCONFIRMED.value if state == MessageState.INTENDED else state


@dataclass(frozen=True, slots=True)
class MessageOutcome:
    """What is known of one message.

    :param position: the message's place in its batch, from 0
    :param state: where it stands
    :param id: the API's id, when accepted
    :param client_id: the id it was sent with, if any
    :param status: the delivery status the API answered with, if any
    :param reason: why it was rejected, is unconfirmed or was not sent yet; of one that was accepted, what is to be
        known of its id. Without text and whole numbers
    :param client_id_taken: the API rejected it because its clientId was used before
    """

    position: int
    state: MessageState
    id: str | None = None
    client_id: str | None = None
    status: str | None = None
    reason: str | None = None
    client_id_taken: bool = False

    def at(self, position: int) -> MessageOutcome:
        """Return the same outcome for the message at `position`."""
        if position == self.position:
            return self
        # Each message of a campaign comes by here, and `dataclasses.replace` takes three times as long.
        return MessageOutcome(
            position, self.state, self.id, self.client_id, self.status, self.reason, self.client_id_taken
        )
