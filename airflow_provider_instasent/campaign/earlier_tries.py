# SPDX-License-Identifier: Apache-2.0
"""What earlier tries of a campaign left, and what a try that goes on from there says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.api.client_ids import MessageKeys
from airflow_provider_instasent.campaign.summary import counts_of
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.journal.segment_format import digest_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_instasent.campaign.campaign_settings import SendSettings
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.roster import Listed
    from airflow_provider_instasent.planning.spool import Spool

FINISHED = "finished/"
"""Begins the note with the result of a task that has finished the campaign; the task's digest follows."""


def replay(spool: Spool, journal: Journal | None, settings: SendSettings) -> Replay:
    """Take what earlier tries wrote into a spool, and with it what keys its messages.

    :param spool: empty
    :param journal: open, not yet replayed; None where there is none
    :param settings: of the try
    :raises JournalError: where the journal cannot be read; nothing was sent by this try
    """
    replay = Replay(spool.roster, owner=digest_of(settings.owner))
    if journal is not None:
        replay.take(journal.replay())
    spool.keys = MessageKeys(settings.run_secret if journal is None else journal.secret)
    return replay


def finished_by(owner: str) -> str:
    """Return the name of the note with the result of a task that has finished the campaign.

    :param owner: the task, as in :class:`~airflow_provider_instasent.campaign.campaign_settings.SendSettings`
    """
    return FINISHED + digest_of(owner)


def continuing(spool: Spool) -> str:
    """Return what a try says that goes on where an earlier one ended.

    :param spool: planned, its journal read and compared
    """
    counts = counts_of(spool)
    rejected = f", {counts['rejected']} rejected" if counts["rejected"] else ""
    return (
        f"continuing: {counts['accepted']} accepted, {counts['unconfirmed']} in doubt, "
        f"{counts['planned']} planned{rejected}"
    )


def continuing_single(earlier: Collection[Listed]) -> str | None:
    """Return the same of a single send, or None where an earlier try left nothing.

    :param earlier: the messages of its journal, of which none is accepted; several only where the message changed
    """
    if not earlier:
        return None
    if any(one.in_doubt for one in earlier):
        return "continuing: an earlier try may have sent this message, so it is looked for first"
    return "continuing: no earlier try got this message accepted, so it is sent now"
