# SPDX-License-Identifier: Apache-2.0
"""An API that does whatever its documentation does not rule out, and remembers what it accepted.

It shares nothing with the package's sandbox, so that an error of that one is not made twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from model.habits import FINE, REFUSALS, Habits, Turn
from model.shapes import Sms, answered, entity, errors, said
from model.wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from model.clock import Clock
    from model.process import Process

SECONDS_A_REQUEST = 0.2
RESET = Reply(0)


@dataclass
class Caller:
    """A try, as the API knows it by its token: whose it is, and what happens to its requests."""

    run: int
    attempt: int
    process: Process
    sends: list[Turn] = field(default_factory=list)
    lists: list[int | str] = field(default_factory=list)


class Adversary:
    """The API.

    :param clock: the true time
    :param habits: how it behaves
    :ivar ledger: what it accepted, in the order of storage
    :ivar refused: messages that it turned down for what they are, by run, number and text
    :ivar funds: for how many SMS there is money; None for any number
    """

    def __init__(self, clock: Clock, habits: Habits) -> None:
        self._clock = clock
        self.habits = habits
        self.ledger: list[Sms] = []
        self.refused: set[tuple[int, str, str]] = set()
        self.refused_numbers: set[str] = set()
        self._refused_ids: set[str | None] = set()
        self.funds: int | None = None
        self.callers: dict[str, Caller] = {}

    def store(
        self,
        sender: str,
        number: str,
        text: str,
        client_id: str | None,
        *,
        at: float,
        run: int | None,
        attempt: int = 0,
    ) -> Sms:
        """Accept an SMS."""
        sms = Sms(f"sms-{len(self.ledger) + 1}", sender, number, text, client_id, at, run, attempt)
        self.ledger.append(sms)
        return sms

    def answer(self, request: Request) -> Reply:
        """Answer a request; a process that has died gets none."""
        caller = self.callers.get(request.token)
        if caller is None or caller.process.dead:
            return RESET
        self._clock.now += SECONDS_A_REQUEST
        if request.method == "POST":
            return self._sent(request, caller)
        if request.path == "/sms":
            return self._listed(request, caller)
        return self._one(request.path.removeprefix("/sms/"))

    def _sent(self, request: Request, caller: Caller) -> Reply:
        body = request.json()
        items = body if isinstance(body, list) else [body]
        turn = caller.sends.pop(0) if caller.sends else FINE
        if turn.what in REFUSALS:
            return self._refusal(int(turn.what), items, caller)
        bad = self._bad(items, caller)
        if bad and (self.habits.refuses_whole or not isinstance(body, list)):
            funds_only = all(words == "funds" for _, _, words in bad)
            return self._reply(402 if funds_only else 422, {"errors": errors(bad, self.habits.errors)})
        places = {place for place, _, _ in bad}
        good = [item for place, item in enumerate(items) if place not in places]
        if turn.what == "hangs" and turn.when == "before":
            caller.process.hang()
            turn = FINE
        accepted = [self._accept(item, caller) for item in good[: turn.accepts(len(good))]]
        if turn.what == "hangs":
            caller.process.hang()
            turn = FINE
        if turn != FINE and turn.what != "lists":
            return self._broken(turn, caller)
        status = 201 if turn == FINE else 422
        shown = [self._entity(sms) for sms in accepted]
        if not isinstance(body, list):
            return self._reply(status, {"entity": shown[0]} if shown else {})
        answer: dict[str, Any] = {"entities": answered(shown, self.habits.entities) if shown else []}
        return self._reply(status, {**answer, "errors": errors(bad, self.habits.errors)} if bad else answer)

    def _bad(self, items: list[dict[str, Any]], caller: Caller) -> list[tuple[int, dict[str, Any], str]]:
        """The items that cannot be accepted, and why: what they are, or want of funds for those that come last."""
        bad: list[tuple[int, dict[str, Any], str]] = []
        left = self.funds
        for place, item in enumerate(items):
            words = ""
            if item["to"] in self.refused_numbers:
                words = self.habits.words
            elif self._is_used(item.get("clientId")):
                words = "taken"
            elif left is not None and left <= 0:
                words = "funds"
            if words in {"", "funds"}:
                left = None if left is None else left - 1
            elif words != "taken" or not self._is_ours(item, caller):
                self.refused.add((caller.run, item["to"], item["text"]))
            if words:
                bad.append((place, item, words))
        self._refused_ids.update(item.get("clientId") for _, item, _ in bad if self.habits.keeps_refused_ids)
        return bad

    def _is_used(self, client_id: str | None) -> bool:
        if not self.habits.unique_ids:
            return False
        return client_id in self._refused_ids or any(client_id == sms.client_id for sms in self.ledger)

    def _is_ours(self, item: dict[str, Any], caller: Caller) -> bool:
        return any(
            (sms.run, sms.number, sms.text) == (caller.run, item["to"], item["text"]) and sms.run is not None
            for sms in self.ledger
        )

    def _accept(self, item: dict[str, Any], caller: Caller) -> Sms:
        if self.funds is not None:
            self.funds -= 1
        return self.store(
            item["from"],
            item["to"],
            item["text"],
            item.get("clientId"),
            at=self._clock.now,
            run=caller.run,
            attempt=caller.attempt,
        )

    def _refusal(self, status: int, items: list[dict[str, Any]], caller: Caller) -> Reply:
        if status in {400, 413, 422} and len(items) == 1:
            self.refused.add((caller.run, items[0]["to"], items[0]["text"]))
        return Reply(status) if status == 429 else self._reply(status, {"message": said(self.habits.words)})

    def _broken(self, turn: Turn, caller: Caller) -> Reply:
        if turn.what == "dies":
            caller.process.die()
        if turn.what in {"dies", "reset"}:
            return RESET
        if turn.what == "unreadable":
            return Reply(201, b"<html>accepted?</html>", self._date())
        return self._reply(int(turn.what), {"message": said(self.habits.words)})

    def _listed(self, request: Request, caller: Caller) -> Reply:
        turn = caller.lists.pop(0) if caller.lists else 200
        if turn == "reset":
            return RESET
        if turn == "unreadable":
            return Reply(200, b"<html>", self._date())
        if turn != 200:
            return self._reply(int(turn), {"message": "later"})
        for _ in range(self.habits.busy):
            self.store("Other", "+34700999999", "Something else", None, at=self._clock.now, run=None)
        size = min(int(request.query.get("per_page", 10)), self.habits.page_cap)
        shown = [self._entity(sms) for sms in self.ledger if sms.at + self.habits.lag <= self._clock.now]
        if self.habits.newest_first:
            shown.reverse()
        page = int(request.query.get("page", 1))
        if self.habits.repeats_last_page:
            page = min(page, max(1, -(-len(shown) // size)))
        return self._reply(200, {"entities": shown[(page - 1) * size : page * size]})

    def _one(self, sms_id: str) -> Reply:
        found: Iterable[Sms] = (sms for sms in self.ledger if sms.id == sms_id)
        sms = next(iter(found), None)
        return self._reply(404, {}) if sms is None else self._reply(200, {"entity": self._entity(sms)})

    def _entity(self, sms: Sms) -> dict[str, Any]:
        return entity(sms, int(sms.id.removeprefix("sms-")) - 1, self.habits)

    def _reply(self, status: int, body: Any) -> Reply:
        return Reply(status, json.dumps(body).encode(), self._date())

    def _date(self) -> str:
        return formatdate(self._clock.now + self.habits.skew, usegmt=True) if self.habits.dates else ""
