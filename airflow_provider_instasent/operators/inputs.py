# SPDX-License-Identifier: Apache-2.0
"""From a bulk operator's parameters to the rows and settings of a campaign."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.files import shown_path
from airflow_provider_instasent.api.missing_values import is_printed_missing
from airflow_provider_instasent.operators.campaign_parameters import campaign_id_of
from airflow_provider_instasent.planning.choices import OnInvalid, OnPlanChange, OnUnconfirmed
from airflow_provider_instasent.storage import path_of
from airflow_provider_instasent.templating import LIST_FIX, is_list_as_text

if TYPE_CHECKING:
    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings
    from airflow_provider_instasent.hooks.connection import ConnectionSettings
    from airflow_provider_instasent.operators.task_try import TaskTry
    from airflow_provider_instasent.planning.file_format import FileFormat
    from airflow_provider_instasent.planning.plan import PlanSettings
    from airflow_provider_instasent.planning.row_template import RowTemplate
    from airflow_provider_instasent.planning.rows import Row


_NUMBERS = re.compile(r"[+\d][\d\s().,;+/-]*")
"""One phone number or several, in whatever spelling."""


def rows_of(messages: Any, recipients: Any, to_column: str, file_format: FileFormat) -> Iterator[Row]:
    """Return the rows of whichever of the two is given.

    :param messages: a list of whole messages, or None
    :param recipients: a list, or a path
    :param to_column: the column with the number
    :param file_format: delimiter and encoding of a CSV
    :raises ConfigurationError: names the parameter that is wrong
    """
    from airflow_provider_instasent.planning.data_frames import is_data_frame
    from airflow_provider_instasent.planning.row_source import rows_of_data_frame, rows_of_list

    if is_data_frame(messages):
        return rows_of_data_frame(messages, "messages", "to")
    if messages is not None:
        return rows_of_list(_list("messages", messages), None)
    if recipients is None:
        raise ConfigurationError("neither `messages` nor `recipients` has a value: what the template gave is None")
    return named_rows("recipients", recipients, to_column, file_format)


def named_rows(
    name: str, value: Any, to_column: str, file_format: FileFormat, *, or_only: bool = False
) -> Iterator[Row]:
    """Return the rows of a list of numbers or rows, of a data frame, or of a file.

    :param name: of the parameter, for errors
    :param value: a list, a data frame, or a path
    :param to_column: the column with the number
    :param file_format: delimiter and encoding of a CSV
    :param or_only: whether the only column of a file or a data frame will do, whatever its name
    :raises ConfigurationError: names the parameter
    """
    from airflow_provider_instasent.planning.data_frames import is_data_frame
    from airflow_provider_instasent.planning.row_source import rows_of_data_frame, rows_of_list, rows_of_path

    if isinstance(value, str | os.PathLike):
        return rows_of_path(_readable(name, value), name, to_column, file_format, or_only=or_only)
    if is_data_frame(value):
        return rows_of_data_frame(value, name, None if or_only else to_column)
    return rows_of_list(_list(name, value), to_column)


def suppressed_rows(operator: Any, *, expected: bool) -> Iterator[Row]:
    """Return the rows of `suppress`, as those of `recipients`, or with one column of any name; none where it is None.

    :param operator: with `suppress`, rendered, `to_column` and what is said of files
    :param expected: whether the user gave one, which must not come to nothing
    :raises ConfigurationError: names the parameter that is wrong
    """
    if operator.suppress is None:
        if expected:
            raise ConfigurationError(
                "`suppress` has no value: what the upstream task or the template gave is None, and nobody would be "
                "left out. Nothing was sent. An empty list is what says that there is nobody to leave out."
            )
        return iter(())
    return named_rows("suppress", operator.suppress, operator.to_column, file_format_of(operator), or_only=True)


def file_format_of(operator: Any) -> FileFormat:
    """Return how an operator's files of rows are written, as far as the user says it.

    :param operator: with `delimiter` and `encoding`
    :raises ConfigurationError: names the parameter that is wrong
    """
    from airflow_provider_instasent.planning.file_format import FileFormat

    return FileFormat(operator.delimiter, operator.encoding)


def template_of(text: str | None, task_try: TaskTry) -> RowTemplate | None:
    """Return the compiled row template, or None where rows are whole messages."""
    if text is None:
        return None
    from airflow_provider_instasent.planning.row_template import RowTemplate

    return RowTemplate(text, task_try.template_values)


def plan_settings(operator: Any, connection: ConnectionSettings, task_try: TaskTry) -> PlanSettings:
    """Return how a bulk operator's rows become messages.

    :param operator: the bulk operator
    :param connection: what the connection says
    :param task_try: this try of the task
    :raises ConfigurationError: names the parameter that is wrong
    """
    from airflow_provider_instasent.planning.plan import PlanSettings

    return PlanSettings(
        campaign_id=campaign_id_of(task_try, operator.campaign_id),
        template=template_of(operator.text, task_try),
        to_column=operator.to_column,
        sender=connection.sender if given("sender", operator.sender) is None else operator.sender,
        allow_unicode=connection.allow_unicode if operator.allow_unicode is None else operator.allow_unicode,
        default_region=connection.default_region,
        on_invalid=OnInvalid.of(operator.on_invalid),
        max_invalid_ratio=operator.max_invalid_ratio,
        deduplicate=operator.deduplicate,
        max_messages=operator.max_messages,
        max_total_parts=operator.max_total_parts,
    )


def campaign_settings(
    operator: Any,
    connection: ConnectionSettings,
    task_try: TaskTry,
    plan: PlanSettings,
    *,
    on_plan_change: OnPlanChange,
    max_reported: int,
) -> CampaignSettings:
    """Return how an operator's campaign is carried out.

    :param operator: the bulk or the lookup operator, for the parameters that they share
    :param connection: what the connection says
    :param task_try: this try of the task
    :param plan: how rows become messages
    :param on_plan_change: what to do where an earlier try had another set of messages
    :param max_reported: the most ids, or rows, in the result
    """
    from airflow_provider_instasent.api.client_ids import secret_of_run
    from airflow_provider_instasent.api.steady_clock import elapsed
    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings, SendSettings

    return CampaignSettings(
        plan=plan,
        send=SendSettings(
            campaign_id=plan.campaign_id,
            on_unconfirmed=OnUnconfirmed.of(operator.on_unconfirmed),
            unconfirmed_grace=operator.unconfirmed_grace,
            on_plan_change=on_plan_change,
            started_at=elapsed(),
            owner=task_try.owner,
            retry_rejected=flag("retry_rejected", operator.retry_rejected),
            run_secret=secret_of_run(connection.token, task_try.owner, plan.campaign_id),
        ),
        max_in_flight=requests_in_flight(operator.max_in_flight, connection),
        max_rejected_ratio=operator.max_rejected_ratio,
        max_reported=max_reported,
        results_path=path_of("results_path", path) if (path := given("results_path", operator.results_path)) else None,
    )


def given(name: str, value: Any) -> Any:
    """Return a value that may be left out, rendered.

    :raises ConfigurationError: where a template made text of a value that is not there
    """
    if isinstance(value, str) and is_printed_missing(value):
        raise ConfigurationError(
            f'`{name}` is "{value.strip()}", which is printed for a value that is not there. Nothing was sent.'
        )
    return value


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
    from airflow_provider_instasent.api.client_settings import DEFAULT_IN_FLIGHT

    return wanted or int(connection.client_options.get("max_in_flight", DEFAULT_IN_FLIGHT))


def _list(name: str, value: Any) -> Iterable[Any]:
    from airflow_provider_instasent.planning.row_source import check_series

    if isinstance(value, str):
        raise ConfigurationError(f"`{name}` is a string, which is Airflow's way with templates: {LIST_FIX}")
    if value is None or isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise ConfigurationError(f"`{name}` must be a list, not {type(value).__name__}")
    check_series(value, name)
    if isinstance(value, Sequence):
        try:
            # Mapped results are lazy: one slice, instead of a call to the supervisor for each item.
            return list(value[:])
        except TypeError:
            return value
    return value


def _readable(name: str, path: str | os.PathLike[str]) -> Any:
    text = str(path).strip()
    if not text:
        raise ConfigurationError(f"`{name}` is empty: give a list, or the path of a file")
    if text.startswith("<") and " object " in text:
        raise ConfigurationError(f"`{name}` is an object printed by a template, and no path: {LIST_FIX}")
    if is_list_as_text(text):
        raise ConfigurationError(f"`{name}` is a list rendered into a string, which is Airflow's way: {LIST_FIX}")
    if _NUMBERS.fullmatch(text):
        raise ConfigurationError(f"`{name}` is a number and no path: numbers go in as a list, also a single one")
    if "\n" in text:
        raise ConfigurationError(f"`{name}` is a text of several lines and no path: give a list, or the path of a file")
    found = path_of(name, text)
    if not found.exists():
        where = "" if "://" in text else "; a local file must be there on the worker that runs the task"
        raise ConfigurationError(f"`{name}`: there is no file at {shown_path(text)}, or it cannot be read{where}")
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
