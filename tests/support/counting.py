# SPDX-License-Identifier: Apache-2.0
"""Counters that tests can read, from whichever thread they were counted."""

from __future__ import annotations

import threading
from collections import Counter


class Counted:
    """Keeps what was counted.

    :ivar counts: by name; what was counted as 0 is not there
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str, number: int = 1) -> None:
        """Add to a counter."""
        if number:
            with self._lock:
                self.counts[name.removeprefix("instasent.")] += number
