# SPDX-License-Identifier: Apache-2.0
"""Give a send its journal: under `journal_path`, in Airflow's task state store, or none."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_instasent.api.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.segments import SegmentStore


class TaskStateStore:
    """Airflow's task state store (3.3+), scoped to one DAG run, task and map index.

    :param store: `context["task_state_store"]`
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default."""
        return self._store.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Write the value of a key, never to expire."""
        from airflow_provider_instasent.compat import never_expire

        self._store.set(key, value, retention=never_expire())


def open_journal(context: Any, journal_path: str | None, campaign_id: str) -> Journal | None:
    """Return the journal of a campaign, open for this try, or None where there is no place for one.

    `journal_path` comes before the task state store.

    :param context: the task's context
    :param journal_path: a directory, local or on any object storage, or None
    :param campaign_id: the campaign
    :raises ConfigurationError: where `journal_path` is no place for one
    """
    from airflow_provider_instasent.journal.journal import Journal

    store = _segments(context, journal_path, campaign_id)
    return None if store is None else Journal(store)


def has_journal(context: Any, journal_path: str | None) -> bool:
    """Tell whether a send of this task has a place for its journal.

    The store is counted as absent below Airflow 3.3 and where `[state_store] clear_on_success` empties it when a task
    succeeds: clearing such a task would text again.
    """
    return journal_path is not None or _store_of(context) is not None


def journal_name(campaign_id: str, to: str) -> str:
    """Return the name of the journal that all single sends of a campaign to one number share under a `journal_path`.

    :param campaign_id: a campaign that the user named, so that other tasks and runs may be part of it
    :param to: the number in E.164; only a digest of it is in the name
    """
    from airflow_provider_instasent.journal.segment_text import digest_of

    return f"{campaign_id}/{digest_of(f'{campaign_id}/{to}')}"


def warn_of_campaign_without_path(campaign_id: Any, journal_path: Any) -> None:
    """Warn, while a DAG is parsed, of a literal `campaign_id` that reaches no further than the default would.

    :param campaign_id: as the user gave it
    :param journal_path: as the user gave it
    """
    if journal_path is None and isinstance(campaign_id, str) and "{{" not in campaign_id and "{%" not in campaign_id:
        warnings.warn(
            f"`campaign_id` is {campaign_id!r} in each DAG run, but without `journal_path` no run knows what another "
            "one sent, so each sends again. Set `journal_path`, or leave `campaign_id` out.",
            UserWarning,
            stacklevel=4,  # the line of the DAG file: this function, the constructor and Airflow's wrapper around it
        )


def _segments(context: Any, journal_path: str | None, campaign_id: str) -> SegmentStore | None:
    from airflow_provider_instasent.journal.segments import KeyValueSegments, PathSegments

    if journal_path is not None:
        return PathSegments(_directory(journal_path), campaign_id)
    store = _store_of(context)
    return None if store is None else KeyValueSegments(TaskStateStore(store), campaign_id)


def _store_of(context: Any) -> Any:
    clears = conf.getboolean("state_store", "clear_on_success", fallback=False)
    return None if clears else context.get("task_state_store")


def _directory(journal_path: Any) -> Any:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    path = str(journal_path).strip() if isinstance(journal_path, str | os.PathLike) else ""
    if not path or path == "None":
        raise ConfigurationError("`journal_path` is empty: leave it out, or give an absolute path or a URL")
    if "://" not in path and not os.path.isabs(path):  # noqa: PTH117 - it may be no path of this machine
        raise ConfigurationError("`journal_path` must be absolute or a URL, or each worker would look elsewhere")
    try:
        directory = ObjectStoragePath(path)
        directory.exists()
    except (ImportError, ValueError) as error:
        raise ConfigurationError(
            f"`journal_path` is on a storage that this Airflow does not know ({type(error).__name__}): is the provider "
            "of its scheme installed?"
        ) from error
    return directory


def campaign_of(context: Any, campaign_id: Any) -> str:
    """Return the campaign a task's messages belong to.

    :param context: the task's context
    :param campaign_id: as the user gave it, rendered; None for the default
    :raises ConfigurationError: where it is nothing to go by
    """
    if campaign_id is None:
        return default_campaign_id(context)
    if not isinstance(campaign_id, str) or not campaign_id.strip() or campaign_id == "None":
        raise ConfigurationError("`campaign_id` must be a string that is not empty; leave it out for the default")
    return campaign_id


def default_campaign_id(context: Any) -> str:
    """Return the campaign id of a task that names none: DAG, run, task and map index."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}"
