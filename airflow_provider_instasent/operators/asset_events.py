# SPDX-License-Identifier: Apache-2.0
"""What a campaign tells the DAGs that are scheduled on its assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.compat import Asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_instasent.operators.task_try import TaskTry


def fill_asset_events(task_try: TaskTry, outlets: Iterable[Any], summary: Mapping[str, Any]) -> None:
    """Put counts into the `extra` of asset events; no phone numbers, no texts, no ids.

    :param task_try: this try of the task
    :param outlets: the operator's
    :param summary: a campaign's summary
    """
    counts = {name: value for name, value in summary.items() if type(value) is int}
    for outlet in outlets:
        if isinstance(outlet, Asset):
            task_try.outlet_events[outlet].extra = dict(counts)
