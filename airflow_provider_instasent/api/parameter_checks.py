# SPDX-License-Identifier: Apache-2.0
"""Checks of plain values, each error naming the parameter, so that bad input ends before any request."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from airflow_provider_instasent.api.statuses import normalise_status


def positive(name: str, value: Any) -> float:
    """Return a finite number above 0.

    :raises ValueError: names the parameter
    """
    if not _is_number(value) or value <= 0:
        raise ValueError(f"`{name}` must be a number above 0")
    return float(value)


def not_negative(name: str, value: Any) -> float:
    """Return a finite number, 0 or more.

    :raises ValueError: names the parameter
    """
    if not _is_number(value) or value < 0:
        raise ValueError(f"`{name}` must be a number, 0 or more")
    return float(value)


def whole(name: str, value: Any) -> int:
    """Return a whole number of at least 1.

    :raises ValueError: names the parameter
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be a whole number, 1 or more")
    return value


def optional_whole(name: str, value: Any) -> int | None:
    """Return a whole number of at least 1, or None where there is no bound.

    :raises ValueError: names the parameter
    """
    return None if value is None else whole(name, value)


def ratio(name: str, value: Any) -> float:
    """Return a number from 0 to 1.

    :raises ValueError: names the parameter
    """
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number from 0 to 1")
    return float(value)


def boolean(name: str, value: Any) -> bool:
    """Return true or false; "False" from a form or a variable is neither.

    :raises ValueError: names the parameter
    """
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be true or false")
    return value


def statuses(name: str, value: Any) -> tuple[str, ...]:
    """Return delivery statuses as they are compared: stripped, lower case.

    :raises ValueError: names the parameter
    """
    if isinstance(value, str) or not isinstance(value, Collection) or not value:
        raise ValueError(f'`{name}` must be a list of statuses, such as ["delivered"]')
    normalised = tuple(normalise_status(status) for status in value)
    if not all(normalised):
        raise ValueError(f"`{name}` must hold statuses that are strings and not empty")
    return normalised


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
