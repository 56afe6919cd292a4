# SPDX-License-Identifier: Apache-2.0
"""What a campaign's operators check while a DAG is parsed, beside their parameters one by one."""

from __future__ import annotations

import warnings
from typing import Any

from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.planning.choices import OnInvalid, OnPlanChange, OnUnconfirmed


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
