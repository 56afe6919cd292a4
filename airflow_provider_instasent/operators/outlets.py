# SPDX-License-Identifier: Apache-2.0
"""Tell a campaign's counts to the DAGs that are scheduled on its assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset

if TYPE_CHECKING:
    from collections.abc import Mapping


def fill_outlets(operator: Any, context: Any, summary: Mapping[str, Any]) -> None:
    """Put counts into the `extra` of the operator's asset events; no phone numbers, no texts, no ids.

    :param operator: the operator, for its outlets
    :param context: the task's context
    :param summary: a campaign's summary
    """
    counts = {name: value for name, value in summary.items() if isinstance(value, int) and not isinstance(value, bool)}
    for outlet in operator.outlets or []:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra = dict(counts)
