# SPDX-License-Identifier: Apache-2.0
"""A clock that nobody sets while something waits by it."""

from __future__ import annotations

import time

_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Return seconds on a clock that nobody sets, and that goes on while the machine is suspended where that exists."""
    return time.clock_gettime(_ELAPSED)


class SteadyClock:
    """Unix seconds that go on steadily from when it was made, should somebody set the machine's clock meanwhile."""

    def __init__(self) -> None:
        self._zero = time.time() - elapsed()

    def __call__(self) -> float:
        """Return the time in unix seconds."""
        return self._zero + elapsed()
