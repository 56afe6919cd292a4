# SPDX-License-Identifier: Apache-2.0
"""What all sequences of a process share."""

from __future__ import annotations

from model.adversary import Adversary
from model.clock import EPOCH, Clock
from model.habits import Habits
from model.wire import Wire


class World:
    """What all campaigns of this process share: the clock that the product reads, and the socket it talks to.

    :ivar sequences: how many there were
    :ivar steps: how many they had
    :ivar found: the first broken promise, and the sequence and step at which it was seen
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.api = Adversary(self.clock, Habits())
        self.wire = Wire(lambda request: self.api.answer(request))  # noqa: PLW0108 - each sequence has an API of its own
        self.begin_search()

    def begin_search(self) -> None:
        self.sequences = self.steps = 0
        self.found: tuple[str, int, int] | None = None

    def begin(self, habits: Habits) -> Adversary:
        """Begin a sequence: the same time again, another API at the same socket."""
        self.clock.now, self.clock.skew, self.clock.booted, self.clock.boot_id = EPOCH, 0.0, EPOCH, ""
        self.api = Adversary(self.clock, habits)
        self.sequences += 1
        return self.api
