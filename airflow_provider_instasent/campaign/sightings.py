# SPDX-License-Identifier: Apache-2.0
"""Which SMS of the list is which message in doubt, and of which messages the list cannot tell.

An SMS with a clientId is the message that was sent with it, and no other. One without is a message by its sender,
number and text, if it was created after the intent, and if exactly as many are found as are looked for. What can
neither be claimed nor ruled out is a doubt: the message may have been accepted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.client_ids import is_generated, number_of
from airflow_provider_instasent.api.list_order import ProvenOrder
from airflow_provider_instasent.api.numbers import digits
from airflow_provider_instasent.api.recent_pages import Side
from airflow_provider_instasent.api.timestamps import created_at
from airflow_provider_instasent.campaign.findings import Doubt, Findings
from airflow_provider_instasent.journal.worker_clock import UNKNOWN_SLACK

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from airflow_provider_instasent.api.client_ids import MessageKeys
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.pages import Page
    from airflow_provider_instasent.api.timestamps import Created
    from airflow_provider_instasent.journal.roster import Listed


class _Age(Enum):
    OURS = "created after the intent"
    OLDER = "created before it"
    UNTOLD = "either"


@dataclass(frozen=True, slots=True)
class _Sighting:
    """An SMS that may be a message looked for.

    :param entity: as the list shows it
    :param created: when it was created on the server's clock, or None where it does not tell
    """

    entity: Entity
    created: Created | None


class Search:
    """What is looked for, and the evidence collected in one look.

    :param keys: of the campaign's messages
    :param wanted: the messages, by key, as the journal knows them
    :param known_ids: ids of SMS that are already known to be other messages of this campaign
    :param occurrences: how many messages with one sender, number and text the campaign may hold
    :param slack: seconds by which two clocks may disagree, and a list's moments be out of its order
    :ivar found: the SMS found so far, by the key of the message
    :ivar order: the list's order, as far as this look proves it
    """

    def __init__(
        self,
        keys: MessageKeys,
        wanted: Mapping[bytes, Listed],
        known_ids: Container[str] = frozenset(),
        occurrences: int = 1,
        *,
        slack: float,
    ) -> None:
        self._keys = keys
        self._wanted = wanted
        self._known_ids = known_ids
        self._occurrences = occurrences
        self._slack = slack
        self._given: dict[str, list[Listed]] = defaultdict(list)
        self._of_number: dict[bytes, list[Listed]] = defaultdict(list)
        for item in wanted.values():
            self._of_number[number_of(item.key)].append(item)
            if item.client_id:
                self._given[item.client_id].append(item)
        self._generated = {keys.client_id(item.key): item for item in wanted.values() if not item.client_id}
        self._echoed = False
        self.found: dict[bytes, Entity] = {}
        self.begin()

    def begin(self) -> None:
        """Begin another look: what was found stays so, all else is judged anew."""
        self.order = ProvenOrder(self._created, self._slack)
        self._offset: float | None = None
        self._latest = math.inf
        self._by_content: dict[bytes, dict[str, _Sighting]] = defaultdict(dict)
        self._by_given_id: dict[bytes, dict[str, _Sighting]] = defaultdict(dict)
        self._altered: dict[bytes, dict[str, _Sighting]] = defaultdict(dict)
        self._newest_blank: dict[bytes, float] = {}
        self._taken = self._timeless = 0
        self._since = self._earliest()

    @property
    def is_over(self) -> bool:
        """Whether all that is looked for was found."""
        return len(self.found) == len(self._wanted)

    def take(self, page: Page, now: float) -> None:
        """Note what a page of the list tells.

        :param page: as it was read
        :param now: our clock in unix seconds
        """
        if page.server_time is not None and self._offset is None:
            self._offset = page.server_time - now
            self._since = self._earliest()
        self._latest = page.server_time + self._slack if page.server_time is not None else now + UNKNOWN_SLACK
        for entity in page.entities:
            created = self._created(entity)
            self._timeless += created is None or not created.is_exact
            self._consider(entity)
        self._taken += len(page.entities)

    def side_of(self, entity: Entity) -> Side:
        """Tell where an SMS is, seen from the time in question."""
        created = self._created(entity)
        if created is None:
            return Side.UNTOLD
        # Twice the slack: its clock may be off by one, and its place in the list by another.
        return Side.OLDER if created.latest < self._since - 2 * self._slack else Side.INSIDE

    def conclude(self, *, whole: bool) -> Findings:
        """Return what was found, and what cannot be told.

        :param whole: whether the list was read to the edge of the time in question
        """
        doubted: dict[bytes, Doubt] = {}
        if whole:  # else nothing can be counted, and nothing that is missing is absent
            for sightings in self._by_content.values():
                items = self._siblings(next(iter(sightings.values())).entity)
                if items := [item for item in items if item.key not in self.found]:
                    doubted.update(self._attribute(items, list(sightings.values())))
            for key, sightings in self._by_given_id.items():
                doubted.update((key, doubt) for doubt in self._judged(key, sightings) if isinstance(doubt, Doubt))
            for key, sightings in self._altered.items():
                if any(verdict is not _Age.OLDER for verdict in self._judged(key, sightings)):
                    doubted[key] = Doubt.ALTERED
            doubted.update(self._blanks())
        open_doubts = {key: doubt for key, doubt in doubted.items() if self._is_open(key)}
        timeless = self._timeless > self._taken / 2
        return Findings(dict(self.found), whole or self.is_over, open_doubts, timeless)

    def _judged(self, key: bytes, sightings: Mapping[str, _Sighting]) -> list[_Age | Doubt]:
        return [self._judge(sighting, [self._wanted[key]]) for sighting in sightings.values()]

    def _is_open(self, key: bytes) -> bool:
        return self._wanted[key].in_doubt and key not in self.found

    def _earliest(self) -> float:
        """Return the earliest moment, on the server's clock, a message looked for can have been created."""
        return min((item.moment.window(self._offset)[0] for item in self._wanted.values()), default=math.inf)

    def _created(self, entity: Entity) -> Created | None:
        """Return when an SMS was created; a moment that is still to come tells nothing."""
        created = created_at(entity)
        return None if created is None or created.earliest > self._latest else created

    def _consider(self, entity: Entity) -> None:
        client_id = entity.get("clientId")
        if entity["id"] in self._known_ids:
            self._echoed = self._echoed or bool(client_id)  # all of ours are sent with one
        elif client_id:
            self._consider_client_id(str(client_id), entity)
        elif siblings := self._siblings(entity):
            self._by_content[siblings[0].key][entity["id"]] = self._sighting(entity)
        else:
            self._consider_blank(entity)

    def _sighting(self, entity: Entity) -> _Sighting:
        self.order.watch(entity["id"])
        return _Sighting(entity, self._created(entity))

    def _consider_client_id(self, client_id: str, entity: Entity) -> None:
        """Note an SMS that has a clientId: it is the message that was sent with it, whatever else it is like."""
        generated = self._generated.get(client_id)
        if generated is not None:
            self.found.setdefault(generated.key, entity)
            self._echoed = True
            return
        keys = self._content_keys(entity)
        if is_generated(client_id) and client_id in map(self._keys.client_id, keys):
            self._echoed = True  # another one of this campaign
        given = self._given.get(client_id, ())
        same = [item for item in given if item.key in keys or not entity.get("text")]
        for item in same:
            # The user may have used it before, for the same text.
            sighting = self._by_given_id[item.key][entity["id"]] = self._sighting(entity)
            if self._age(sighting, item) is _Age.OURS:
                self.found.setdefault(item.key, entity)
                self._echoed = True
                return
        for item in () if same else given:
            # Or for another text; or the API changed it. To another person, only a whole number tells.
            if number_of(item.key) in map(number_of, keys) or not any(one.startswith("+") for one in _numbers(entity)):
                self._altered[item.key][entity["id"]] = self._sighting(entity)

    def _consider_blank(self, entity: Entity) -> None:
        """Note an SMS that does not tell enough to be compared, and so may be any message, or any to its number."""
        numbers = [digits(number) for number in _numbers(entity)]
        if any(numbers) and entity.get("from") and entity.get("text"):
            return
        latest = math.inf if (created := self._created(entity)) is None else created.latest
        for number in numbers or [""]:
            to = number_of(self._keys.key("", "+" + number, "")) if number else b""
            self._newest_blank[to] = max(self._newest_blank.get(to, -math.inf), latest)

    def _blanks(self) -> dict[bytes, Doubt]:
        """Return the messages that an SMS of which too little is told may be."""
        return {
            item.key: Doubt.BLANK
            for number, newest in self._newest_blank.items()
            for item in (self._of_number[number] if number else self._wanted.values())
            if newest >= item.moment.window(self._offset)[0] - self._slack
        }

    def _attribute(self, items: list[Listed], sightings: list[_Sighting]) -> dict[bytes, Doubt]:
        """Claim SMS for messages with their content, all or none; return the messages that may be among them."""
        judged = [(sighting, self._judge(sighting, items)) for sighting in sightings]
        ours = [sighting for sighting, verdict in judged if verdict is _Age.OURS]
        doubts = [verdict for _, verdict in judged if isinstance(verdict, Doubt)]
        if ours and not doubts and not self._echoed and (claims := self._claims(items, ours)):
            self.found.update(claims)
            return {}
        if ours:
            doubts.append(Doubt.NOT_ECHOED if self._echoed else Doubt.AMBIGUOUS)
        return {item.key: doubts[0] for item in items} if doubts else {}

    def _claims(self, items: list[Listed], ours: list[_Sighting]) -> dict[bytes, Entity]:
        """Return an SMS for each of these messages; none where there are not as many, or one is too old."""
        if len(items) != len(ours):
            return {}
        items = sorted(items, key=lambda item: item.moment.window(self._offset))
        ours = sorted(ours, key=lambda sighting: 0.0 if sighting.created is None else sighting.created.at)
        pairs = list(zip(ours, items, strict=True))
        if any(self._age(sighting, item) is not _Age.OURS for sighting, item in pairs):
            return {}
        return {item.key: sighting.entity for sighting, item in pairs}

    def _judge(self, sighting: _Sighting, items: Iterable[Listed]) -> _Age | Doubt:
        """Tell whether an SMS is one of these messages, or why that cannot be told."""
        if sighting.created is None:
            return Doubt.UNDATED
        if not self.order.is_in_line(sighting.entity["id"], sighting.created.at):
            return Doubt.MISPLACED
        ages = {self._age(sighting, item) for item in items}
        if _Age.OURS in ages:
            return _Age.OURS
        if _Age.UNTOLD in ages:
            return Doubt.UNCERTAIN if sighting.created.is_exact else Doubt.NO_ZONE
        return _Age.OLDER

    def _age(self, sighting: _Sighting, item: Listed) -> _Age:
        earliest, latest = item.moment.window(self._offset)
        if sighting.created is None:
            return _Age.UNTOLD
        if sighting.created.earliest >= latest - self._slack:
            return _Age.OURS
        return _Age.OLDER if sighting.created.latest < earliest - self._slack else _Age.UNTOLD

    def _siblings(self, entity: Entity) -> list[Listed]:
        """Return the messages that have an SMS's sender, number and text."""
        return [item for key in self._content_keys(entity) if (item := self._wanted.get(key)) is not None]

    def _content_keys(self, entity: Entity) -> list[bytes]:
        sender, text = str(entity.get("from") or ""), str(entity.get("text") or "")
        numbers = {"+" + digits(number) for number in _numbers(entity)}
        return [self._keys.key(sender, to, text, place) for to in numbers for place in range(self._occurrences)]


def _numbers(entity: Entity) -> list[str]:
    """Return an SMS's number in the forms in which it is shown."""
    return [str(shown) for name in ("to", "normalizedTo") if (shown := entity.get(name))]
