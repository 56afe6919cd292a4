# SPDX-License-Identifier: Apache-2.0
"""How often a wait looks: less often, the longer nothing has changed."""

from __future__ import annotations

SHARE_OF_SILENCE = 0.1
"""Share of the time since the last change after which a wait looks again, where that is longer than was asked for."""

LONGEST_TIMES = 10
"""Times the interval that was asked for, beyond which it does not grow."""


def interval_after(asked: float, silent_for: float) -> float:
    """Return the seconds until the next sweep.

    A message that has not moved for an hour is not urgent to the half minute; one that was just sent is.

    :param asked: what the user asked for, in seconds
    :param silent_for: seconds since anything changed
    """
    return max(asked, min(silent_for * SHARE_OF_SILENCE, asked * LONGEST_TIMES))
