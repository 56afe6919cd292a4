# SPDX-License-Identifier: Apache-2.0
"""Tell how far a campaign is, at sensible intervals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airflow_provider_instasent.planning.plan_progress import INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable


class SendProgress:
    """Logs messages settled, per second, and the estimated end.

    :param total: messages planned
    :param write: writes one line, such as `log.info`
    :param before: messages that were settled before this pass over the plan
    """

    def __init__(self, total: int, write: Callable[[str], object], before: int = 0) -> None:
        self._total = total
        self._before = before
        self._write = write
        self._began = self._last = time.monotonic()

    def __call__(self, settled: int) -> None:
        """Take in how many messages are settled in this pass, and log it where it is time to."""
        now = time.monotonic()
        if now - self._last < INTERVAL:
            return
        self._last = now
        rate = settled / (now - self._began)
        done = self._before + settled
        left = (self._total - done) / rate if rate else 0.0
        self._write(
            f"{done} of {self._total} messages settled, {rate:.0f} a second, about {max(0.0, left):.0f} s to go."
        )
