# SPDX-License-Identifier: Apache-2.0
"""What a wait says in the log of a task or a triggerer while it goes on."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.waiting.delivery_watch import Watch
    from airflow_provider_instasent.waiting.subscription import Subscription

log = logging.getLogger(__name__)

SECONDS_BETWEEN_CHANGES = 60.0
"""The least seconds between two lines about counts that changed."""

SECONDS_BETWEEN_REPEATS = 600.0
"""Seconds between two lines where nothing changed."""


def warn_of_unknown_words(watch: Watch) -> None:
    """Log status words that nobody has documented, each once a wait; for whoever waits, in whose log it belongs."""
    while watch.unlogged_words:
        log.warning(
            "Unknown delivery status %r: it counts as pending. If it means success, add it to `success_statuses`.",
            watch.unlogged_words.pop(0),
        )


class WaitProgress:
    """Logs counts, requests and the next look, never ids: at first, then when counts changed, at most once a minute,
    else every ten minutes.

    :param write: writes one line, such as `log.info`
    :param clock: any steady clock, in seconds
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._line = ""
        self._at = 0.0

    def __call__(self, wait: Subscription) -> None:
        """Log what a wait knows, where it is time to."""
        now, watch = self._clock(), wait.watch
        line = f"{watch.result()}." + (f" The last reads failed: {watch.last_error}." if watch.last_error else "")
        pause = SECONDS_BETWEEN_REPEATS if line == self._line else SECONDS_BETWEEN_CHANGES
        if not self._line or now - self._at >= pause:
            self._line, self._at = line, now
            self._write(f"{line} {wait.requests} requests so far; it looks again in {wait.pause:.0f} s.")
