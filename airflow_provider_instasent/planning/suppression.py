# SPDX-License-Identifier: Apache-2.0
"""Numbers never to be texted, whatever the rows say (`suppress`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.numbers import normalise
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.planning.column_names import holds_data, listed
from airflow_provider_instasent.planning.rows import BadRow, line_of, on_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_instasent.planning.rows import Row
    from airflow_provider_instasent.planning.spool import Spool

SUPPRESSED = "suppressed"
"""The state, in results, of a row whose number is not texted, and the reasons why not."""

ON_THE_LIST = "on the suppression list"
WRITTEN_TO = "the campaign has written to this number"


def suppress_numbers(
    spool: Spool, rows: Iterable[Row], to_column: str, default_region: str | None
) -> Callable[[str], bool]:
    """Take in the whole list, and return what tells whether a number in E.164 is on it.

    :param spool: keeps the list on disk
    :param rows: with the numbers in a column of this name, or in their only one
    :param to_column: that column
    :param default_region: the ISO country of national numbers
    :raises PlanError: where one of them is no number: nothing was sent
    """
    count = 0
    for position, row in enumerate(rows):
        found = row if isinstance(row, BadRow) else _number_in(row, to_column)
        where = f"`suppress`: row {position}{on_line(line_of(row))}"
        if isinstance(found, BadRow):
            raise PlanError(f"{where} {found.reason}: nothing was sent")
        try:
            spool.suppress(normalise(found, default_region).e164)
        except InvalidMessageError as error:
            raise PlanError(f"{where} is no number ({error.reason}): nothing was sent") from None
        count += 1
    return spool.is_suppressed if count else lambda _number: False


def _number_in(row: Mapping[str, Any], to_column: str) -> Any:
    if to_column in row:
        return row[to_column]
    if len(row) != 1 or holds_data(str(next(iter(row)))):
        return BadRow(f"has no column `{to_column}`; {listed(row)}")
    return next(iter(row.values()))
