# SPDX-License-Identifier: Apache-2.0
"""Numbers never to be texted, whatever the rows say (`suppress`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.numbers import normalise
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.planning.row_source import BadRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_instasent.planning.spool import Spool

SUPPRESSED = "suppressed"
"""The state, in results, of a row whose number is not texted, and the reasons why not."""

ON_THE_LIST = "on the suppression list"
WRITTEN_TO = "the campaign has written to this number"


def suppress_numbers(spool: Spool, numbers: Iterable[Any], default_region: str | None) -> Callable[[str], bool]:
    """Take in the whole list, and return what tells whether a number in E.164 is on it.

    :param spool: keeps the list on disk
    :param numbers: as the user gave them; a row that cannot be read among them is an error like a bad number
    :param default_region: the ISO country of national numbers
    :raises PlanError: where one of them is no number: nothing was sent
    """
    count = 0
    for position, number in enumerate(numbers):
        if isinstance(number, BadRow):
            raise PlanError(f"`suppress`: row {position} {number.reason}: nothing was sent")
        try:
            spool.suppress(normalise(number, default_region).e164)
        except InvalidMessageError as error:
            raise PlanError(f"`suppress`: row {position} is no number ({error.reason}): nothing was sent") from None
        count += 1
    return spool.is_suppressed if count else lambda _number: False
