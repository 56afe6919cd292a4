# SPDX-License-Identifier: Apache-2.0
"""Find out what became of messages whose outcome is unconfirmed, by looking for them in `GET /sms`.

A message is recognised by its clientId where the API echoes it (inferred); else by sender, number and text, created
after its intent, and only if exactly as many are found as are looked for. Absence proves nothing: the list may lag
(unknown), so the look is repeated until the grace is over, and what is then not found stays unconfirmed. A look that
fails on the way (5xx, timeout, rate limit) is no look; only the last one must not fail.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import (
    ApiError,
    NotSentError,
    RateLimitedError,
    UnavailableError,
)
from airflow_provider_instasent.api.numbers import digits
from airflow_provider_instasent.api.recent_pages import recent_pages
from airflow_provider_instasent.api.timestamps import created_at

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from airflow_provider_instasent.api.client_ids import MessageKeys
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.pages import Page
    from airflow_provider_instasent.journal.roster import Listed

log = logging.getLogger(__name__)

CLOCK_SLACK = 120.0
"""Seconds by which the server's clock and ours may disagree about when a message was created."""

MOST_PAGES = 5_000
"""Pages one look reads: half a million SMS at 100 a page, since the earliest moment in question."""

PAGE_SIZE = 100
"""SMS asked for a page; the API may give fewer (its largest page is unknown)."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
"""Seconds between two looks; they double from the first to the longest."""


@dataclass(slots=True)
class Search:
    """What is looked for, and the evidence collected in one look.

    :param keys: of the campaign's messages
    :param wanted: the messages, by key, as the journal knows them
    :param known_ids: ids of SMS that are already known to be other messages of this campaign
    :param occurrences: how many messages with one sender, number and text the campaign may hold
    """

    keys: MessageKeys
    wanted: Mapping[bytes, Listed]
    known_ids: Container[str] = frozenset()
    occurrences: int = 1
    by_client_id: dict[str, list[Listed]] = field(init=False)
    generated: dict[str, Listed] = field(init=False)
    found: dict[bytes, Entity] = field(init=False, default_factory=dict)
    candidates: dict[bytes, dict[str, Entity]] = field(init=False)
    echoed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.by_client_id = defaultdict(list)
        for item in self.wanted.values():
            if item.client_id:
                self.by_client_id[item.client_id].append(item)
        self.generated = {self.keys.client_id(item.key): item for item in self.wanted.values() if not item.client_id}
        self.candidates = defaultdict(dict)

    @property
    def since(self) -> float:
        """The earliest moment, on our clock, a wanted message can have been created."""
        return min(item.moment.at for item in self.wanted.values()) - CLOCK_SLACK

    def consider(self, entity: Entity, offset: float) -> None:
        """Note what an entity of the list tells.

        :param entity: an SMS
        :param offset: the server's clock less ours, in seconds
        """
        sms_id = entity["id"]
        if sms_id in self.known_ids:
            return
        created = created_at(entity)
        client_id = entity.get("clientId")
        if client_id:
            self.echoed = True
            item = self._item_with(str(client_id), entity, created, offset)
            if item is not None:
                self.found.setdefault(item.key, entity)
            return
        keys = self._keys(entity)
        if created is None:
            return
        for key in keys:
            item = self.wanted.get(key)
            if item is not None and created >= item.moment.window(offset)[0] - CLOCK_SLACK:
                self.candidates[keys[0]][sms_id] = entity
                return

    def conclude(self, *, whole: bool) -> dict[bytes, Entity]:
        """Return the messages this look found, by key.

        :param whole: whether the list was read to the edge of the time in question
        """
        # All of ours have a clientId: where the API echoes them, an SMS without one is somebody else's.
        if whole and not self.echoed:
            for first, entities in self.candidates.items():
                keys = [key for key in self._siblings(next(iter(entities.values()))) if key not in self.found]
                if len(keys) == len(entities):
                    self.found.update(zip(keys, entities.values(), strict=True))
                elif keys:
                    log.warning(
                        "%d SMS like %d unconfirmed ones were found (key %s): which is which cannot be told",
                        len(entities),
                        len(keys),
                        first.hex()[:8],
                    )
        return self.found

    def _item_with(self, client_id: str, entity: Entity, created: float | None, offset: float) -> Listed | None:
        """Return what is wanted under a clientId."""
        for item in self.by_client_id.get(client_id, ()):
            if self._fits(item, entity, created, offset):
                return item
        return self.generated.get(client_id)

    def _siblings(self, entity: Entity) -> list[bytes]:
        return [key for key in self._keys(entity) if key in self.wanted]

    def _keys(self, entity: Entity) -> list[bytes]:
        sender, text = str(entity.get("from") or ""), str(entity.get("text") or "")
        number = "+" + digits(entity.get("to") or entity.get("normalizedTo") or "")
        return [self.keys.key(sender, number, text, occurrence) for occurrence in range(self.occurrences)]

    def _fits(self, item: Listed, entity: Entity, created: float | None, offset: float) -> bool:
        """Tell whether an SMS with a clientId that the user gave is this message and not an older one."""
        if created is not None and created < item.moment.window(offset)[0] - CLOCK_SLACK:
            return False
        return item.key in self._keys(entity) or not entity.get("text")


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search came to.

    :param found: the SMS found, by the key of the message
    :param whole: whether the list was read to the edge of the time in question; what was not found may else be there
    """

    found: Mapping[bytes, Entity]
    whole: bool


def search_list(
    search: Search,
    list_page: Callable[[int, int], Page],
    *,
    until: float,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
    max_pages: int | None = None,
) -> Findings:
    """Look for unconfirmed messages until all are found or the grace is over.

    :param search: what to look for
    :param list_page: reads a page of `GET /sms`, by its number (from 1) and size
    :param until: our clock in unix seconds when the grace ends; at least one look is made
    :param clock: our clock
    :param sleep: waits the given seconds
    :param max_pages: the most pages one look reads; None for `MOST_PAGES`
    :returns: the SMS found, and whether the list was read to the edge of the time in question
    :raises ApiError: where the list refuses to be read, or the last look failed: nothing is known of the rest
    """
    pause = FIRST_PAUSE
    while True:
        failure: ApiError | None = None
        whole = False
        try:
            whole = _look(search, list_page, clock, max_pages or MOST_PAGES)
        except (NotSentError, RateLimitedError, UnavailableError) as error:
            failure = error
        found = search.conclude(whole=whole)
        remaining = until - clock()
        if len(found) == len(search.wanted):
            return Findings(dict(found), whole=True)
        if remaining <= 0:
            if failure is not None:
                raise failure
            return Findings(dict(found), whole)
        sleep(min(pause, remaining))
        pause = min(pause * 2, LONGEST_PAUSE)
        search.candidates.clear()


def _look(search: Search, list_page: Callable[[int, int], Page], clock: Callable[[], float], max_pages: int) -> bool:
    """Read the recent part of the list once; return whether it was read to the edge of the time in question."""
    offset = 0.0

    def read(number: int) -> Page:
        nonlocal offset
        page = list_page(number, PAGE_SIZE)
        if page.server_time is not None:
            offset = page.server_time - clock()
        for entity in page.entities:
            search.consider(entity, offset)
        return page

    def before_window(entity: Entity) -> bool:
        created = created_at(entity)
        return created is not None and created < search.since + offset

    def enough() -> bool:
        return len(search.found) == len(search.wanted)

    return recent_pages(read, before_window, enough, created_at, max_pages)
