# SPDX-License-Identifier: Apache-2.0
"""When something happened: on the clock of the worker that saw it, with what is needed to tell it on the server's.

Two workers' clocks may be hours apart, and one of them may be set between two tries. So a moment is never read on
another clock than its own: with it stands how far the server's clock was ahead, as far as answers had told by then.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.steady_clock import elapsed

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN_SLACK = 86_400.0
"""Seconds by which a worker's clock may be wrong where nothing tells how far it was from the server's."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _boot_id() -> str:
    """Return what tells this machine since it started from any other; empty where nothing does."""
    try:
        return _BOOT_ID.read_text().strip().replace("-", "")[:16]
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class ClockIdentity:
    """Which clock it is.

    :param boot_id: of the machine since it started; empty where it is not known
    :param zero: the clock's time, in unix seconds, when the machine's steady clock was at 0
    """

    boot_id: str
    zero: float

    def ahead_of(self, other: ClockIdentity) -> float | None:
        """Return by how many seconds this clock is ahead of another one of the same machine; None where it is not."""
        return self.zero - other.zero if self.boot_id and self.boot_id == other.boot_id else None


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened.

    :param at: on the worker's clock, in unix seconds
    :param offset: the server's clock less the worker's, in seconds, as known then; None where no answer had told
    :param ahead: by how many seconds this worker's clock is ahead of that one, where both are the same machine's
    :param elapsed: the same moment on the steady clock, in seconds; only of use to the try that saw it
    """

    at: float
    offset: float | None = None
    ahead: float | None = None
    elapsed: float = field(default=0.0, compare=False)

    def window(self, offset: float | None) -> tuple[float, float]:
        """Return the earliest and the latest moment it can have been, on the server's clock in unix seconds.

        :param offset: the server's clock less this worker's, in seconds, as known now; None where it is not
        """
        if self.offset is not None:
            return self.at + self.offset, self.at + self.offset
        if self.ahead is None or offset is None:
            return self.at - UNKNOWN_SLACK, math.inf
        # A machine that was suspended, or a clock that was set since: both readings are possible.
        readings = self.at + offset, self.at + self.ahead + offset
        return min(readings), max(readings)


class WorkerClock:
    """The clock of this worker while a try lasts, and how far the server's is ahead of it.

    It is set once, when the try begins, and then goes on steadily: should somebody set the machine's clock meanwhile,
    no wait becomes longer or shorter, and what was learned of the server's clock stays true.

    :param now: the machine's clock in unix seconds, asked once
    :param elapsed: a steady clock in seconds
    :ivar offset: the server's clock less this one, in seconds; None where no answer has told
    """

    def __init__(self, now: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed) -> None:
        self.elapsed = elapsed
        self.identity = ClockIdentity(_boot_id(), now() - elapsed())
        self.offset: float | None = None

    def now(self) -> float:
        """Return this clock's time in unix seconds."""
        return self.identity.zero + self.elapsed()

    def learn(self, server_time: float | None) -> None:
        """Take in the server's clock, in unix seconds, as an answer that has just come tells it."""
        if server_time is not None:
            self.offset = server_time - self.now()

    def moment(self) -> Moment:
        """Return the present moment."""
        elapsed = self.elapsed()
        return Moment(self.identity.zero + elapsed, self.offset, 0.0, elapsed)
