# SPDX-License-Identifier: Apache-2.0
"""A wait for one thing to become true, such as a balance. No sockets, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.poll_failures import MAX_POLL_FAILURES
from airflow_provider_instasent.waiting.polling import Polling

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a wait for something that has no counts of deliveries.

    :param ending: how it ended
    :param message: what happened and what to do
    :param result: what is known, JSON values
    :param final: whether trying again cannot help
    """

    ending: Ending
    message: str
    result: Mapping[str, Any] = field(default_factory=dict)
    final: bool = True


class Goal(Polling):
    """A wait for one thing to become true; subclasses say what, and what is known of it.

    :param max_poll_failures: sweeps in a row without a successful read after which it is an error
    """

    waits_for = ""
    """What it waits for, for the messages."""
    unaffected = ""
    """What a failed wait leaves as it was, a sentence."""

    def __init__(self, max_poll_failures: int = MAX_POLL_FAILURES) -> None:
        super().__init__()
        self.max_poll_failures = max_poll_failures

    def reached(self) -> Ended | None:
        """Return the end, where what was read brings it, good or bad."""
        raise NotImplementedError

    def result(self) -> dict[str, Any]:
        """Return what is known now, as JSON values."""
        raise NotImplementedError

    def conclude(self, now: float, deadline: float) -> Ended | None:
        """Tell how the wait ended, or None while it goes on: the one rule.

        :param now: unix seconds
        :param deadline: unix seconds
        """
        if (ended := self.reached()) is not None:
            return ended
        if self.refusal is not None:
            return self.failed(
                f"{self.refusal}. So far: {self}. {self.unaffected} Mend the connection, then clear this task."
            )
        if now >= deadline:
            trouble = f" The last reads failed: {self.last_error}." if self.last_error else ""
            return Ended(
                Ending.TIMEOUT,
                f"Timed out while waiting for {self.waits_for}: {self}.{trouble} {self.unaffected}",
                self.result(),
            )
        if self.failed_sweeps >= self.max_poll_failures:
            return self.failed(
                f"{self.failed_sweeps} sweeps in a row (`max_poll_failures`) read nothing: {self.last_error}. So far: "
                f"{self}. {self.unaffected}",
                final=False,
            )
        return None

    def failed(self, message: str, *, final: bool = True) -> Ended:
        """Return an end that is an error.

        :param message: what happened and what to do
        :param final: whether a retry cannot help
        """
        return Ended(Ending.ERROR, message, self.result(), final)
