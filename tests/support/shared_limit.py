# SPDX-License-Identifier: Apache-2.0
"""A rate limit that several senders share, with all time simulated."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from math import ceil, floor, inf
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.rate_limit import RateLimit
from airflow_provider_instasent.api.rate_window import RateWindow

if TYPE_CHECKING:
    from collections.abc import Callable

STARTED = 1_000_000.3
"""Unix seconds on the server's clock when a simulation begins."""

TICK = 0.25
"""Seconds after which a sender that waits asks again, as the gate does."""


@dataclass
class LimitedServer:
    """Counts requests in windows, as the sandbox does.

    :param limit: requests a window
    :param length: of a window in whole seconds
    :param fixed: windows begin at multiples of their length, not with their first request
    :param tells_time: answers have a `Date`
    :ivar windows: of each window that had a request, how many of each sender were accepted
    """

    limit: int = 80
    length: int = 10
    fixed: bool = False
    tells_time: bool = True
    windows: list[dict[str, int]] = field(default_factory=list)
    _began: float = -inf

    def answer(self, name: str, now: float) -> RateLimit:
        """Count a request of a sender.

        :param now: on its clock, in unix seconds
        """
        if now >= self._began + self.length:
            self._began = now // self.length * self.length if self.fixed else float(floor(now))
            self.windows.append({})
        used = self.windows[-1]
        refused = sum(used.values()) >= self.limit
        if not refused:
            used[name] = used.get(name, 0) + 1
        server_time = float(floor(now)) if self.tells_time else None
        reset = float(ceil(self._began + self.length))
        return RateLimit(self.limit, self.limit - sum(used.values()), None, reset, server_time, refused=refused)


@dataclass
class SimulatedSender:
    """Sends as a campaign does, as fast as its window allows.

    :param name: of its requests
    :param latency: seconds from a request to its answer, of which half are the way there
    :param most: requests in flight at most
    :param starts: seconds since the simulation began
    :param ends: likewise
    :param every: seconds between two requests where it has little to send
    :param ahead: seconds by which its clock is ahead of the server's
    :param reserve: of its window
    :ivar accepted: when, in seconds since the simulation began
    :ivar refused: likewise
    """

    name: str
    latency: float = 0.2
    most: int = 8
    starts: float = 0.0
    ends: float = inf
    every: float = 0.0
    ahead: float = 0.0
    reserve: float = 0.0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    _next_at: float = 0.0
    _asked: int = 0


class Simulation:
    """Senders before a server.

    :param server: that counts
    :param senders: that send
    :ivar now: seconds since it began
    """

    def __init__(self, server: LimitedServer, *senders: SimulatedSender) -> None:
        self.now = 0.0
        self.server = server
        self.windows = {one.name: self._window(one) for one in senders}
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        for one in senders:
            self._at(one.starts, lambda one=one: self._send(one))

    def run(self, until: float) -> Simulation:
        """Let time pass.

        :param until: seconds since it began
        """
        while self._events and self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = until
        return self

    def _window(self, sender: SimulatedSender) -> RateWindow:
        return RateWindow(lambda: STARTED + self.now + sender.ahead, reserve=sender.reserve)

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _send(self, sender: SimulatedSender) -> None:
        window = self.windows[sender.name]
        sender._asked += 1
        while window.in_flight < sender.most and self.now < sender.ends:
            pause = max(window.pause(), sender._next_at - self.now)
            if pause > 0:
                self._at(self.now + min(max(pause, 1e-6), TICK), lambda asked=sender._asked: self._wake(sender, asked))
                return
            window.leave()
            sender._next_at = self.now + sender.every
            self._at(self.now + sender.latency / 2, lambda: self._count(sender))

    def _wake(self, sender: SimulatedSender, asked: int) -> None:
        if asked == sender._asked:
            self._send(sender)

    def _count(self, sender: SimulatedSender) -> None:
        limit = self.server.answer(sender.name, STARTED + self.now)
        self._at(self.now + sender.latency / 2, lambda: self._land(sender, limit))

    def _land(self, sender: SimulatedSender, limit: RateLimit) -> None:
        (sender.refused if limit.refused else sender.accepted).append(self.now)
        self.windows[sender.name].land(limit)
        self._send(sender)
