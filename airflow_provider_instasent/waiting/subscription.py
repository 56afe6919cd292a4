# SPDX-License-Identifier: Apache-2.0
"""One wait at the reader of its account: what of it is still to be asked for, and when it looks next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT
from airflow_provider_instasent.waiting.list_positions import PAGE
from airflow_provider_instasent.waiting.pace import interval_after

if TYPE_CHECKING:
    from airflow_provider_instasent.waiting.accepted_times import Stretch
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.delivery_watch import Watch

LAST_LOOK = 150.0
"""Seconds after the deadline for a last sweep to end: the longest pause of a rate limit, and time to read."""


MOST_GATHERING = 3.0
"""The most seconds by which the first look of a small wait is put off."""


class Subscription:
    """A watch that a reader feeds.

    To make one takes time with many messages; it may be done on any thread.

    :param watch: takes in what is read; its first sweep is at `watch.next_sweep`
    :param deadline: unix seconds; when it is over already, there is one sweep all the same
    :param poll_interval: seconds between two sweeps; longer while nothing changes
    :param polls_per_minute: the most reads a minute while this wait lasts; None for the reader's
    :ivar unplaced: ids whose place in the list is not known, by when they were accepted
    :ivar unlisted: ids that the list did not show where they should be: they are read one by one
    :ivar left: ids that this sweep still has to ask for, in the order of the batch
    :ivar in_sweep: whether a sweep is under way
    :ivar sweeps: how many have ended
    :ivar joined_at: when it came to its reader, in unix seconds
    :ivar is_probed: whether messages were read to learn when all of them were accepted
    :ivar next_search: sweeps after which the list is searched again for what it did not show
    :ivar requests: how many requests were made by the reader while this wait was in a sweep
    """

    def __init__(
        self, watch: Watch, *, deadline: float, poll_interval: float, polls_per_minute: int | None = None
    ) -> None:
        self.watch = watch
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.polls_per_minute = polls_per_minute
        self.unplaced: dict[Stretch, dict[str, None]] = {
            stretch: dict.fromkeys(ids) for stretch, ids in watch.stretches().items()
        }
        self.unlisted: dict[str, None] = {}
        self.left: dict[str, None] = {}
        self.in_sweep = False
        self.sweeps = 0
        self.requests = 0
        self.joined_at = math.inf
        self.is_probed = False
        self.next_search = 1
        self._succeeded = False
        self._changed_at: float | None = None
        self._began_at = self._swept_at = self._failed_at = self._blocked_until = -math.inf

    def join(self, now: float) -> None:
        """Come to a reader; a rate limit that was met before puts off the first look.

        :param now: unix seconds
        """
        self.joined_at = now
        self._blocked_until = min(self.watch.blocked_until, now + LONGEST_RESET_WAIT)

    def begin_sweep(self, now: float) -> None:
        """Begin to ask for all that is pending."""
        self.in_sweep = True
        self._began_at = now
        self._changed_at = now if self._changed_at is None else self._changed_at
        self.left = dict.fromkeys(self.watch.pending)

    def answered(self) -> None:
        """Take in that a read for this wait succeeded."""
        self._succeeded = True

    def sweep_failed(self, now: float) -> None:
        """Take in that the API does not answer; the sweep goes on after a pause, where it is.

        It counts once an interval of this wait's, however short the pauses are that another one asks for.
        """
        if self._succeeded or now - self._failed_at >= self.poll_interval:
            self.watch.sweep_ended(succeeded=self._succeeded)
            self._failed_at = now
        self._succeeded = False
        self._look_again(now)

    def end_sweep(self, now: float) -> None:
        """Take in that all was asked for."""
        self.in_sweep = False
        self.left = {}
        self.sweeps += 1
        self._swept_at = now
        self.watch.sweep_ended(succeeded=self._succeeded)
        self._succeeded = False
        self._look_again(now)

    def _look_again(self, now: float) -> None:
        if self.watch.changed or self._changed_at is None:
            self._changed_at = now
        self.watch.changed = False
        interval = interval_after(self.poll_interval, now - self._changed_at)
        # A sweep that took longer than that is followed by the next one.
        self.watch.next_sweep = max(now, self._began_at + interval)

    def shift(self, seconds: float) -> None:
        """Take deadline and next look, which the machine's clock told, for so many seconds later."""
        self.deadline += seconds
        self.watch.next_sweep += seconds
        self.watch.blocked_until += seconds

    def look_after(self, seconds: float) -> None:
        """Look next so many seconds after the last sweep, where there was one."""
        if self.sweeps:
            self.watch.next_sweep = self._swept_at + seconds

    @property
    def pause(self) -> float:
        """The seconds between the last sweep and the next look."""
        return max(0.0, self.next_look() - self._swept_at) if self.sweeps else 0.0

    def is_due(self, now: float) -> bool:
        """Tell whether to look: the interval is over, or the deadline and there was no look since."""
        return not self.in_sweep and now >= self.next_look()

    def next_look(self) -> float:
        """Return when to look next, in unix seconds; the last time is at the deadline."""
        look = self.watch.next_sweep if self._swept_at >= self.deadline else min(self.watch.next_sweep, self.deadline)
        return max(look, self._blocked_until)

    def look_at(self, gather: float) -> float:
        """Return when to look, in unix seconds: a small wait first waits a little for others like it.

        :param gather: share of its interval by which its first look is put off
        """
        if self.sweeps or self.watch.count_pending() > PAGE:
            return self.next_look()
        return max(self.next_look(), self.joined_at) + min(gather * self.poll_interval, MOST_GATHERING)

    @property
    def gives_up_at(self) -> float:
        """When the last look is given up, in unix seconds."""
        return max(self.deadline, self.joined_at) + LAST_LOOK

    def conclude(self, now: float, *, is_paused: bool, sits_out: bool = True) -> Conclusion | None:
        """Tell how the wait ended, or None while it goes on.

        :param now: unix seconds
        :param is_paused: whether the reader may not read at present
        :param sits_out: whether the last look comes after a pause; else there is none where the reader is paused
        """
        watch = self.watch
        is_late = now >= self.gives_up_at
        if self.in_sweep and not is_paused and not is_late and watch.refusal is None and watch.has_pending:
            return None
        has_looked = is_late or (is_paused and not sits_out) or self._swept_at >= self.deadline
        return watch.conclude(now, self.deadline if has_looked else math.inf)
