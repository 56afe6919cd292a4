# SPDX-License-Identifier: Apache-2.0
"""How much a trigger may take over: Airflow stores its arguments, encrypted, in one column."""

from __future__ import annotations

import json

MOST_TRIGGER_IDS = 1_000
"""Ids a trigger can take over; more are read from a results file, or in turns."""

LARGEST_TRIGGER = 45_000
"""Characters of a trigger's arguments: encrypted they are a third longer, and MySQL's column holds 64 KB."""


def fits_trigger(*values: object) -> bool:
    """Tell whether JSON values are small enough for a trigger's arguments."""
    return len(json.dumps(values)) <= LARGEST_TRIGGER
