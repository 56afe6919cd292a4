# SPDX-License-Identifier: Apache-2.0
"""The product as the model knows it: all that touches the package is in this file."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partialmethod
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from model.clock import kept_by
from model.process import Crash, Process, SupersededError
from model.promise import Line, Message, Report

import airflow_provider_instasent
from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.client_ids import secret_of_run
from airflow_provider_instasent.api.errors import InstasentError, UnconfirmedError
from airflow_provider_instasent.api.message import Sms as ToSend
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.campaign import campaign_try, search
from airflow_provider_instasent.campaign.bulk_send import BulkSend
from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings, SendSettings
from airflow_provider_instasent.campaign.sender import Sender
from airflow_provider_instasent.campaign.single_send import SingleSend
from airflow_provider_instasent.journal import journal as journal_module
from airflow_provider_instasent.journal import key_value_store, merged_files, worker_clock
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
from airflow_provider_instasent.journal.stopping import Stop
from airflow_provider_instasent.planning.choices import OnPlanChange, OnUnconfirmed
from airflow_provider_instasent.planning.plan import PlanSettings
from airflow_provider_instasent.planning.row_source import rows_of_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from model.clock import Clock

PACKAGE = airflow_provider_instasent.__name__
CAMPAIGN = "spring offer"
SENDER = "Acme"
GRACE = 15.0
"""Seconds for which unconfirmed messages are looked for."""

CHUNK = 3
SMALL = (
    (key_value_store, "LARGEST_VALUE", 420),
    (journal_module, "KEYS_A_RECORD", 4),
    (journal_module, "SPANS_A_RECORD", 2),
    (campaign_try, "LISTED_AT_ONCE", 8),
    (campaign_try, "OUTCOMES_A_RECORD", 2),
    (merged_files, "SEGMENTS", 4),
    (search, "MOST_PAGES", 120),
)
"""Sizes that are cut down, so that a dozen messages make several chunks, records, keys and merged files."""

COUNTED = ("accepted", "rejected", "unconfirmed", "planned", "invalid", "duplicates", "suppressed")
RETRIES = RetryPolicy(max_attempts=2, max_rate_limited=3, first_wait=6.0)  # so that intents get stale
READ_TIMEOUT = 120.0
"""Real seconds: a hung request waits for the try that supersedes it."""


@contextmanager
def in_the_models_world(clock: Clock) -> Iterator[None]:
    """Have the product read the model's clock and make small records; what a process writes is not synced to a disk."""
    for room in ("api", "journal", "planning", "campaign", "waiting"):
        for module in pkgutil.iter_modules(importlib.import_module(f"{PACKAGE}.{room}").__path__):
            importlib.import_module(f"{PACKAGE}.{room}.{module.name}")
    with ExitStack() as stack:
        stack.enter_context(kept_by(clock, PACKAGE))
        for module, name, value in SMALL:
            stack.enter_context(patch.object(module, name, value))
        small_chunks = partialmethod(Sender.__init__, chunk_size=CHUNK)
        stack.enter_context(patch.object(Sender, "__init__", small_chunks))
        stack.enter_context(patch.object(os, "fsync", lambda _descriptor: None))
        stack.enter_context(patch.object(worker_clock, "_boot_id", lambda: clock.boot_id))
        yield


@dataclass
class Place:
    """Where a run keeps its journal: as numbered files in a folder, or as values of a store, or not at all.

    :param kind: `values`, `path` or `none`
    :param folder: of the run, empty
    """

    kind: str
    folder: Path
    values: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    lost: bool = False

    def parts(self) -> list[Any]:
        """The keys, or files, that hold the journal, in order, and that can get lost.

        A store of values cannot be listed: where the key that counts the others is gone, each of them is needed.
        """
        if self.kind == "values":
            head = KeyValueSegments.HEAD
            names = sorted(self.values.keys() - {head}, key=lambda name: int(name.rpartition(".")[2]))
            if head not in self.values:
                return []
            return names if self.lost else [*names, head]
        return sorted(path for path in (self.folder / "journal").rglob("*.jsonl") if path.stem.isdigit())

    def lose(self, part: Any) -> None:
        self.lost = True
        if self.kind == "values":
            del self.values[part]
        else:
            part.unlink()

    def open(self, process: Process) -> Any:
        """The store as a new try finds it; from now on that of a former one refuses to write, if it can know."""
        self.tries += 1
        if self.kind == "values":
            return _Store(KeyValueSegments(_Values(self, self.tries, process), CAMPAIGN), process, whole=True)
        return _Store(PathSegments(self.folder / "journal", CAMPAIGN), process)


class _Values:
    """Airflow's task state store, as one try sees it."""

    def __init__(self, place: Place, number: int, process: Process) -> None:
        self._place = place
        self._number = number
        self._process = process

    def get(self, key: str, default: Any = None) -> Any:
        self._check()
        return json.loads(self._place.values[key]) if key in self._place.values else default

    def set(self, key: str, value: Any) -> None:
        packed = json.dumps(value)

        def keep() -> None:
            self._check()
            self._place.values[key] = packed

        self._process.write(keep)

    def _check(self) -> None:
        self._process.check()
        if self._number != self._place.tries:
            raise SupersededError


class _Store:
    """A segment store that belongs to a process. Each record is a write of its own: how many share one depends on how
    fast threads are, and any split of them may happen.
    """

    def __init__(self, segments: Any, process: Process, *, whole: bool = False) -> None:
        self._segments = segments
        self._process = process
        self._whole = whole  # its writes are counted below, by the store it writes to

    def __getattr__(self, name: str) -> Any:
        return getattr(self._segments, name)

    def read(self) -> Any:
        self._process.check()
        return self._segments.read()

    def append(self, records: list[str]) -> None:
        for record in records:
            if self._whole:
                self._segments.append([record])
            else:
                self._process.write(lambda record=record: self._segments.append([record]))  # type: ignore[misc]


@dataclass(frozen=True)
class Task:
    """What a user wrote into the DAG, and what a try adds to it.

    :param rows: the messages
    :param client_ids: a clientId of the user's for each row, or none
    :param policy: `on_unconfirmed`
    :param goes_on: `on_plan_change="continue"`
    :param owner: which DAG run, or which task of several that share the campaign
    :param suppressed: numbers never to text
    :param deduplicate: send rows that are alike once
    :param asks_again: `retry_rejected`
    :param since: when the run began, of a try that is not its first
    """

    rows: Sequence[Message]
    client_ids: Sequence[str]
    policy: str
    goes_on: bool
    owner: str
    suppressed: Sequence[str] = ()
    deduplicate: bool = True
    asks_again: bool = False
    since: float | None = None


def bulk_try(task: Task, place: Place, process: Process, client: dict[str, str], clock: Clock) -> Report:
    """Run one try of a bulk send, in a process of its own.

    :param client: the API's `base_url`, and the `token` of this try
    """
    results = place.folder / "results.jsonl"
    results.unlink(missing_ok=True)
    settings = CampaignSettings(
        PlanSettings(CAMPAIGN, sender=SENDER, deduplicate=task.deduplicate),
        _send_settings(task, clock),
        max_in_flight=1,  # with more, the order of requests would depend on how fast threads are
        max_rejected_ratio=1.0,
        results_path=results,
    )
    rows = [
        {"to": number, "text": text, **({"client_id": client_id} if client_id else {})}
        for (number, text), client_id in zip(task.rows, task.client_ids, strict=True)
    ]
    stop = Stop()
    process.asked_to_stop = stop.set
    send = BulkSend(lambda: rows_of_list(rows, None), lambda: rows_of_list(task.suppressed, "to"), settings, stop)

    def run(http: InstasentClient, journal: Journal | None) -> Report:
        outcome = send.send(http, journal)
        counts = {name: outcome.summary[name] for name in ("rows", *COUNTED)}
        counts["gone"] = outcome.summary["gone"]
        ended, error = ("success", "") if outcome.error is None else ("failure", _words(outcome.error))
        return Report(ended, error, counts, _lines(results, task.rows))

    return _run(run, place, process, client)


def single_try(task: Task, place: Place, process: Process, client: dict[str, str], clock: Clock) -> Report:
    """Run one try of a single send: the task's only row."""
    ((number, text),) = task.rows
    message = ToSend.create(to=number, text=text, sender=SENDER, client_id=task.client_ids[0] or None)
    settings = _send_settings(task, clock)
    if place.kind == "none":
        settings = replace(settings, look_since=task.since)

    def run(http: InstasentClient, journal: Journal | None) -> Report:
        send = SingleSend(message, http, journal, settings, clock=clock.time, sleep=clock.sleep)
        try:
            result = send.send()
        except UnconfirmedError as error:  # the doubt may be about what the row was before
            return Report("failure", _words(error), lines=[Line(None, "unconfirmed", None)])
        # What is in doubt may be what the row was before.
        row = None if result.changed or result.outcome.id is None else (number, text)
        return Report("success", lines=[Line(row, str(result.outcome.state), result.outcome.id)])

    return _run(run, place, process, client)


def _send_settings(task: Task, clock: Clock) -> SendSettings:
    return SendSettings(
        CAMPAIGN,
        OnUnconfirmed.of(task.policy),
        GRACE,
        OnPlanChange.CONTINUE if task.goes_on else OnPlanChange.FAIL,
        started_at=clock.monotonic(),
        owner=task.owner,
        retry_rejected=task.asks_again,
        run_secret=secret_of_run("token", task.owner, CAMPAIGN),
    )


def _run(run: Any, place: Place, process: Process, client: dict[str, str]) -> Report:
    with ExitStack() as stack:
        journal = None
        if place.kind != "none":
            journal = stack.enter_context(Journal(place.open(process)))
        http = stack.enter_context(
            InstasentClient(**client, read_timeout=READ_TIMEOUT, max_in_flight=1, retry_policy=RETRIES)
        )
        try:
            report: Report = run(http, journal)
        except Crash:
            report = Report("crash")
        except InstasentError as error:
            report = Report("failure", _words(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the judge is told
            report = Report("confused", _words(error))
    return Report("crash") if process.dead else report


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _lines(results: Path, rows: Sequence[Message]) -> list[Line] | None:
    """The results file; none where this try wrote none. A line without a position is that of a row that is gone."""
    if not results.exists():
        return None
    lines = []
    for told in map(json.loads, results.read_text(encoding="utf-8").splitlines()):
        position = told["position"]
        lines.append(Line(None if position is None else rows[position], told["state"], told["id"]))
    return lines
