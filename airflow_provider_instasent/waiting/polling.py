# SPDX-License-Identifier: Apache-2.0
"""What every wait by polling has in common, whatever it waits for. No sockets, no clock.

A *sweep* asks once for all that is pending. When the next one is due, and when a rate limit forbids it.
"""

from __future__ import annotations

from airflow_provider_instasent.waiting.poll_failures import PollFailures


class Polling(PollFailures):
    """How a wait goes on.

    :ivar next_sweep: unix seconds of the next sweep
    """

    def __init__(self) -> None:
        super().__init__()
        self.next_sweep = 0.0

    def pause(self, now: float, deadline: float) -> float:
        """Return the seconds until there is something to do: the next sweep, or the deadline.

        :param now: unix seconds
        :param deadline: unix seconds
        """
        return max(0.0, min(max(self.next_sweep, self.blocked_until), deadline) - now)

    def may_sweep(self, now: float) -> bool:
        """Tell whether no rate limit forbids a sweep.

        :param now: unix seconds
        """
        return now >= self.blocked_until
