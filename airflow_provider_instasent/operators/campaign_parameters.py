# SPDX-License-Identifier: Apache-2.0
"""The parameters of a campaign: choices and `campaign_id`, while a DAG is parsed and when it runs."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.planning.choices import OnInvalid, OnPlanChange, OnUnconfirmed

if TYPE_CHECKING:
    from airflow_provider_instasent.operators.task_try import TaskTry


def check_campaign_parameters(operator: Any) -> None:
    """Check what an operator was given; those of its parameters that are numbers or lists are brought into one form.

    :param operator: with its parameters as attributes of their names
    :raises ValueError: names the parameter that is wrong
    """
    check_parameters(operator)
    given = vars(operator)
    for policy in (OnInvalid, OnUnconfirmed, OnPlanChange):
        if policy.parameter() in given:
            policy.check(given[policy.parameter()])
    _warn_of_campaign_without_path(given["campaign_id"], given["journal_path"])


def campaign_id_of(task_try: TaskTry, given: Any) -> str:
    """Return the campaign a task's messages belong to.

    :param task_try: this try of the task
    :param given: `campaign_id` as the user gave it, rendered; None for the default
    :raises ConfigurationError: where it is nothing to go by
    """
    if given is None:
        return task_try.owner
    if not isinstance(given, str) or not given.strip() or given == "None":
        raise ConfigurationError("`campaign_id` must be a string that is not empty; leave it out for the default")
    return given


def _warn_of_campaign_without_path(campaign_id: Any, journal_path: Any) -> None:
    """Warn of a literal `campaign_id` that reaches no further than the default would."""
    if journal_path is None and isinstance(campaign_id, str) and "{{" not in campaign_id and "{%" not in campaign_id:
        warnings.warn(
            f"`campaign_id` is {campaign_id!r} in each DAG run, but without `journal_path` no run knows what another "
            "one sent, so each sends again. Set `journal_path`, or leave `campaign_id` out.",
            UserWarning,
            # The line of the DAG file: these two functions, the constructor and Airflow's wrapper around it.
            stacklevel=5,
        )
