# SPDX-License-Identifier: Apache-2.0
"""The state of one sandbox, without HTTP: who may come in, what was accepted, what there is to spend."""

from __future__ import annotations

import math
from threading import RLock
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .faults import Fault, Faults
from .ledger import Ledger, Message
from .limits import RateLimiter
from .lookups import Lookups
from .requests_log import RequestLog
from .statuses import status_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .settings import Settings

UNLIMITED = 1_000_000.0
"""What an account without a balance setting shows as available."""


class Sandbox:
    """One local Instasent account.

    :param tokens: the Bearer tokens it takes
    :param settings: how it behaves until :meth:`configure` says otherwise
    """

    def __init__(self, tokens: Iterable[str], settings: Settings) -> None:
        self.tokens = frozenset(tokens)
        if not self.tokens or not all(self.tokens):
            raise ValueError("the sandbox needs a token that is not empty: every request must carry one")
        self._initial = settings
        self._lock = RLock()
        self.settings = settings
        self.clock = Clock()
        self.ledger = Ledger()
        self.lookups = Lookups()
        self.faults = Faults()
        self.requests = RequestLog()
        self.limiter = RateLimiter()
        self._spent = 0.0
        self.in_flight = 0

    def configure(self, **changes: Any) -> Settings:
        """Change settings from now on. Setting ``balance`` sets what is left to spend.

        :param changes: fields of :class:`.settings.Settings`
        :raises ValueError: for a name that is none, or a value that does not fit; nothing is changed then
        """
        with self._lock:
            self.settings = self.settings.changed(changes)
            if "balance" in changes:
                self._spent = 0.0
            return self.settings

    def reset(self) -> None:
        """Forget all that came, faults, windows and spending; restore the first settings and the clock."""
        with self._lock:
            self.settings = self._initial
            self.clock.advance(math.inf)  # lets go whoever still waits for it
            self.clock = Clock()
            self.in_flight = 0
            self.ledger.clear()
            self.lookups.clear()
            self.faults.clear()
            self.requests.clear()
            self.limiter = RateLimiter()
            self._spent = 0.0

    def count_in_flight(self, change: int, clock: Clock) -> None:
        """Count a request that comes or goes; one that came before the last reset counts no more.

        :param change: 1 or -1
        :param clock: what the time was told by when it came
        """
        with self._lock:
            if clock is self.clock:
                self.in_flight += change

    def put_before(self, count: int, newest: float = 3600.0, oldest: float = 7200.0) -> None:
        """Let so many SMS have been accepted before all others.

        :param count: how many
        :param newest: age of the last of them, in seconds
        :param oldest: age of the first
        :raises ValueError: where something was accepted already
        """
        now = self.clock.now()
        self.ledger.put_before(count, now - newest, now - oldest)

    def arm(self, fault: Fault) -> None:
        """Arm a fault, see :mod:`.faults`."""
        self.faults.arm(fault)

    @property
    def available(self) -> float:
        """What is left to spend."""
        balance = self.settings.balance
        return UNLIMITED if balance is None else balance - self._spent

    def charge(self, price: float) -> None:
        """Take from what is left to spend.

        :param price: how much
        """
        self._spent += price

    def server_time(self) -> float:
        """Unix time in seconds, as this server believes it to be."""
        return self.clock.wall(self.clock.now(), self.settings.clock_skew)

    def status_of(self, message: Message) -> str:
        """The present status of an accepted message."""
        return status_at(message.to, self.clock.now() - message.accepted_at, self.settings)
