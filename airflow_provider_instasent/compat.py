# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PLC0414 - `X as X` says to type checkers that a name is given on

"""What differs between Airflow versions: where its names are, and what has no name in Airflow's own common-compat.

Airflow's constraints pin common-compat as of the Airflow's release, and what it knew then differs: nothing of
`common.compat.sdk` below 1.8 (Airflow 3.0), `determine_kwargs` from 1.14.1 on. It is asked first, because it alone can
know Airflows that are to come. What it does not know is looked for where Airflow 2.11 and newer have it.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow import __version__

if TYPE_CHECKING:
    import os

    from airflow.providers.common.compat.sdk import DAG as DAG
    from airflow.providers.common.compat.sdk import AirflowException as AirflowException
    from airflow.providers.common.compat.sdk import AirflowFailException as AirflowFailException
    from airflow.providers.common.compat.sdk import AirflowNotFoundException as AirflowNotFoundException
    from airflow.providers.common.compat.sdk import AirflowSensorTimeout as AirflowSensorTimeout
    from airflow.providers.common.compat.sdk import AirflowSkipException as AirflowSkipException
    from airflow.providers.common.compat.sdk import AirflowTaskTimeout as AirflowTaskTimeout
    from airflow.providers.common.compat.sdk import Asset as Asset
    from airflow.providers.common.compat.sdk import BaseHook as BaseHook
    from airflow.providers.common.compat.sdk import BaseNotifier as BaseNotifier
    from airflow.providers.common.compat.sdk import BaseOperator as BaseOperator
    from airflow.providers.common.compat.sdk import BaseSensorOperator as BaseSensorOperator
    from airflow.providers.common.compat.sdk import Connection as Connection
    from airflow.providers.common.compat.sdk import Context as Context
    from airflow.providers.common.compat.sdk import DecoratedOperator as DecoratedOperator
    from airflow.providers.common.compat.sdk import ObjectStoragePath as ObjectStoragePath
    from airflow.providers.common.compat.sdk import PokeReturnValue as PokeReturnValue
    from airflow.providers.common.compat.sdk import Stats as Stats
    from airflow.providers.common.compat.sdk import TaskDecorator as TaskDecorator
    from airflow.providers.common.compat.sdk import TaskDeferred as TaskDeferred
    from airflow.providers.common.compat.sdk import conf as conf
    from airflow.providers.common.compat.sdk import context_merge as context_merge
    from airflow.providers.common.compat.sdk import determine_kwargs as determine_kwargs
    from airflow.providers.common.compat.sdk import task as task
    from airflow.providers.common.compat.sdk import task_decorator_factory as task_decorator_factory

_COMMON_COMPAT = "airflow.providers.common.compat.sdk"
_SDK = "airflow.sdk"
_EXCEPTIONS = ("airflow.sdk.exceptions", "airflow.exceptions")
_DECORATORS = ("airflow.sdk.bases.decorator", "airflow.decorators.base")

_PLACES: dict[str, tuple[str, ...]] = {
    "AirflowException": _EXCEPTIONS,
    "AirflowFailException": _EXCEPTIONS,
    "AirflowNotFoundException": _EXCEPTIONS,
    "AirflowSensorTimeout": _EXCEPTIONS,
    "AirflowSkipException": _EXCEPTIONS,
    "AirflowTaskTimeout": _EXCEPTIONS,
    "Asset": (_SDK, "airflow.datasets"),
    "BaseHook": (_SDK, "airflow.hooks.base"),
    "BaseNotifier": (_SDK, "airflow.notifications.basenotifier"),
    "BaseOperator": (_SDK, "airflow.models.baseoperator"),
    "BaseSensorOperator": (_SDK, "airflow.sensors.base"),
    "Connection": (_SDK, "airflow.models.connection"),
    "Context": (_SDK, "airflow.utils.context"),
    "DAG": (_SDK, "airflow.models.dag"),
    "DecoratedOperator": _DECORATORS,
    "ObjectStoragePath": (_SDK, "airflow.io.path"),
    "PokeReturnValue": (_SDK, "airflow.sensors.base"),
    "Stats": ("airflow.sdk.observability.stats", "airflow.observability.stats", "airflow.stats"),
    "TaskDecorator": ("airflow.sdk.bases.decorator", "airflow.decorators"),
    "TaskDeferred": _EXCEPTIONS,
    "conf": ("airflow.sdk.configuration", "airflow.configuration"),
    "context_merge": ("airflow.sdk.definitions.context", "airflow.utils.context"),
    "determine_kwargs": ("airflow.sdk.bases.decorator", "airflow.utils.operator_helpers"),
    "task": (_SDK, "airflow.decorators"),
    "task_decorator_factory": _DECORATORS,
}
"""Where each name of Airflow that we use may be, the newest place first; nothing is loaded before it is asked for."""

_FORMER_NAMES = {"Asset": "Dataset"}
"""What a name was in Airflow 2."""


def _name_of_airflow(name: str) -> Any:
    for place in (_COMMON_COMPAT, *_PLACES[name]):
        try:
            module = import_module(place)
        except ImportError:
            continue
        for known_as in (name, _FORMER_NAMES.get(name, name)):
            try:
                return getattr(module, known_as)
            except (AttributeError, ImportError):  # common-compat imports a name when it is asked for it
                continue
    raise ImportError(f"Airflow {__version__} has no {name!r} in any of: {', '.join(_PLACES[name])}")


if not TYPE_CHECKING:  # or a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """Return a name of Airflow from wherever this version has it."""
        if name in _PLACES:
            return _name_of_airflow(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
        found: datetime | str | None = ti.get_first_reschedule_date(context)
        # The dag.test() of Airflow 3.0 gives what the API would have told, which is text.
        return datetime.fromisoformat(found) if isinstance(found, str) else found
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


async def connection_on_a_loop(hook: type[BaseHook], conn_id: str) -> tuple[Any, Any]:
    """Return a connection and its extra without blocking the event loop.

    Before Airflow 3.3.2 the coroutines of Airflow mask secrets by a synchronous call to the supervisor, which raises
    `DeadlockImminentError` where another one is in flight on the loop. There a thread reads, one of asgiref's, whose
    calls to the supervisor find the way back to this loop.

    :param hook: the hook's class, whose `get_connection` and `aget_connection` are Airflow's own
    :param conn_id: which connection
    :returns: the connection, and its extra as a dict
    """
    # Asked in this order, since looking for a name on Airflow 2 looks for modules that are not there, on the loop.
    if hasattr(hook, "aget_connection") and hasattr(_name_of_airflow("Connection"), "aextra_dejson"):
        connection = await hook.aget_connection(conn_id)
        return connection, await connection.aextra_dejson()
    from asgiref.sync import sync_to_async  # noqa: PLC0415 - where it is needed only

    def read() -> tuple[Any, Any]:
        found = hook.get_connection(conn_id)
        return found, found.extra_dejson

    return await sync_to_async(read)()


def storage_path(path: str | os.PathLike[str]) -> Any:
    """Return a path, local or on any object storage.

    :param path: a path or a URL such as `s3://bucket/folder`
    """
    return _name_of_airflow("ObjectStoragePath")(str(path))  # loads fsspec
