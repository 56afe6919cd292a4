# SPDX-License-Identifier: Apache-2.0
"""An account whose list a reader reads by a clock that is moved by hand: a day of waiting takes a second."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.endpoints import SMS
from airflow_provider_instasent.api.exchange import Answer, Outcome, Send
from airflow_provider_instasent.waiting.account_reader import AccountReader
from airflow_provider_instasent.waiting.delivery_watch import Watch
from airflow_provider_instasent.waiting.poll_budget import PollBudget
from airflow_provider_instasent.waiting.reads import PageRead
from airflow_provider_instasent.waiting.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_instasent.waiting.conclusion import Conclusion

START = 1_800_000_000.0


@dataclass
class SimulatedAccount:
    """The API's list and single reads, and its rate limit.

    :param newest_first: the list's order
    :param page_cap: the most messages on a page
    :param tells_time: whether messages have `createdAt`
    :param final_after: seconds from acceptance to `delivered`
    :param latency: seconds a request takes
    :param limit: requests a minute and endpoint
    :param created_off: seconds by which `createdAt` is off the acceptance
    :param repeats: whether pages beyond the last one repeat it
    :param traffic: messages a second that others send
    :param fault: what comes of a read in place of its answer; None for the answer
    :ivar hidden: ids that the list does not show
    :ivar requests: when each came, of which kind, and which page or message it was for
    :ivar sweep_ends: how many requests had been made when each sweep of a wait ended
    :ivar endings: how each wait ended
    """

    newest_first: bool = True
    page_cap: int = 100
    tells_time: bool = True
    final_after: float = 60.0
    latency: float = 0.1
    limit: int = 1_000_000
    created_off: float = 0.0
    repeats: bool = False
    now: float = START
    accepted: list[tuple[str, float]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    requests: list[tuple[float, str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    traffic: float = 0.0
    fault: Callable[[Any], Outcome | None] = lambda _: None
    sweep_ends: dict[Subscription, list[int]] = field(default_factory=lambda: defaultdict(list))
    endings: dict[Subscription, Conclusion] = field(default_factory=dict)
    _known: dict[str, float] = field(default_factory=dict)
    _windows: Counter[tuple[str, int]] = field(default_factory=Counter)
    _grown_at: float = START

    def accept(self, count: int, name: str = "m", at: float | None = None) -> list[str]:
        """Accept messages; return their ids."""
        ids = [f"{name}{len(self.accepted) + place}" for place in range(count)]
        rows = [(one, self.now if at is None else at) for one in ids]
        self.accepted += rows
        self._known.update(rows)
        return ids

    def move(self, seconds: float) -> None:
        """Move the clock; others send at the pace of `traffic` messages a second."""
        self.now += seconds
        while self.traffic and self._grown_at + 1 / self.traffic <= self.now:
            self._grown_at += 1 / self.traffic
            self.accept(1, "other", self._grown_at)

    def answer(self, read: Any) -> Outcome:
        """Answer a read as the API would."""
        kind = "list" if isinstance(read, PageRead) else "read"
        window = int(self.now // 60)
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-reset": str((window + 1) * 60),
        }
        self.requests.append((self.now, kind, read.number if kind == "list" else read.message_id))
        if (fault := self.fault(read)) is not None:
            self.statuses.append(fault.status if isinstance(fault, Answer) else 0)
            return fault
        if self._windows[kind, window] >= self.limit:
            self.statuses.append(429)
            return Answer(429, {**headers, "x-ratelimit-remaining": "0"}, b"")
        self._windows[kind, window] += 1
        headers["x-ratelimit-remaining"] = str(self.limit - self._windows[kind, window])
        status, body = self._page(read.number) if kind == "list" else self._single(read.message_id)
        self.statuses.append(status)
        return Answer(status, headers, json.dumps(body).encode())

    def _page(self, number: int) -> tuple[int, Any]:
        shown = [one for one in self.accepted if one[0] not in self.hidden] if self.hidden else self.accepted
        total = len(shown)
        if self.repeats:
            number = min(number, max(1, -(-total // self.page_cap)))
        first, last = (number - 1) * self.page_cap, min(number * self.page_cap, total)
        places = range(first, max(first, last))
        rows = [shown[total - 1 - place] if self.newest_first else shown[place] for place in places]
        return 200, {"entities": [self._entity(*row) for row in rows]}

    def _single(self, message_id: str) -> tuple[int, Any]:
        if message_id in self._known:
            return 200, {"entity": self._entity(message_id, self._known[message_id])}
        return 404, {}

    def _entity(self, message_id: str, at: float) -> dict[str, Any]:
        status = "delivered" if self.now >= at + self.final_after else "sent"
        created = {"createdAt": int(at + self.created_off)} if self.tells_time else {}
        return {"id": message_id, "status": status, **created}

    def refusal(self, seconds: float = 60.0) -> Answer:
        """A 429 that tells when the limit is reset."""
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(self.now + seconds),
        }
        return Answer(429, headers, b"")

    def read(self, kind: str, begin: int = 0, end: int | None = None) -> list[Any]:
        """The pages, or the ids of messages, that were read from one request on to another."""
        return [what for _, one, what in self.requests[begin:end] if one == kind]

    def rounds(self, waits: Iterable[Subscription]) -> list[list[Any]]:
        """What was read until all of these waits had made a sweep, then until they had made another, and so on."""
        ends = [0, *map(max, zip(*(self.sweep_ends[wait] for wait in waits), strict=False))]
        return [[what for _, _, what in self.requests[begin:end]] for begin, end in pairwise(ends)]


def new_reader(account: SimulatedAccount, per_minute: int | None = None) -> AccountReader:
    """A reader of that account by its clock."""
    return AccountReader(SMS, PollBudget(lambda: account.now, per_minute), lambda: account.now, gather=0.1)


def new_wait(
    account: SimulatedAccount, ids: list[str], accepted: tuple[float, float] | None = None, **settings: Any
) -> Subscription:
    """A wait for messages of that account."""
    watch = Watch(ids, memory={"accepted": accepted})
    watch.next_sweep = settings.pop("next_sweep", account.now)
    return Subscription(watch, **{"deadline": account.now + 86_400, "poll_interval": 30.0, **settings})


def run(account: SimulatedAccount, reader: AccountReader, seconds: float) -> dict[Subscription, float]:
    """Let a reader read until all waits are over, or so many seconds; return when each ended."""
    ended: dict[Subscription, float] = {}
    until = account.now + seconds
    while reader.subscriptions and account.now < until:
        for wait in reader.subscriptions:
            if wait.sweeps > len(account.sweep_ends[wait]):
                account.sweep_ends[wait].append(len(account.requests))
        for wait, conclusion in reader.conclusions():
            reader.detach(wait)
            ended[wait] = account.now
            account.endings[wait] = conclusion
        reads = reader.next_reads()
        if not reads:
            account.move(max(0.001, min(reader.idle_for(), until - account.now)))
            continue
        answers = []
        for read in reads:
            account.move(reader.delay(type(read)))
            reader.leaves(read)
            answers.append((read, account.answer(read)))
        account.move(account.latency)
        for read, answer in answers:
            reader.take(read, *_result(reader, read, answer))
    return ended


def _result(reader: AccountReader, read: Any, answer: Outcome) -> tuple[Any, Any]:
    flow = reader.flow(read)
    assert isinstance(next(flow), Send)
    try:
        flow.send(answer)
    except StopIteration as stop:
        outcome, result = stop.value
        return outcome, result
    raise AssertionError("a read is made once")


def pages_of(account: SimulatedAccount, ids: Iterable[str]) -> set[int]:
    """On which pages of the list messages lie."""
    wanted, total = set(ids), len(account.accepted)
    places = (place for place, (one, _) in enumerate(account.accepted) if one in wanted)
    return {(total - 1 - place if account.newest_first else place) // account.page_cap + 1 for place in places}


def campaigns(account: SimulatedAccount, batches: int, number: int = 1, gap: float = 0.05) -> list[list[str]]:
    """Let campaigns send at once, so many batches of a hundred each in turns; return their ids."""
    ids: list[list[str]] = [[] for _ in range(number)]
    for _ in range(batches):
        for some in ids:
            some.extend(account.accept(100))
            account.move(gap)
    return ids
