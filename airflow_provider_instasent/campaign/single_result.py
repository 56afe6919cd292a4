# SPDX-License-Identifier: Apache-2.0
"""What became of a single message, and the error where nothing tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import UnconfirmedError
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.numbers import mask

if TYPE_CHECKING:
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.message_outcome import MessageOutcome


@dataclass(frozen=True, slots=True)
class SingleResult:
    """What became of the message.

    :param outcome: accepted or unconfirmed
    :param sent_now: whether this try sent it; False where an earlier one had
    :param changed: whether what was sent is another message than this try would send
    """

    outcome: MessageOutcome
    sent_now: bool
    changed: bool = False


def told(message: Sms, result: SingleResult) -> str:
    """Return the one line that the log has of a message: its masked number, id, parts and status.

    :param message: what was to be sent
    :param result: what became of it
    """
    outcome, parts = result.outcome, message.size().parts
    is_earlier = not result.sent_now and outcome.state is MessageState.ACCEPTED
    earlier = " by an earlier try and nothing sent now" if is_earlier else ""
    return (
        f"SMS to {mask(message.to)}: {outcome.state}{earlier}, id {outcome.id or 'not told'}, "
        f"{parts} part{'' if parts == 1 else 's'}, status {outcome.status or 'not told'}."
    )


def left_unconfirmed(reason: str, grace: float, *, has_journal: bool) -> UnconfirmedError:
    """Return the error of a message that stays unconfirmed.

    :param reason: why
    :param grace: seconds for which it was looked for
    :param has_journal: whether a later try knows of this one
    """
    if has_journal:
        advice = (
            'Clear the task with on_unconfirmed="resend" if it did not arrive, or "skip" if it did; clearing it '
            "as it is looks for it again."
        )
    else:
        advice = (
            "If it did not arrive, clear the task, which looks for it once more and then sends it: there is no "
            "journal (`journal_path`) to tell it otherwise. If it did arrive, mark the task as successful."
        )
    return UnconfirmedError(
        f"1 message is unconfirmed ({reason}) and was not found in the list within "
        f"{grace:g} s. It was not sent again. Look at Instasent's dashboard. {advice}"
    )
