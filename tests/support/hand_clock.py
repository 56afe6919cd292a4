# SPDX-License-Identifier: Apache-2.0
"""A clock that goes on only when a test says so."""

from __future__ import annotations

NOW = 1_000_000.0


class HandClock:
    """Seconds, as a call returns them.

    :ivar now: what it returns; set by hand
    """

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
