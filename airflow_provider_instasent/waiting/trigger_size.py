# SPDX-License-Identifier: Apache-2.0
"""How much a trigger may take over: Airflow stores its arguments, encrypted, in one column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TRIGGER_IDS = 1_000
"""Ids a trigger can take over; more are read from a results file, or in turns."""

LARGEST_TRIGGER = 45_000
"""Characters of a trigger's arguments: encrypted they are a third longer, and MySQL's column holds 64 KB."""


def fits_trigger(*values: object) -> bool:
    """Tell whether JSON values are small enough for a trigger's arguments."""
    return len(json.dumps(values)) <= LARGEST_TRIGGER


def check_fits_trigger(ids: Sequence[str], memory: object) -> None:
    """Check that ids and a watch's memory are small enough for a trigger's arguments.

    :raises ValueError: says how many ids there are
    """
    if not fits_trigger(ids, memory):
        raise ValueError(f"a trigger can carry about {MOST_TRIGGER_IDS} ids, and these are {len(ids)}")
