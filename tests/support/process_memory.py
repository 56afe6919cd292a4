# SPDX-License-Identifier: Apache-2.0

"""How much memory a process takes, looked at while it lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from psutil import Process

MIB = 2**20


@dataclass
class PeakMemory:
    """The most that was seen, in MiB.

    :param process: while it is gone, nothing more is seen.
    :ivar first: what was resident at the first look.
    :ivar resident: the most that was resident, pages shared with other processes included.
    :ivar proportional: the most of its own pages and its share of the shared ones.
    """

    process: Process
    first: float = 0.0
    resident: float = 0.0
    proportional: float = 0.0

    def look(self) -> None:
        """Take in what the process has now."""
        try:
            found = self.process.memory_full_info()
        except psutil.Error:
            return
        self.first = self.first or found.rss / MIB
        self.resident = max(self.resident, found.rss / MIB)
        self.proportional = max(self.proportional, found.pss / MIB)
