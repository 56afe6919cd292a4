# SPDX-License-Identifier: Apache-2.0
"""When the next request may leave: what answers told of the rate limit's window, shared evenly with others."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.rate_limit import RateLimit

MARGIN = 0.02
"""Seconds waited beyond a reset, for the way there."""

MEMORY = 3
"""Others are taken to be there still for so many windows after the last one in which they were seen."""

_MOST_EXPECTED = 0.05
"""The largest share of the limit that is left to requests of others of which no answer has told yet."""

_CATCH_UP = 0.1
"""The share of the limit that is used at once by one who is far behind others."""

_DOOR = 0.02
"""The share of the limit that is spread even by one who is alone: so one who comes later gets through, and is seen."""

_ROUGHLY = 2.0
"""Seconds by which the end of one window wavers where answers tell how far it is away, in whole seconds."""

_TOO_EARLY = 1.0
"""Seconds by which our clock is put back where a window went on that it took for ended."""


class RateWindow:
    """What is known of the current window of one endpoint. No sockets, no threads, no sleeping.

    Requests that have left and are not answered are counted as if the last answer had not known of them, so the
    window is never overdrawn. What was used beyond our own requests was used by others. Without others, requests
    leave as fast as they can. With others, what remains is spread over the rest of the window, by the same rule for
    everyone and whatever was used before, so that everyone comes to the same share and the window is used up.

    :param clock: our clock in unix seconds
    :param reserve: the share of the limit, 0 to 1, that is left to others in each window
    :ivar limit: requests a window, as told; None until then
    :ivar in_flight: requests that have left and are not over
    """

    def __init__(self, clock: Callable[[], float], *, reserve: float = 0.0) -> None:
        self.limit: int | None = None
        self.in_flight = 0
        self._clock = clock
        self._reserve = reserve
        self._left_at = 0.0
        self._held_until = 0.0
        self._offset: float | None = None
        self._lower_offsets = 0
        self._reset_at: float | None = None
        self._is_cut = False
        # What follows is of the current window, of which no answer may have told yet. Its end is on the server's clock.
        self._told = False
        self._ends_at = 0.0
        self._remaining: int | None = None
        self._own = 0
        self._others = 0
        self._length = 0.0
        self._stragglers = 0
        self._windows_alone = MEMORY
        self._was_used_up = False

    def pause(self) -> float:
        """Return the seconds until the next request may leave, 0 for now. A request that lands may shorten them."""
        held = self._held_until - self._clock()
        # More than that was never asked for: our clock was set back.
        return max(self._pause_of_window(), held if held <= LONGEST_RESET_WAIT else 0.0)

    def _pause_of_window(self) -> float:
        if self._remaining is not None and self._ends_at + MARGIN <= self._server_now():
            self._begin_untold()
        if self._remaining is None:
            return 0.0
        until_reset = self._ends_at - self._server_now()
        free = self._free(self._remaining)
        if free <= 0:
            return until_reset + MARGIN
        if self._is_cut or not self._is_spread(free):
            return 0.0
        since_left = max(0.0, self._clock() - self._left_at)
        # One part more than there are requests, so that the last of them is still within the window.
        return max(0.0, (since_left + until_reset) / (free + 1) - since_left)

    def leave(self) -> None:
        """Count a request as in flight."""
        self.in_flight += 1
        self._left_at = self._clock()

    def land(self, limit: RateLimit | None, *, counted: bool = False) -> None:
        """Count a request as over.

        :param limit: what the answer said, or None where there was no answer
        :param counted: without an answer: whether the request may have left, and so have been counted
        """
        self.in_flight -= 1
        if limit is not None:
            self._learn(limit)
            if limit.refused and not limit.reset_in and limit.retry_in:
                # No window is told of, but that nothing gets through for so long.
                self._held_until = max(self._held_until, self._clock() + min(limit.retry_in, LONGEST_RESET_WAIT))
        elif counted:
            self._own += 1
            if self._remaining:
                self._remaining -= 1
        self._stragglers = max(0, self._stragglers - 1)

    def _free(self, remaining: int) -> float:
        limit = self.limit or 0
        free = remaining - self.in_flight - limit * self._reserve
        if self._is_shared():
            # Since our last answer others will have used as much to one of our requests as before.
            free -= round(min(self._others / max(1, self._own), limit * _MOST_EXPECTED))
        return free

    def _is_spread(self, free: float) -> bool:
        """Return whether what is free is spread over the window, and not used at once."""
        limit = self.limit or 0
        if self._is_shared():
            # Others may not know of us yet, and use all of the window at once.
            return self._own + self.in_flight >= min(self._others / 2, limit * _CATCH_UP)
        return self._was_used_up and limit > 1 and free <= ceil(limit * _DOOR)

    def _is_shared(self) -> bool:
        return self._others > 0 or self._windows_alone < MEMORY

    def _server_now(self) -> float:
        return self._clock() + (self._offset or 0.0)

    def _learn(self, limit: RateLimit) -> None:
        if limit.server_time is not None:
            # The header has whole seconds, so each offset is too low by up to one: the highest is the best.
            self._learn_offset(limit.server_time - self._clock())
        reset_at = self._same_reset(limit)
        if limit.remaining is None or reset_at is None or self._is_late(reset_at):
            return
        self.limit = limit.limit
        if not self._told or reset_at != self._reset_at:
            self._begin(reset_at, told_time=limit.server_time is not None)
            self._remaining = limit.remaining
        elif self._remaining is not None:
            self._remaining = min(self._remaining, limit.remaining)
        self._own += not limit.refused
        if limit.limit is not None:
            self._others = max(self._others, limit.limit - limit.remaining - self._own - self.in_flight)

    def _learn_offset(self, offset: float) -> None:
        """Take the highest, unless two answers in a row tell that a clock was set, or that one of them was wrong."""
        self._lower_offsets = self._lower_offsets + 1 if self._offset is not None and offset < self._offset - 2 else 0
        if self._offset is None or offset > self._offset or self._lower_offsets > 1:
            self._offset, self._lower_offsets = offset, 0

    def _same_reset(self, limit: RateLimit) -> float | None:
        """Return when the window ends, in the same words as before where it is the same window."""
        if limit.reset_at is None or self._reset_at is None or not limit.is_rough:
            return limit.reset_at
        return self._reset_at if abs(limit.reset_at - self._reset_at) <= _ROUGHLY else limit.reset_at

    def _is_late(self, reset_at: float) -> bool:
        """Return whether an answer is of a window that is over."""
        if self._reset_at is None:
            return False
        if reset_at == self._reset_at:
            return not self._told and self._stragglers > 0
        return reset_at < self._reset_at <= self._server_now() + LONGEST_RESET_WAIT

    def _begin(self, reset_at: float, *, told_time: bool) -> None:
        """Begin the window that an answer told of.

        :param reset_at: its end on the server's clock, in unix seconds
        :param told_time: whether the answer told the server's time
        """
        now = self._clock()
        if self._told:
            self._close()
        if not told_time and self._reset_at is not None:
            # Without the server's time, that one window is over and another is not tells something of its clock.
            if reset_at == self._reset_at and not self._is_cut:
                self._offset = reset_at - now - _TOO_EARLY
            elif reset_at > self._reset_at:
                self._offset = max(self._offset or 0.0, self._reset_at - now)
        self._told, self._reset_at = True, reset_at
        # A reset that lies farther ahead is wrong, or not worth waiting for without asking again.
        self._ends_at = min(reset_at, self._server_now() + LONGEST_RESET_WAIT)
        self._is_cut = self._ends_at < reset_at
        self._length = max(self._length, self._ends_at - self._server_now())

    def _begin_untold(self) -> None:
        """Begin the window after one that is over by our clock; until an answer tells of it, it is as long as any."""
        if self._told:
            self._close()
            self._stragglers = self.in_flight
        self._told, self._ends_at = False, self._server_now() + self._length
        self._remaining = self.limit

    def _close(self) -> None:
        self._windows_alone = 0 if self._others > 0 else self._windows_alone + 1
        self._was_used_up = self._was_used_up or self._remaining == 0
        self._own = self._others = 0
