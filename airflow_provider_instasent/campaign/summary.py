# SPDX-License-Identifier: Apache-2.0
"""What became of a campaign: the summary, and one line a message."""

from __future__ import annotations

import heapq
import logging
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.api.files import shown_path
from airflow_provider_instasent.api.message_outcome import reported
from airflow_provider_instasent.waiting.results_file import RESULT_FIELDS, write_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_instasent.planning.plan import PlanSummary
    from airflow_provider_instasent.planning.spool import Spool

log = logging.getLogger(__name__)


def counts_of(spool: Spool) -> dict[str, int]:
    """Return how many messages of a campaign are `accepted`, `rejected`, `unconfirmed` and `planned`.

    Those whose row is gone count too where they were or may have been accepted.
    """
    counts = dict.fromkeys(("accepted", "rejected", "unconfirmed", "planned"), 0)
    for state, count in spool.counts().items():
        counts[reported(state)] += count
    return counts


def summary_of(
    campaign_id: str, plan: PlanSummary, spool: Spool, *, max_ids: int, results_path: str | None
) -> dict[str, Any]:
    """Return a campaign's summary.

    :param campaign_id: the campaign
    :param plan: what planning found
    :param spool: where each message stands
    :param max_ids: the most ids it holds
    :param results_path: where the results file is, or None
    :returns: counts that add up to `rows` and `gone`, `parts`, and up to `max_ids` ids
    """
    gone = spool.count_gone()
    return {
        "campaign_id": campaign_id,
        "rows": plan.rows,
        "total": plan.messages - spool.withheld + gone,
        "gone": gone,
        **counts_of(spool),
        "invalid": plan.invalid,
        "duplicates": plan.duplicates,
        "suppressed": plan.suppressed + spool.withheld,
        "parts": spool.total_parts(),
        "message_ids": spool.first_ids(max_ids),
        "results_path": results_path,
    }


def preview_of(campaign_id: str, plan: PlanSummary, refused: str | None = None) -> dict[str, Any]:
    """Return what a campaign would send.

    :param campaign_id: the campaign
    :param plan: what planning found
    :param refused: why such a plan would not be sent, or None
    """
    return {
        "campaign_id": campaign_id,
        "preview": True,
        "rows": plan.rows,
        "total": plan.messages,
        "parts": plan.parts,
        "encodings": dict(plan.encodings),
        "countries": dict(plan.messages_by_country),
        "parts_by_country": dict(plan.parts_by_country),
        "number_types": dict(plan.number_types),
        "not_valid": plan.not_valid,
        "invalid": plan.invalid,
        "first_invalid": first_invalid_of(plan),
        "duplicates": plan.duplicates,
        "suppressed": plan.suppressed,
        "refused": refused,
    }


def first_invalid_of(plan: PlanSummary) -> list[dict[str, Any]]:
    """Return the first bad rows: `position` and `reason`."""
    return [{"position": position, "reason": reason} for position, reason in plan.first_invalid]


def records_of(spool: Spool) -> Iterator[dict[str, Any]]:
    """Yield messages and rows that are none, merged by position, each with the fields of a results file.

    Messages of earlier tries whose row is gone come last, without a position.
    """
    blank = dict.fromkeys(RESULT_FIELDS)
    rows = heapq.merge(spool.report(), spool.issues(), key=itemgetter("position"))
    for row in chain(rows, spool.report_gone()):
        yield {**blank, **row}


def results_unwritten(path: Any, records: Iterable[Mapping[str, Any]]) -> UnavailableError | None:
    """Write the results file; return why that failed, or None. What was sent stays sent either way.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param records: one a row
    """
    try:
        write_results(path, records)
    except Exception as error:
        log.warning("The results file could not be written.", exc_info=True)
        failure = UnavailableError(
            f"`results_path` could not be written ({shown_path(path)}: {type(error).__name__}). What was sent stays "
            "sent, as the counts in XCom say. With a journal the next try sends nothing of it again and writes it."
        )
        failure.__cause__ = error
        return failure
    return None
