# SPDX-License-Identifier: Apache-2.0
"""When an intent has to be written again before its request leaves, so that a superseded try is fenced off.

A try that hung between intent and request may have been followed by another one, whose writes came in between: its own
next write then fails, and the request does not leave.
"""

from __future__ import annotations

STALE_INTENT_SECONDS = 10.0


def is_stale(intended_at: float, now: float) -> bool:
    """Tell whether an intent is too old.

    :param intended_at: when it was written last, in seconds on a steady clock
    :param now: on the same clock
    """
    return now - intended_at > STALE_INTENT_SECONDS
