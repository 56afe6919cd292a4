# SPDX-License-Identifier: Apache-2.0
"""Checks of parameters, each error naming the parameter, so that bad input ends before any request.

Names that a user types everywhere mean the same everywhere, so `PARAMETERS` has one check for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
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


def _optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, value: None if value is None else check(name, value)


PARAMETERS: dict[str, Callable[[str, Any], Any]] = {
    "allow_unicode": _optional(boolean),
    "deduplicate": boolean,
    "deferrable": boolean,
    "max_in_flight": optional_whole,
    "max_messages": optional_whole,
    "max_pages": optional_whole,
    "max_parts": whole,
    "max_poll_failures": whole,
    "max_polls_per_minute": whole,
    "max_rejected_ratio": ratio,
    "max_total_parts": optional_whole,
    "max_xcom_ids": whole,
    "max_xcom_rows": whole,
    "min_delivered_ratio": ratio,
    "pending_statuses": statuses,
    "per_page": whole,
    "poll_interval": positive,
    "success_statuses": statuses,
    "timeout": positive,
    "unconfirmed_grace": not_negative,
    "wait": boolean,
    "wait_for_delivery": boolean,
}
"""What operators, sensors, triggers and the notifier take, and how each is checked while a DAG is parsed."""


def check_parameters(holder: Any) -> None:
    """Check the attributes of an object that are parameters of these names, and bring them into one form.

    :param holder: an operator, a sensor, a trigger or a notifier
    :raises ValueError: names the parameter that is wrong
    """
    given = vars(holder)
    for name, check in PARAMETERS.items():
        if name in given:
            setattr(holder, name, check(name, given[name]))
