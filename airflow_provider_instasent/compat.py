# SPDX-License-Identifier: Apache-2.0

"""What differs between Airflow versions and has no name in Airflow's own common-compat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow import __version__

if TYPE_CHECKING:
    import os
    from datetime import datetime


def airflow_version() -> str:
    """Return the version of the Airflow that runs this, such as `3.3.2`."""
    return str(__version__)


def never_expire() -> Any:
    """Return the retention of what the task state store keeps for ever (Airflow 3.3+, like the store itself)."""
    from airflow.sdk import NEVER_EXPIRE  # type: ignore[attr-defined]  # noqa: PLC0415 - absent before Airflow 3.3

    return NEVER_EXPIRE


def first_start(sensor: Any, context: Any) -> datetime | None:
    """Return when a rescheduled sensor first poked, or None where this is the first time.

    :param sensor: the sensor
    :param context: the task's context
    """
    ti = context["ti"]
    if hasattr(ti, "get_first_reschedule_date"):  # Airflow 3
        found: datetime | None = ti.get_first_reschedule_date(context)
        return found
    from airflow.sensors.base import (  # type: ignore[import-not-found]  # noqa: PLC0415 - Airflow 2 only
        _orig_start_date,
    )

    first_try = (ti.max_tries or 0) - (sensor.retries or 0) + 1
    started: datetime | None = _orig_start_date(
        dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, map_index=ti.map_index, try_number=first_try
    )
    return started


def is_deferral_timeout(error: BaseException) -> bool:
    """Tell whether a deferred task is resumed because the triggerer gave no answer in time.

    Airflow 3 has an exception for it, which its sensors turn into their own timeout; Airflow 2 only has words.
    """
    return type(error).__name__ in {"TaskDeferralTimeout", "AirflowSensorTimeout"} or (
        type(error).__name__ == "TaskDeferralError" and str(error) == "Trigger/execution timeout"
    )


def storage_path(path: str | os.PathLike[str]) -> Any:
    """Return a path, local or on any object storage.

    :param path: a path or a URL such as `s3://bucket/folder`
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath  # noqa: PLC0415 - loads fsspec

    return ObjectStoragePath(str(path))
