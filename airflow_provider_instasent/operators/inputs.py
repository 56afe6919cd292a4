# SPDX-License-Identifier: Apache-2.0
"""From a bulk operator's parameters to the rows and settings of a campaign."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.compat import storage_path

if TYPE_CHECKING:
    from airflow_provider_instasent.hooks.connection import ConnectionSettings
    from airflow_provider_instasent.planning.source import Row
    from airflow_provider_instasent.planning.template import RowTemplate

DEFAULT_IN_FLIGHT = 8

_FIX = "pass the upstream task's `.output`, or set `render_template_as_native_obj=True` on the DAG"


def rows_of(messages: Any, recipients: Any, to_column: str) -> Iterator[Row]:
    """Return the rows of whichever of the two is given.

    :raises ConfigurationError: names the parameter that is wrong
    """
    from airflow_provider_instasent.planning.source import rows_of_list

    if messages is not None:
        return rows_of_list(_list("messages", messages), None)
    if recipients is None:
        raise ConfigurationError("neither `messages` nor `recipients` has a value: what the template gave is None")
    return named_rows("recipients", recipients, to_column)


def named_rows(name: str, value: Any, to_column: str) -> Iterator[Row]:
    """Return the rows of a list of numbers or rows, or of a file.

    :param name: of the parameter, for errors
    :param value: a list, or a path
    :param to_column: the column with the number
    :raises ConfigurationError: names the parameter
    """
    from airflow_provider_instasent.planning.source import rows_of_list, rows_of_path

    if isinstance(value, str | os.PathLike):
        return rows_of_path(_readable(name, value), name, to_column)
    return rows_of_list(_list(name, value), to_column)


def numbers_of(suppress: Any, to_column: str) -> Iterable[Any]:
    """Yield the numbers of `suppress`: a list of numbers or rows, or a file with a column `to_column` (or only one).

    :raises ConfigurationError: names the parameter that is wrong
    """
    from airflow_provider_instasent.planning.source import BadRow, rows_of_list, rows_of_path

    if suppress is None:
        return
    if isinstance(suppress, str | os.PathLike):
        rows = rows_of_path(_readable("suppress", suppress), "suppress")
    else:
        rows = rows_of_list(_list("suppress", suppress), to_column)
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        elif to_column in row:
            yield row[to_column]
        elif len(row) == 1:
            yield next(iter(row.values()))
        else:
            yield BadRow(f"has no column `{to_column}`")


def template_of(text: str | None, context: Mapping[str, Any]) -> RowTemplate | None:
    """Return the compiled row template, or None where rows are whole messages."""
    if text is None:
        return None
    from airflow_provider_instasent.planning.template import RowTemplate

    names = ("params", "run_id", "data_interval_start", "data_interval_end")
    return RowTemplate(text, {name: context[name] for name in names if name in context})


def flag(name: str, value: Any) -> bool:
    """Return a templated yes or no.

    :raises ConfigurationError: names the parameter
    """
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in {"true", "1", "yes"}:
        return True
    if word in {"false", "0", "no", "none", ""}:
        return False
    raise ConfigurationError(f"`{name}` must be true or false")


def requests_in_flight(wanted: int | None, connection: ConnectionSettings) -> int:
    """Return how many requests may be in flight at once.

    :param wanted: the operator's `max_in_flight`, or None for the connection's
    :param connection: what the connection says
    """
    return wanted or int(connection.client_options.get("max_in_flight", DEFAULT_IN_FLIGHT))


def _list(name: str, value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        raise ConfigurationError(f"`{name}` is a string, which is Airflow's way with templates: {_FIX}")
    if value is None or isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise ConfigurationError(f"`{name}` must be a list, not {type(value).__name__}")
    if isinstance(value, Sequence):
        try:
            # Mapped results are lazy: one slice, instead of a call to the supervisor for each item.
            return list(value[:])
        except TypeError:
            return value
    return value


def _readable(name: str, path: str | os.PathLike[str]) -> Any:
    text = str(path).strip()
    if text.startswith(("[", "{")):
        raise ConfigurationError(f"`{name}` is a list rendered into a string, which is Airflow's way: {_FIX}")
    found = storage_path(text)
    if not found.exists():
        raise ConfigurationError(f"`{name}`: there is no file at that path, or it cannot be read")
    return found


def check_inputs(messages: Any, recipients: Any, text: str | None) -> None:
    """Check which inputs are given.

    :raises ValueError: names the parameter that is wrong
    """
    if (messages is None) == (recipients is None):
        raise ValueError("give exactly one of `messages` and `recipients`")
    if messages is not None and text is not None:
        raise ValueError("`text` is the template of `recipients`; each of `messages` has a text of its own")
    if recipients is not None and not (isinstance(text, str) and text.strip()):
        raise ValueError('`recipients` needs a `text`, such as "Hello {{ row.name }}"')


def refuse_second_try_without_journal(retries: int, try_number: int) -> None:
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
