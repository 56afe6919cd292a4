# SPDX-License-Identifier: Apache-2.0
"""How long waits last where the user does not say."""

from __future__ import annotations

DELIVERY_TIMEOUT = 49 * 60 * 60
"""Seconds to wait for delivery: `expired` comes after up to 48 h (confirmed)."""

LOOKUP_TIMEOUT = 60 * 60
"""Seconds to wait for lookups; how long they take is unknown."""

BALANCE_TIMEOUT = 24 * 60 * 60
"""Seconds to wait for a balance: somebody has to top it up."""

TRIGGERER_SLACK = 240.0
"""Seconds after the deadline for a triggerer to say so itself, with the counts; longer than its last look."""
