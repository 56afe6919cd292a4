# SPDX-License-Identifier: Apache-2.0
"""From a row to the message it asks for, checked; or to the reason why it is a bad row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.message import MESSAGE_FIELDS, Sms
from airflow_provider_instasent.api.missing_values import is_missing
from airflow_provider_instasent.api.numbers import PhoneNumber, normalise
from airflow_provider_instasent.planning.column_names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_instasent.planning.plan import PlanSettings

_KNOWN_FIELDS = frozenset(MESSAGE_FIELDS)


def message_of_row(row: Mapping[str, Any], settings: PlanSettings) -> tuple[PhoneNumber, Sms]:
    """Return the message of a row, and what is known of its number.

    :param row: a whole message; with a template, any row that has the column with the number
    :param settings: the template, and what counts where a row does not say
    :raises InvalidMessageError: where it is a bad row; names the field, never the value
    """
    if settings.template is not None:
        _check_column(row, settings)
        text = settings.template.render(row)
        number = number_of_row(row, settings)
        return number, _create(number, text, {}, settings)
    unknown = sorted(map(str, set(row) - _KNOWN_FIELDS))
    if unknown:
        known = ", ".join(MESSAGE_FIELDS)
        raise InvalidMessageError("message", f"has unknown fields: {shown(unknown)}; a message has {known}")
    number = normalise(row.get("to"), settings.default_region)
    return number, _create(number, row.get("text"), row, settings)


def number_of_row(row: Mapping[str, Any], settings: PlanSettings) -> PhoneNumber:
    """Return the number in a row's column.

    :raises InvalidMessageError: where there is none
    """
    _check_column(row, settings)
    return normalise(row[settings.to_column], settings.default_region)


def _check_column(row: Mapping[str, Any], settings: PlanSettings) -> None:
    if settings.to_column not in row:
        raise InvalidMessageError("to_column", f"there is no column `{settings.to_column}`; {listed(row)}")


def _create(number: PhoneNumber, text: Any, own: Mapping[str, Any], settings: PlanSettings) -> Sms:
    sender, client_id = own.get("sender"), own.get("client_id")
    unicode: Any = own.get("allow_unicode")
    return Sms.create(
        to=number,
        text=text,
        sender=settings.sender if is_missing(sender) else sender,
        allow_unicode=settings.allow_unicode if is_missing(unicode) else unicode,
        client_id=None if is_missing(client_id) else client_id,
    )
