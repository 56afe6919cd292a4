# SPDX-License-Identifier: Apache-2.0
"""What a wait says in the log of a task or a triggerer while it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.waiting.delivery_watch import Watch

SECONDS_BETWEEN_CHANGES = 60.0
SECONDS_BETWEEN_REPEATS = 600.0


class WaitProgress:
    """Logs counts, never ids: at first, then when they changed, at most once a minute, else every ten minutes.

    :param write: writes one line, such as `log.info`
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._line = ""
        self._at = 0.0

    def __call__(self, watch: Watch) -> None:
        """Log what a watch knows, where it is time to."""
        now = time.monotonic()
        line = f"{watch.result()}." + (f" The last reads failed: {watch.last_error}." if watch.last_error else "")
        pause = SECONDS_BETWEEN_REPEATS if line == self._line else SECONDS_BETWEEN_CHANGES
        if not self._line or now - self._at >= pause:
            self._line, self._at = line, now
            self._write(line)
