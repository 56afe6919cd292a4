# SPDX-License-Identifier: Apache-2.0
"""A bulk send by a task with several tries, each new on the same journal, with a crash wherever a test wants it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from support.campaign import SECRET, Values
from support.sandbox import deliverable

from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.counters import NO_COUNTERS, Counters
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.campaign.bulk_send import BulkOutcome, BulkSend
from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings, SendSettings
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
from airflow_provider_instasent.journal.stopping import Stop
from airflow_provider_instasent.journal.worker_clock import WorkerClock, elapsed
from airflow_provider_instasent.planning.choices import OnInvalid, OnPlanChange, OnUnconfirmed
from airflow_provider_instasent.planning.plan import PlanSettings
from airflow_provider_instasent.planning.row_source import rows_of_list

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from airflow_provider_instasent.sandbox.server import SandboxServer

QUICK = RetryPolicy(max_attempts=2, max_rate_limited=3, first_wait=0.002, longest_wait=0.005, longest_reset_wait=0.005)
READ_TIMEOUT = 0.1
"""Seconds; on the sandbox's silence alone, see :mod:`support.silence`."""
COUNTED = ("accepted", "rejected", "unconfirmed", "invalid", "duplicates", "suppressed", "planned")

REJECTED, ENDS_A_CALL = "920", "922"
"""Endings of numbers that the API rejects: by an item of the answer, and by refusing the whole call."""


class Crash(BaseException):
    """The task's process dies here."""


def messages(total: int, start: int = 0, text: str = "text to keep private") -> list[dict[str, Any]]:
    """So many good messages, each to another number."""
    return [{"to": deliverable(index), "text": f"{text} {index}"} for index in range(start, start + total)]


def ending(index: int, last: str) -> str:
    """A number with an ending that the sandbox gives a meaning."""
    return f"+346{index:05d}{last}"


class DyingStore:
    """A place for a journal that belongs to a process which dies at its n-th write.

    :param segments: the place
    :param dies_at: the write, from 1; 0 for none
    :param after: whether it dies right after the write rather than right before it
    """

    def __init__(self, segments: Any, dies_at: int = 0, *, after: bool = False) -> None:
        self._segments = segments
        self._dies_at = dies_at
        self._after = after
        self._writes = count(1)
        self.dead = threading.Event()
        self.in_metadata_database = segments.in_metadata_database

    def read(self) -> Any:
        return self._segments.read()

    def close(self) -> None:
        if not self.dead.is_set():
            self._segments.close()

    def append(self, records: list[str]) -> None:
        if self.dead.is_set():
            raise Crash
        due = next(self._writes) == self._dies_at
        if due and not self._after:
            self.dead.set()
            raise Crash
        self._segments.append(records)
        if due:
            self.dead.set()
            raise Crash


class MortalClient(InstasentClient):
    """A client whose process dies around its n-th bulk request.

    :ivar dies_before: the request before which it dies, from 1
    :ivar dies_after: the request after whose answer it dies
    :ivar dead: set from then on
    """

    dies_before = 0
    dies_after = 0
    dead: threading.Event
    before_request: Callable[[int], object] | None = None

    def perform(self, flow: Any, *, before_send: Any = None, after_send: Any = None, **rest: Any) -> Any:
        number = 0

        def before() -> None:
            nonlocal number
            before_send()
            if self.dead.is_set():
                raise Crash
            number = next(self.numbers)
            if self.before_request is not None:
                self.before_request(number)
            if number == self.dies_before:
                self.dead.set()
                raise Crash

        def after(outcome: Any) -> None:
            if number == self.dies_after:
                self.dead.set()
            if self.dead.is_set():
                raise Crash
            after_send(outcome)

        if before_send is None:
            return super().perform(flow, **rest)
        return super().perform(flow, before_send=before, after_send=after, **rest)


@dataclass
class BulkTask:
    """A bulk task of one DAG run, as the operator runs it.

    :param sandbox: the API
    :param folder: where a path journal and the results file live
    :param journal: `values`, `path` or `none`
    :param rows: what it sends
    """

    sandbox: SandboxServer
    folder: Path
    journal: str = "values"
    rows: Iterable[Any] = field(default_factory=list)
    policy: str = "fail"
    grace: float = 0.02
    in_flight: int = 4
    options: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    on_plan_change: str = "fail"
    retry_rejected: bool = False
    run_secret: bytes = SECRET
    on_invalid: str = "fail"
    suppress: list[Any] = field(default_factory=list)
    campaign_id: str = "dag/run/task/-1"
    owner: str = "dag/run/task/-1"
    values: Values = field(default_factory=Values)
    retry_policy: RetryPolicy = QUICK
    read_timeout: float = READ_TIMEOUT
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], float] = time.time
    elapsed: Callable[[], float] = elapsed
    counters: Counters = NO_COUNTERS

    def attempt(
        self,
        *,
        dies_at_write: int = 0,
        after_write: bool = False,
        dies_before_request: int = 0,
        dies_after_request: int = 0,
        before_request: Callable[[int], object] | None = None,
    ) -> BulkOutcome:
        """Run one try; raise what ends it. A crash leaves everything as a killed process would."""
        store = DyingStore(self.segments(), dies_at_write, after=after_write)
        client = MortalClient(
            self.sandbox.token,
            base_url=self.sandbox.url,
            retry_policy=self.retry_policy,
            read_timeout=self.read_timeout,
            max_in_flight=self.in_flight,
            counters=self.counters,
        )
        client.numbers = count(1)  # type: ignore[attr-defined]
        client.dies_before, client.dies_after = dies_before_request, dies_after_request
        client.before_request, client.dead = before_request, store.dead
        with ExitStack() as stack:
            journal = (
                None
                if self.journal == "none"
                else stack.enter_context(Journal(store, clock=WorkerClock(self.clock, self.elapsed)))
            )
            stack.enter_context(client)
            try:
                outcome = self.send().send(client, journal)
            except Exception:
                if store.dead.is_set():
                    raise Crash from None
                raise
            if store.dead.is_set():
                raise Crash  # what it would have reported, nobody hears
            return outcome

    def send(self) -> BulkSend:
        """The send of one try."""
        plan = PlanSettings(
            campaign_id=self.campaign_id,
            sender="Acme",
            default_region="ES",
            on_invalid=OnInvalid.of(self.on_invalid),
            **self.plan,
        )
        send = SendSettings(
            campaign_id=self.campaign_id,
            on_unconfirmed=OnUnconfirmed.of(self.policy),
            unconfirmed_grace=self.grace,
            on_plan_change=OnPlanChange.of(self.on_plan_change),
            started_at=self.elapsed(),
            owner=self.owner,
            retry_rejected=self.retry_rejected,
            run_secret=self.run_secret,
        )
        settings = CampaignSettings(
            plan,
            send,
            self.in_flight,
            **{"max_reported": 100_000, "max_rejected_ratio": 1.0, **self.options},
        )
        return BulkSend(
            lambda: rows_of_list(self.rows, None if plan.template is None else plan.to_column),
            lambda: rows_of_list(self.suppress, plan.to_column),
            settings,
            self.stop,
        )

    def segments(self) -> Any:
        """The place of the journal, as a new process finds it."""
        if self.journal == "path":
            return PathSegments(self.folder, self.campaign_id)
        return KeyValueSegments(self.values, self.campaign_id)

    @property
    def results_path(self) -> Path:
        """Where its results file goes, if its options say so."""
        return self.folder / "results.jsonl"

    def results(self) -> list[dict[str, Any]]:
        """The lines of its results file."""
        return [json.loads(line) for line in self.results_path.read_text().splitlines()]

    def sent(self) -> Counter[str]:
        """How often each number was texted."""
        return self.sandbox.ledger.numbers()

    def requests(self) -> int:
        """How many bulk calls were on the wire."""
        return len(self.sandbox.requests.records("bulk"))


def accounted(summary: dict[str, Any]) -> int:
    """Return how many rows a summary accounts for."""
    return sum(summary[name] for name in COUNTED)
