# SPDX-License-Identifier: Apache-2.0
"""Waits of campaigns side by side: how long after the last final status they end, and what they ask for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import islice
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.campaign import number_of
from benchmarks.report import Bar
from benchmarks.sandbox import TOKEN, SandboxProcess
from benchmarks.wait_rounds import PAGE, Pending, Round, rounds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.code_under_test import CodeUnderTest

LATENCY = 0.1
LIMIT = 1_200
UNLIMITED = 1_000_000
INTERVAL = 60.0
INTERVALS_BAR, REQUESTS_BAR, DISTINCT_BAR, LIMIT_BAR = 2, 1.5, 0.9, 1.5
FEW = 10
"""List requests from which on a round tells how many of them were for a page once more."""
START = 120.0
"""Seconds in which a child is up, and after its end is gone."""


@dataclass(frozen=True)
class Setting:
    """One scenario.

    :param name: in words
    :param waits: how many triggers
    :param messages: of each
    :param newer: messages of nobody here that were accepted after all of theirs
    :param lead: how many each has sent when the next one begins; from then on they take turns
    :param final_after: age at which a message is delivered: long enough for reads before
    :param limit: list requests a minute
    :param polls: `max_polls_per_minute` of the connection and of each trigger; None for the defaults
    :param longest: seconds after the last final status at which waits that are not over are given up
    """

    name: str
    waits: int
    messages: int
    newer: int = 0
    lead: int = 0
    final_after: float = 90.0
    limit: int = LIMIT
    polls: int | None = None
    longest: float = 150.0

    @property
    def total(self) -> int:
        """Messages waited for."""
        return self.waits * self.messages

    @property
    def dictated(self) -> float:
        """Seconds after the last final status that the limit alone dictates: each page once, after one interval."""
        return self.total / PAGE / self.limit * 60 + INTERVAL


SETTINGS = {
    # Final in the middle of a round that reads 400 pages at 300 a minute; the second one's end is newest.
    "campaigns": Setting("two campaigns of 20,000", 2, 20_000, lead=4_000, final_after=60.0),
    "mapped": Setting("mapped, 10 x 2,000", 10, 2_000),
    "below": Setting("2,000 below 40,000 newer ones", 1, 2_000, newer=40_000),
    "limited": Setting("five of 10,000, 480 reads a minute", 5, 10_000, limit=480, polls=480, longest=190.0),
}
QUICK = {
    "campaigns": Setting("two campaigns of 1,000", 2, 1_000, final_after=20, longest=130),
    "mapped": Setting("mapped, 4 x 500", 4, 500, final_after=20, longest=130),
    "below": Setting("200 below 4,000 newer ones", 1, 200, newer=4_000, final_after=20, longest=130),
    "limited": Setting("two of 1,000, 48 reads a minute", 2, 1_000, final_after=20, limit=48, polls=48, longest=150),
}


@dataclass(frozen=True)
class Found:
    """What one scenario came to.

    :param setting: the scenario
    :param seconds: from its last final status to its end, of each wait that ended with all delivered
    :param delivered: what the others knew to be delivered when they were given up
    :param rounds: what was asked for, by interval
    :param longest_ms: the longest delay of the loop
    :param cpu: share of a core that the waits took
    """

    setting: Setting
    seconds: Sequence[float]
    delivered: Sequence[int]
    rounds: Sequence[Round] = field(default_factory=tuple)
    longest_ms: float = 0.0
    cpu: float = 0.0

    @property
    def requests(self) -> int:
        """List requests and single reads in all."""
        return sum(one.requests for one in self.rounds)

    @property
    def share_of_needed(self) -> float:
        """Requests for each page that held something pending, over all rounds."""
        return self.requests / max(1, sum(one.needed for one in self.rounds))

    @property
    def distinct(self) -> float:
        """Different pages for each list request, in the worst round of more than a few requests."""
        return min((one.pages / one.lists for one in self.rounds if one.lists >= FEW), default=1.0)

    @property
    def over(self) -> str:
        """How many waits ended, in words."""
        told = f"{len(self.seconds)} of {self.setting.waits}"
        if len(self.seconds) == self.setting.waits:
            return told
        known = sum(self.delivered) + len(self.seconds) * self.setting.messages
        return f"{told}; not over after {self.setting.longest:.0f} s, {known:,} of {self.setting.total:,} delivered"

    @property
    def last(self) -> str:
        """Seconds of the last wait to end."""
        waited = len(self.seconds) == self.setting.waits
        return f"{max(self.seconds):.0f}" if waited else f"more than {self.setting.longest:.0f}"

    def bars(self) -> list[Bar]:
        """What has to hold of this scenario."""
        allowed = LIMIT_BAR * self.setting.dictated if self.setting.polls else INTERVALS_BAR * INTERVAL
        in_time = len(self.seconds) == self.setting.waits and max(self.seconds) <= allowed
        name = self.setting.name
        late = Bar(f"{name}: s from the last final status to the last end", f"{allowed:.0f}", self.last, in_time)
        if self.setting.polls:
            held = self.distinct >= DISTINCT_BAR
            return [
                Bar(f"{name}: different pages a list request", f"{DISTINCT_BAR}", f"{self.distinct:.2f}", held),
                late,
            ]
        held = self.share_of_needed <= REQUESTS_BAR
        asked = f"{self.share_of_needed:.2f}"
        return [late, Bar(f"{name}: requests a page with something pending", f"{REQUESTS_BAR}", asked, held)]


HEADER = (
    "code", "scenario", "waits over", "s after the last final status: first", "last", "list requests", "single reads",
    "429s", "rounds", "requests a round", "pages needed a round", "different pages a round",
    "different a list request, worst round", "CPU %", "longest loop delay ms",
)  # fmt: skip


def row(code: str, found: Found) -> tuple[str, ...]:
    """Return the row of a scenario."""
    rounds = found.rounds
    lists = sum(one.lists for one in rounds)
    first = f"{min(found.seconds):.0f}" if found.seconds else ""
    return (
        code, found.setting.name, found.over, first, found.last, f"{lists:,}", f"{found.requests - lists:,}",
        f"{sum(one.refused for one in rounds):,}", str(len(rounds)),
        " ".join(str(one.requests) for one in rounds), " ".join(str(one.needed) for one in rounds),
        " ".join(str(one.pages) for one in rounds), f"{found.distinct:.2f}", f"{found.cpu:.0%}",
        f"{found.longest_ms:.0f}",
    )  # fmt: skip


def measure(code: CodeUnderTest, setting: Setting) -> Found:
    """Play one scenario.

    :param code: what waits
    :param setting: the scenario
    """
    with SandboxProcess(final_after=setting.final_after, sent_after=1.0) as sandbox, TemporaryDirectory() as home:
        accept(sandbox.url, setting.total + setting.newer)
        sandbox.configure(rate_limit=setting.limit, latency=LATENCY)
        owned = _owned(sandbox.messages(), setting)
        finals = [messages[-1][2] + setting.final_after for messages in owned]
        parameters: dict[str, Any] = {"poll_interval": INTERVAL}
        if setting.polls is not None:
            parameters["max_polls_per_minute"] = setting.polls
        waits = [
            {"messages": [(sms_id, accepted) for _, sms_id, accepted in messages], "parameters": parameters}
            for messages in owned
        ]
        until = max(finals) + setting.longest
        extra = None if setting.polls is None else {"max_polls_per_minute": setting.polls}
        child = code.child("waits_loop", home, sandbox.url, extra, waits=waits, until=until, home=home)
        told = child.result(until - time.time() + START)
        records = sandbox.requests("list") + sandbox.requests("read")
    watched = {place: accepted + setting.final_after for messages in owned for place, _, accepted in messages}
    ids = {sms_id: place for messages in owned for place, sms_id, _ in messages}
    pending = Pending(watched, ids, setting.total + setting.newer)
    whole = [end and end["counts"].get("delivered", 0) == setting.messages for end in told["ends"]]
    return Found(
        setting,
        [end["ended"] - final for end, final, all_of_it in zip(told["ends"], finals, whole, strict=True) if all_of_it],
        told["delivered"],
        list(rounds_of(records, pending, INTERVAL, LATENCY)),
        told["longest_ms"],
        told["cpu"] / (told["ended"] - told["began"]),
    )


def accept(url: str, messages: int) -> None:
    """Have so many messages accepted, each to another number.

    :param url: of the sandbox
    :param messages: how many
    """
    numbers = (number_of(index) for index in range(messages))
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        while chunk := [{"from": "Bench", "to": to, "text": "Hello"} for to in islice(numbers, PAGE)]:
            client.post("/sms/bulk", json=chunk, timeout=60).raise_for_status()


def _owned(messages: Sequence[dict[str, Any]], setting: Setting) -> list[list[tuple[int, str, float]]]:
    """Return place, id and time of each wait's messages: senders that take turns, a chunk of a hundred each."""
    owned: list[list[tuple[int, str, float]]] = [[] for _ in range(setting.waits)]
    turns = _turns(setting)
    for place, message in enumerate(messages[: setting.total]):
        owned[next(turns)].append((place, message["id"], message["acceptedAtUnix"]))
    return owned


def _turns(setting: Setting) -> Iterator[int]:
    """Yield whose message each of the accepted ones is."""
    sent = [0] * setting.waits
    while min(sent) < setting.messages:
        begun = [sender == 0 or sent[sender - 1] >= setting.lead for sender in range(setting.waits)]
        for sender in range(setting.waits):
            chunk = min(PAGE, setting.messages - sent[sender]) if begun[sender] else 0
            sent[sender] += chunk
            yield from [sender] * chunk
