# SPDX-License-Identifier: Apache-2.0

"""A place for crash points that tasks can pass."""

from __future__ import annotations


class Checkpoint:
    """Passed by number."""

    def __init__(self) -> None:
        self.passed: list[int] = []

    def cross(self, number: int) -> None:
        """Take note of a passage."""
        self.passed.append(number)
