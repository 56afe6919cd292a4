# SPDX-License-Identifier: Apache-2.0
"""Waiting for what another thread, process or server does, not for so many seconds in which it should be done."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LONG = float(os.environ.get("LONG_SECONDS", "300"))
"""Seconds after which a wait is taken for a hang, however busy the machine. It only ends what would never end."""

_LOOK = 0.005


def wait_until(ask: Callable[[], T], what: str = "it", seconds: float = LONG, look: float = _LOOK) -> T:
    """Ask until the answer is true, and return it.

    :param ask: called again and again
    :param what: what is waited for, for the error
    :param seconds: when it is given up
    :param look: seconds between two questions
    """
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"this never came: {what}"
        time.sleep(look)
    return answer


async def until(ask: Callable[[], T], what: str = "it") -> T:
    """Do the same on an event loop, which goes on meanwhile."""
    async with asyncio.timeout(LONG):
        while not (answer := ask()):  # noqa: ASYNC110 - other threads change it
            await asyncio.sleep(_LOOK)
    return answer
