# SPDX-License-Identifier: Apache-2.0
"""When a run that came to its end is a failure all the same: something planned, unconfirmed, or rejected too often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import UnavailableError, UnconfirmedError
from airflow_provider_instasent.journal.errors import RejectedError
from airflow_provider_instasent.planning.choices import OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_instasent.api.errors import InstasentError
    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings


@dataclass(frozen=True, slots=True)
class Words:
    """What a run is about, for its errors.

    :param things: what it sends, in the plural
    :param accepted: what it means for one of them to be accepted
    :param done: what has become of them, a participle
    """

    things: str
    accepted: str
    done: str


MESSAGES = Words("messages", "accepted", "sent")
LOOKUPS = Words("lookups", "accepted, and billed,", "ordered")


def shortfall(
    counts: Mapping[str, int], settings: CampaignSettings, words: Words, unsendable: int, rejections: str
) -> InstasentError | None:
    """Return why a run that came to its end is a failure all the same, or None.

    :param counts: how many are `accepted`, `rejected`, `unconfirmed` and `planned`
    :param settings: how many of them may be rejected, and what to do about unconfirmed ones
    :param words: what the run is about
    :param unsendable: how many of the unconfirmed cannot be sent again: their row is gone, or other rows followed
    :param rejections: the first rejected rows and their reasons
    """
    total = sum(counts[state] for state in ("accepted", "rejected", "unconfirmed", "planned"))
    send, allowed = settings.send, settings.max_rejected_ratio
    unconfirmed, rejected = counts["unconfirmed"], counts["rejected"]
    told = f"{counts['accepted']} accepted, {rejected} rejected, {unconfirmed} unconfirmed of {total}"
    things, done = words.things, words.done
    if counts["planned"]:
        return UnavailableError(f"{counts['planned']} {things} were not {done} ({told}): the next try goes on")
    if unconfirmed and send.on_unconfirmed is OnUnconfirmed.FAIL:
        return UnconfirmedError(
            f"{unconfirmed} {things} are unconfirmed: nothing tells whether they were {words.accepted} and they were "
            f"not found in the list within {send.unconfirmed_grace:g} s ({told}). Everything else was {done}, nothing "
            'twice. Clear the task with on_unconfirmed="resend" or "skip" to go on.'
        )
    if unconfirmed > unsendable and send.on_unconfirmed is OnUnconfirmed.RESEND:
        return UnavailableError(f"{unconfirmed - unsendable} {things} stay unconfirmed, though tried again ({told})")
    if total and rejected / total > allowed:
        return RejectedError(
            f"The API rejected more than `max_rejected_ratio` ({allowed:g}): {told}. Everything was tried. "
            f"Rejected: {rejections}."
        )
    return None
