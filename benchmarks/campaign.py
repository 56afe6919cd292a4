# SPDX-License-Identifier: Apache-2.0
"""A campaign as the bulk operator runs it, without Airflow: rows from CSV, a journal that costs what Airflow's does."""

from __future__ import annotations

import csv
import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.campaign.bulk_send import BulkOutcome, BulkSend
from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings, SendSettings
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
from airflow_provider_instasent.journal.stopping import Stop
from airflow_provider_instasent.journal.worker_clock import elapsed
from airflow_provider_instasent.planning.plan import PlanSettings
from airflow_provider_instasent.planning.row_source import rows_of_path
from airflow_provider_instasent.planning.row_template import RowTemplate
from benchmarks.sandbox import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "Hello {{ row.name }}, your order {{ row.order }} is ready."
CAMPAIGN = "benchmark"
IN_FLIGHT = 8
WRITE_SECONDS, READ_SECONDS = 0.0125, 0.011
"""What a call of the task state store takes through a real supervisor (measured, whatever the size up to 60 KB)."""


class StateStore:
    """A key-value store in memory that takes as long as Airflow's task state store and counts.

    :param slow: take that long
    """

    def __init__(self, *, slow: bool = True) -> None:
        self.slow = slow
        self.reads = 0
        self.writes = 0
        self._values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        self.reads += 1
        if self.slow:
            time.sleep(READ_SECONDS)
        return json.loads(self._values[key]) if key in self._values else default

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        self.writes += 1
        if self.slow:
            time.sleep(WRITE_SECONDS)
        self._values[key] = json.dumps(value)


def write_recipients(path: Path, count: int) -> Path:
    """Write a CSV of so many different recipients, none of whom the sandbox gives a fate of its own."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["to", "name", "order"])
        writer.writerows(_rows(count))
    return path


def number_of(index: int) -> str:
    """The number of a recipient: Spanish mobile numbers; last digits from 900 have a meaning."""
    return f"+346{index // 900:05d}{index % 900:03d}"


def send(
    url: str, recipients: Path, store: StateStore, results: Path, stop: Stop | None = None, *, name: str = ""
) -> BulkOutcome:
    """Run one try of the campaign.

    :param url: of the sandbox
    :param recipients: the CSV
    :param store: where the journal is
    :param results: the results file
    :param stop: ends the try soon
    :param name: at the end of its requests' User-Agent
    """
    bulk = _bulk_send(recipients, results, stop or Stop())
    with (
        closing(Journal(KeyValueSegments(store, CAMPAIGN))) as journal,
        InstasentClient(TOKEN, base_url=url, max_in_flight=IN_FLIGHT, user_agent_suffix=name) as client,
    ):
        return bulk.send(client, journal)


def plan(recipients: Path) -> dict[str, Any]:
    """Plan the campaign, and send nothing."""
    return _bulk_send(recipients, None, Stop()).preview()


def _bulk_send(recipients: Path, results: Path | None, stop: Stop) -> BulkSend:
    settings = CampaignSettings(
        plan=PlanSettings(CAMPAIGN, RowTemplate(TEXT, {}), sender="Bench"),
        send=SendSettings(CAMPAIGN, started_at=elapsed()),
        max_in_flight=IN_FLIGHT,
        results_path=results,
    )
    return BulkSend(lambda: rows_of_path(recipients, "recipients", "to"), lambda: (), settings, stop)


def _rows(count: int) -> Iterator[tuple[str, str, int]]:
    for index in range(count):
        yield number_of(index), f"person {index}", index
