# SPDX-License-Identifier: Apache-2.0
"""A simulated list of SMS with every habit it may have, and messages in doubt that are looked for in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from support.campaign import KEYS

from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.campaign.search import CLOCK_SLACK, search_list
from airflow_provider_instasent.campaign.sightings import Search
from airflow_provider_instasent.journal.roster import Listed
from airflow_provider_instasent.journal.worker_clock import Moment, WorkerClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_instasent.campaign.findings import Findings

NOW = 1_800_000_000.0
HOUR = 3600.0


@dataclass
class World:
    """A server with a list, and our clock.

    :ivar echo: whether SMS show the clientIds they were sent with
    :ivar skew: how far the server's clock is ahead of ours
    :ivar ahead: how far our clock was set forward meanwhile
    :ivar lag: age at which an SMS is listed
    :ivar failing: raised by the next looks, one each
    """

    echo: bool = True
    order: str = "newest"
    per_page: int = 10
    skew: float = 0.0
    lag: float = 0.0
    tells_created: bool = True
    tells_date: bool = True
    repeats: bool = False
    now: float = NOW
    ahead: float = 0.0
    steady: float = 1000.0
    failing: list[Exception | None] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0
    slept: list[float] = field(default_factory=list)

    def accept(
        self,
        text: str = "hello",
        *,
        at: float = NOW,
        client_id: str | None = None,
        off: float = 0.0,
        hidden: Iterable[str] = (),
        **fields: Any,
    ) -> str:
        """Let the server accept an SMS at a moment of our clock; return its id.

        :param off: how far its `createdAt` is late
        :param hidden: fields that have no value
        """
        sms_id = f"sms-{len(self.entities)}"
        created = datetime.fromtimestamp(int(at + self.skew + off), tz=UTC).isoformat()
        entity = {"id": sms_id, "from": "Acme", "to": "+34600000001", "text": text, "_at": at}
        if self.tells_created:
            entity["createdAt"] = created
        if self.echo:
            entity["clientId"] = client_id
        self.entities.append({**entity, **fields, **dict.fromkeys(hidden)})
        return sms_id

    def page(self, number: int, _size: int = 100) -> Page:
        self.reads += 1
        if number == 1 and self.failing and (failure := self.failing.pop(0)) is not None:
            raise failure
        listed = sorted((one for one in self.entities if self.now - one["_at"] >= self.lag), key=lambda one: one["_at"])
        if self.order == "newest":
            listed.reverse()
        pages = [listed[start : start + self.per_page] for start in range(0, len(listed), self.per_page)]
        chosen = pages[number - 1] if number <= len(pages) else pages[-1] if self.repeats and pages else []
        public = [{name: value for name, value in one.items() if name != "_at"} for one in chosen]
        return Page(public, float(int(self.now + self.skew)) if self.tells_date else None)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds
        self.steady += seconds

    def look(self, *wanted: Listed, grace: float = 0.0, max_pages: int = 200, **options: Any) -> dict[bytes, str]:
        """Look for messages; return the ids found by key."""
        findings = self.findings(*wanted, grace=grace, max_pages=max_pages, **options)
        return {key: entity["id"] for key, entity in findings.found.items()}

    def findings(self, *wanted: Listed, grace: float = 0.0, max_pages: int = 200, **options: Any) -> Findings:
        """Look for messages; return what was found and what cannot be told."""
        search = Search(KEYS, {one.key: one for one in wanted}, **options, slack=CLOCK_SLACK)
        clock = WorkerClock(lambda: self.now + self.ahead, lambda: self.steady)
        return search_list(
            search, self.page, until=self.steady + grace, clock=clock, sleep=self.sleep, max_pages=max_pages
        )


def content(text: str = "hello", occurrence: int = 0, to: str = "+34600000001", sender: str = "Acme") -> bytes:
    return KEYS.key(sender, to, text, occurrence)


def wanted(text: str = "hello", occurrence: int = 0, since: float = NOW, client_id: str | None = None) -> Listed:
    """A message in doubt, intended at a moment of our clock."""
    return Listed(0, content(text, occurrence), client_id, Moment(since, ahead=0.0), MessageState.UNCONFIRMED)


def ours(text: str = "hello", occurrence: int = 0) -> str:
    return KEYS.client_id(content(text, occurrence))
