# SPDX-License-Identifier: Apache-2.0
"""What became of a campaign: the summary, and one line a message."""

from __future__ import annotations

import heapq
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.waiting.results_file import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_instasent.planning.plan import PlanSummary
    from airflow_provider_instasent.planning.spool import Spool


def summary_of(
    campaign_id: str, plan: PlanSummary, spool: Spool, *, max_ids: int, results_path: str | None
) -> dict[str, Any]:
    """Return a campaign's summary.

    :param campaign_id: the campaign
    :param plan: what planning found
    :param spool: where each message stands
    :param max_ids: the most ids it holds
    :param results_path: where the results file is, or None
    :returns: counts that add up to `rows`, `parts`, and up to `max_ids` ids
    """
    counts = spool.counts()
    return {
        "campaign_id": campaign_id,
        "rows": plan.rows,
        "total": plan.messages - spool.withheld,
        "accepted": counts.get("accepted", 0),
        "rejected": counts.get("rejected", 0),
        "unconfirmed": counts.get("unconfirmed", 0) + counts.get("intended", 0),
        "planned": counts.get("planned", 0),
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
        "first_invalid": [{"position": position, "reason": reason} for position, reason in plan.first_invalid],
        "duplicates": plan.duplicates,
        "suppressed": plan.suppressed,
        "refused": refused,
    }


def records_of(spool: Spool) -> Iterator[dict[str, Any]]:
    """Yield messages and rows that are none, merged by position."""
    issues = ((position, None, None, kind, None, reason) for position, kind, reason in spool.issues())
    for values in heapq.merge(spool.report(), issues, key=itemgetter(0)):
        yield dict(zip(FIELDS, values, strict=True))
