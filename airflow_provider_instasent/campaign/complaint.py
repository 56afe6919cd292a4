# SPDX-License-Identifier: Apache-2.0
"""When a run that came to its end is a failure all the same: something planned, unconfirmed, or rejected too often."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import UnavailableError, UnconfirmedError
from airflow_provider_instasent.journal.errors import RejectedError
from airflow_provider_instasent.planning.policy import OnUnconfirmed
from airflow_provider_instasent.waiting.results_file import write_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_instasent.api.errors import InstasentError
    from airflow_provider_instasent.campaign.run import RunSettings

log = logging.getLogger(__name__)


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


def complaint(
    counts: Mapping[str, int], total: int, run: RunSettings, max_rejected_ratio: float, words: Words
) -> InstasentError | None:
    """Return why a run that came to its end is a failure all the same, or None.

    :param counts: how many are `accepted`, `rejected`, `unconfirmed` and `planned`
    :param total: how many there are in all
    :param run: for its policy on unconfirmed ones
    :param max_rejected_ratio: share of them, 0 to 1, that the API may reject
    :param words: what the run is about
    """
    unconfirmed, rejected = counts["unconfirmed"], counts["rejected"]
    told = f"{counts['accepted']} accepted, {rejected} rejected, {unconfirmed} unconfirmed of {total}"
    things, done = words.things, words.done
    if counts["planned"]:
        return UnavailableError(f"{counts['planned']} {things} were not {done} ({told}): the next try goes on")
    if unconfirmed and run.on_unconfirmed is OnUnconfirmed.FAIL:
        return UnconfirmedError(
            f"{unconfirmed} {things} are unconfirmed: nothing tells whether they were {words.accepted} and they were "
            f"not found in the list within {run.unconfirmed_grace:g} s ({told}). Everything else was {done}, nothing "
            'twice. Clear the task with on_unconfirmed="resend" or "skip" to go on.'
        )
    if unconfirmed and run.on_unconfirmed is OnUnconfirmed.RESEND:
        return UnavailableError(f"{unconfirmed} {things} stay unconfirmed, though tried again ({told})")
    if total and rejected / total > max_rejected_ratio:
        return RejectedError(
            f"The API rejected more than `max_rejected_ratio` ({max_rejected_ratio:g}): {told}. Everything was tried; "
            "the reasons are in the results."
        )
    return None


def results_unwritten(path: Any, records: Iterable[dict[str, Any]]) -> UnavailableError | None:
    """Write the results file; return why that failed, or None. What was sent stays sent either way.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param records: one a row
    """
    try:
        write_results(path, records)
    except Exception as error:
        log.warning("The results file could not be written.", exc_info=True)
        failure = UnavailableError(
            f"`results_path` could not be written ({type(error).__name__}). What was sent stays sent, as the counts in "
            "XCom say. With a journal the next try sends nothing of it again and writes the file."
        )
        failure.__cause__ = error
        return failure
    return None
