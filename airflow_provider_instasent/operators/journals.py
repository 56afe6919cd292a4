# SPDX-License-Identifier: Apache-2.0
"""Give a send its journal: under `journal_path`, in Airflow's task state store, or none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.files import shown_path
from airflow_provider_instasent.api.missing_values import is_printed_missing
from airflow_provider_instasent.compat import conf
from airflow_provider_instasent.planning.choices import OnUnconfirmed
from airflow_provider_instasent.storage import path_of

if TYPE_CHECKING:
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.segment_store import SegmentStore
    from airflow_provider_instasent.operators.task_try import TaskTry


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


def open_journal(task_try: TaskTry, operator: Any, campaign_id: str, *, is_shared: bool = False) -> Journal | None:
    """Return the journal of a campaign, open for this try, or None where there is no place for one.

    `journal_path` comes before the task state store.

    A try leaves a journal as soon as it begins, so an empty one may be one that was lost. A retry may follow a try that
    died before that. A task that was cleared most likely follows one that came to its end, and Airflow's store can be
    set to forget those that succeeded: then an empty journal is an error once it is read, unless the user accepts with
    `resend` that somebody may be texted twice.

    :param task_try: this try of the task
    :param operator: whose campaign it is, for `journal_path`, `retries` and `on_unconfirmed`
    :param campaign_id: the campaign
    :param is_shared: whether the journal is that of one number of many, which other tasks may begin
    :raises ConfigurationError: where `journal_path` is no place for one
    """
    from airflow_provider_instasent.journal.journal import Journal

    refuse = OnUnconfirmed.of(operator.on_unconfirmed) is not OnUnconfirmed.RESEND
    store = _segments(task_try, operator.journal_path, campaign_id, refuse=refuse)
    expected = refuse and not is_shared and task_try.was_cleared(operator.retries)
    return None if store is None else Journal(store, expected=expected)


def journal_or_single_try(task_try: TaskTry, operator: Any, campaign_id: str) -> Journal | None:
    """Return the journal of a campaign, open for this try; None where there is no place for one, and no need.

    :param operator: whose campaign it is
    :raises ConfigurationError: where there is no place for one and a later try could text twice, or this one may
    """
    journal = open_journal(task_try, operator, campaign_id)
    if journal is None:
        _refuse_second_try_without_journal(operator.retries or 0, task_try.number)
    return journal


def has_journal(task_try: TaskTry, journal_path: str | None) -> bool:
    """Tell whether a send of this task has a place for its journal."""
    return journal_path is not None or _store_of(task_try) is not None


def journal_name(campaign_id: str, to: str) -> str:
    """Return the name of the journal that all single sends of a campaign to one number share under a `journal_path`.

    :param campaign_id: a campaign that the user named, so that other tasks and runs may be part of it
    :param to: the number in E.164; only a digest of it is in the name
    """
    from airflow_provider_instasent.journal.segment_format import digest_of

    return f"{campaign_id}/{digest_of(f'{campaign_id}/{to}')}"


def _segments(task_try: TaskTry, journal_path: str | None, campaign_id: str, *, refuse: bool) -> SegmentStore | None:
    from airflow_provider_instasent.journal.folder_store import PathSegments
    from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
    from airflow_provider_instasent.journal.remembered_store import RememberedSegments

    found = _store_of(task_try)
    store = None if found is None else TaskStateStore(found)
    if journal_path is None:
        return None if store is None else KeyValueSegments(store, campaign_id)
    segments = PathSegments(_directory(journal_path), campaign_id)
    return segments if store is None else RememberedSegments(segments, store, campaign_id, refuse=refuse)


def _store_of(task_try: TaskTry) -> Any:
    """Return the task state store, or None where there is none that may hold a journal.

    Where `[state_store] clear_on_success` empties it when a task succeeds, clearing such a task would text again.
    """
    clears = conf.getboolean("state_store", "clear_on_success", fallback=False)
    return None if clears else task_try.state_store


def _directory(journal_path: Any) -> Any:
    path = str(journal_path).strip() if isinstance(journal_path, str | os.PathLike) else ""
    if not path or is_printed_missing(path):
        raise ConfigurationError("`journal_path` is empty: leave it out, or give an absolute path or a URL")
    if "://" not in path and not os.path.isabs(path):  # noqa: PTH117 - it may be no path of this machine
        raise ConfigurationError(
            f"`journal_path` is {shown_path(path)}: it must be absolute or a URL, or each worker would look elsewhere"
        )
    return path_of("journal_path", path)  # what is there is for the journal to look at


def _refuse_second_try_without_journal(retries: int, try_number: int) -> None:
    """Refuse to start where a later try could text twice, or is one that may.

    :param retries: of the task
    :param try_number: of this try, from 1
    :raises ConfigurationError: where there are retries, or a try before this one
    """
    if try_number > 1:
        raise ConfigurationError(
            f"this is try {try_number} and there is no journal, so nothing tells what an earlier try has sent. Nothing "
            "was sent by this one. To send all of it again, start a new DAG run. A journal (`journal_path`, or Airflow "
            "3.3's task state store) must be there from the first try on: one that begins after it knows nothing of "
            "it, and clearing this task would then send everything again."
        )
    if retries:
        raise ConfigurationError(
            f"`retries` is {retries} and there is no place for a journal: set `journal_path`, use Airflow 3.3's task "
            "state store (with `[state_store] clear_on_success` off), or set retries=0. Nothing was sent."
        )
