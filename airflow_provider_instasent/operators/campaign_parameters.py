# SPDX-License-Identifier: Apache-2.0
"""The parameters of a campaign: choices and `campaign_id`, while a DAG is parsed and when it runs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError, InvalidMessageError
from airflow_provider_instasent.api.missing_values import is_printed_missing
from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.planning.choices import OnInvalid, OnPlanChange, OnUnconfirmed
from airflow_provider_instasent.planning.file_format import FileFormat
from airflow_provider_instasent.templating import is_list_as_text, is_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_instasent.operators.task_try import TaskTry


_ROWS_OF_BULK = (
    "only `text`, beside `recipients`, is rendered once a row. For other values a row give `messages`, a list of "
    "{to, text, sender …} that are whole already"
)
_ROWS_ELSEWHERE = "rows belong to InstasentBulkSmsOperator, whose `text` is rendered once a row of `recipients`"
_LOOKED_AT = 100
"""Items of a list in which a template is looked for."""


def check_campaign_parameters(operator: Any) -> None:
    """Check what an operator was given; those of its parameters that are numbers or lists are brought into one form.

    :param operator: with its parameters as attributes of their names
    :raises ValueError: names the parameter that is wrong
    """
    check_parameters(operator)
    _check_rows(operator)
    given = vars(operator)
    if "delimiter" in given:
        FileFormat(given["delimiter"], given["encoding"])
    for policy in (OnInvalid, OnUnconfirmed, OnPlanChange):
        if policy.parameter() in given:
            policy.check(given[policy.parameter()])
    _warn_of_campaign_without_path(given["campaign_id"], given["journal_path"])


def check_one_number(to: Any) -> None:
    """Check that the one number of a single send is not several.

    :param to: as it was given, or as its template rendered it
    :raises InvalidMessageError: says how many are sent to
    """
    several = isinstance(to, Mapping | list | tuple | set | frozenset)
    if several or is_list_as_text(to):
        raise InvalidMessageError(
            "to",
            "takes one number: send to many with InstasentBulkSmsOperator(recipients=…), or make a task for each with "
            "InstasentSendSmsOperator.partial(…).expand(to=…)",
        )


def _check_rows(operator: Any) -> None:
    """Check that no template which Airflow renders asks for `row`, which only a row template has.

    :raises ValueError: names the parameter, and what has rows
    """
    for name in operator.template_fields:
        sources = [text for text in _texts(getattr(operator, name, None)) if "row" in text and "{" in text]
        if not sources or not _knows_no_row(operator):
            continue
        from airflow_provider_instasent.planning.row_template import asks_for_row

        if any(map(asks_for_row, sources)):
            fix = _ROWS_OF_BULK if "recipients" in vars(operator) else _ROWS_ELSEWHERE
            raise ValueError(f"`{name}` asks for `row`, but Airflow renders it once a task: {fix}")


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a parameter, of a long list those of the first items."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value[:_LOOKED_AT]:
            yield from _texts(item)


def _knows_no_row(operator: Any) -> bool:
    """Tell whether Airflow's templates have no `row`: a DAG may define one."""
    return operator.has_dag() and "row" not in (operator.dag.user_defined_macros or {})


def campaign_id_of(task_try: TaskTry, given: Any) -> str:
    """Return the campaign a task's messages belong to.

    :param task_try: this try of the task
    :param given: `campaign_id` as the user gave it, rendered; None for the default
    :raises ConfigurationError: where it is nothing to go by
    """
    if given is None:
        return task_try.owner
    if not isinstance(given, str) or not given.strip() or is_printed_missing(given):
        raise ConfigurationError("`campaign_id` must be a string that is not empty; leave it out for the default")
    return given


def _warn_of_campaign_without_path(campaign_id: Any, journal_path: Any) -> None:
    """Warn of a literal `campaign_id` that reaches no further than the default would."""
    if journal_path is None and isinstance(campaign_id, str) and not is_template(campaign_id):
        warnings.warn(
            f"`campaign_id` is {campaign_id!r} in each DAG run, but without `journal_path` no run knows what another "
            "one sent, so each sends again. Set `journal_path`, or leave `campaign_id` out.",
            UserWarning,
            # The line of the DAG file: these two functions, the constructor and Airflow's wrapper around it.
            stacklevel=5,
        )
