# SPDX-License-Identifier: Apache-2.0
"""The parameters that operators, sensors, triggers and the notifier take, and how each is checked.

Names that a user types everywhere mean the same everywhere, so there is one check for each.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import parameter_checks
from airflow_provider_instasent.api.errors import InstasentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, value: None if value is None else check(name, value)


def _duration(check: Callable[[str, Any], float]) -> Callable[[str, Any], float]:
    """Return a check of a duration, which may be a timedelta and becomes seconds."""
    return lambda name, value: check(name, value.total_seconds() if isinstance(value, timedelta) else value)


PARAMETERS: dict[str, Callable[[str, Any], Any]] = {
    "allow_unicode": _optional(parameter_checks.boolean),
    "deduplicate": parameter_checks.boolean,
    "deferrable": parameter_checks.boolean,
    "max_invalid_ratio": parameter_checks.ratio,
    "max_in_flight": parameter_checks.optional_whole,
    "max_messages": parameter_checks.optional_whole,
    "max_pages": parameter_checks.optional_whole,
    "max_parts": parameter_checks.whole,
    "max_poll_failures": parameter_checks.whole,
    "max_polls_per_minute": parameter_checks.optional_whole,
    "max_rejected_ratio": parameter_checks.ratio,
    "max_total_parts": parameter_checks.optional_whole,
    "max_xcom_ids": parameter_checks.whole,
    "max_xcom_rows": parameter_checks.whole,
    "min_delivered_ratio": parameter_checks.ratio,
    "pending_statuses": parameter_checks.statuses,
    "per_page": parameter_checks.whole,
    "poke_interval": _duration(parameter_checks.positive),
    "poll_interval": _duration(parameter_checks.positive),
    "success_statuses": parameter_checks.statuses,
    "timeout": _duration(parameter_checks.positive),
    "unconfirmed_grace": _duration(parameter_checks.not_negative),
    "wait": parameter_checks.boolean,
    "wait_for_delivery": parameter_checks.boolean,
}
"""What operators, sensors, triggers and the notifier take, and how each is checked while a DAG is parsed."""


@contextmanager
def naming_the_task(task_id: object) -> Iterator[None]:
    """Have errors of a constructor say whose it is: of a DAG file that cannot be parsed Airflow shows only the error.

    :param task_id: as it was given
    """
    try:
        yield
    except (ValueError, InstasentError) as error:
        error.args = (f"task `{task_id}`: {error}", *error.args[1:])
        raise


def checked(name: str, value: Any) -> Any:
    """Return the value of one parameter in the form that we use, durations in seconds.

    :param name: a key of :data:`PARAMETERS`
    :raises ValueError: names it
    """
    return PARAMETERS[name](name, value)


def check_parameters(holder: Any) -> None:
    """Check the attributes of an object that are parameters of these names, and bring them into one form.

    :param holder: an operator, a sensor, a trigger or a notifier
    :raises ValueError: names the parameter that is wrong
    """
    given = vars(holder)
    for name, check in PARAMETERS.items():
        if name in given:
            setattr(holder, name, check(name, given[name]))
