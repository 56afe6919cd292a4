# SPDX-License-Identifier: Apache-2.0
"""How a campaign is carried out: one message, a bulk send or lookups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_settings import DEFAULT_IN_FLIGHT
from airflow_provider_instasent.planning.choices import OnPlanChange, OnUnconfirmed

if TYPE_CHECKING:
    from airflow_provider_instasent.planning.plan import PlanSettings


@dataclass(frozen=True, slots=True)
class SendSettings:
    """How a try sends.

    :param campaign_id: what the messages belong to: the same for every try
    :param on_unconfirmed: what to do about outcomes that stay unconfirmed
    :param unconfirmed_grace: seconds for which they are looked for
    :param on_plan_change: what to do where an earlier try had another set of messages
    :param started_at: when this try began, in seconds on the steady clock
        (:func:`~airflow_provider_instasent.api.steady_clock.elapsed`)
    :param owner: DAG, run, task and map index: a result is kept for the task that asks, where several share a campaign
    :param look_since: of a single send without a journal: since when an earlier try may have sent it, in unix seconds;
        None on the first try
    :param retry_rejected: ask again for what the API rejected in an earlier try
    :param run_secret: keys the digests where there is no journal; see
        :func:`~airflow_provider_instasent.api.client_ids.secret_of_run`
    """

    campaign_id: str
    on_unconfirmed: OnUnconfirmed = OnUnconfirmed.FAIL
    unconfirmed_grace: float = 60.0
    on_plan_change: OnPlanChange = OnPlanChange.FAIL
    started_at: float = 0.0
    owner: str = ""
    look_since: float | None = None
    retry_rejected: bool = False
    run_secret: bytes = b""


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """How a bulk send, or the lookups of one task, are carried out.

    :param plan: how rows become messages
    :param send: how they are sent
    :param max_in_flight: requests on their way at once
    :param max_rejected_ratio: share of the messages, 0 to 1, that the API may reject
    :param max_reported: the most ids, or lookups, in the summary
    :param results_path: a path for one JSON line a row, or None
    """

    plan: PlanSettings
    send: SendSettings
    max_in_flight: int = DEFAULT_IN_FLIGHT
    max_rejected_ratio: float = 0.0
    max_reported: int = 1_000
    results_path: Any = None
