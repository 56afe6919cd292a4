# SPDX-License-Identifier: Apache-2.0
"""Plan a campaign: render, normalise, validate, de-duplicate, suppress and count every row before anything is sent."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.planning.choices import OnInvalid
from airflow_provider_instasent.planning.plan_progress import PlanProgress
from airflow_provider_instasent.planning.row_message import message_of_row
from airflow_provider_instasent.planning.rows import BadRow, line_of, on_line
from airflow_provider_instasent.planning.suppression import ON_THE_LIST, SUPPRESSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_instasent.api.encoding import TextSize
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.numbers import PhoneNumber
    from airflow_provider_instasent.planning.row_template import RowTemplate
    from airflow_provider_instasent.planning.rows import Row
    from airflow_provider_instasent.planning.spool import Spool

log = logging.getLogger(__name__)

MOST_REPORTED = 20
"""Bad rows that an error lists; their number is always told."""


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """How rows become messages.

    :param campaign_id: what the messages belong to
    :param template: makes a row's text; None where every row is a whole message
    :param to_column: the column with the number, where there is a template
    :param sender: the API's `from` where a row names none
    :param allow_unicode: ask for UCS-2 where a row does not say
    :param default_region: the ISO country of national numbers
    :param on_invalid: what a bad row means
    :param max_invalid_ratio: share of the rows, 0 to 1, that may be bad where they are left out
    :param deduplicate: send the same sender, number and text once
    :param max_messages: refuse to start above; None for no bound
    :param max_total_parts: refuse to start above; None for no bound
    """

    campaign_id: str
    template: RowTemplate | None = None
    to_column: str = "to"
    sender: str | None = None
    allow_unicode: bool = False
    default_region: str | None = None
    on_invalid: OnInvalid = OnInvalid.FAIL
    max_invalid_ratio: float = 1.0
    deduplicate: bool = True
    max_messages: int | None = None
    max_total_parts: int | None = None


@dataclass(slots=True)
class PlanSummary:
    """What planning found.

    :param rows: rows read
    :param messages: messages planned
    :param parts: their parts together
    :param invalid: rows that cannot be sent
    :param duplicates: rows that repeat a message
    :param suppressed: rows whose number is never to be texted
    :param not_valid: planned numbers that are possible but not valid
    :param parts_by_country: ISO country, or `?`
    :param messages_by_country: ISO country, or `?`
    :param encodings: messages by encoding
    :param number_types: messages by libphonenumber's type
    :param first_invalid: the first bad rows, as `(position, reason)`
    """

    rows: int = 0
    messages: int = 0
    parts: int = 0
    invalid: int = 0
    duplicates: int = 0
    suppressed: int = 0
    not_valid: int = 0
    parts_by_country: Counter[str] = field(default_factory=Counter)
    messages_by_country: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    number_types: Counter[str] = field(default_factory=Counter)
    first_invalid: list[tuple[int, str]] = field(default_factory=list)


class Planner:
    """Turns rows into messages in a spool.

    :param spool: where they go
    :param settings: how
    :param suppressed: numbers in E.164 never to text
    :param progress: is told of each row; None for one that begins now
    """

    def __init__(
        self,
        spool: Spool,
        settings: PlanSettings,
        suppressed: Callable[[str], bool] = lambda _number: False,
        progress: PlanProgress | None = None,
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._suppressed = suppressed
        self._progress = progress or PlanProgress(log.info)
        self.summary = PlanSummary()

    def read(self, rows: Iterable[Row]) -> PlanSummary:
        """Plan all rows; :meth:`check` then tells whether the plan is one to send."""
        for position, row in enumerate(rows):
            self.summary.rows += 1
            try:
                self._plan(position, row)
            except InvalidMessageError as error:
                self._invalid(position, f"{error}{on_line(line_of(row))}")
            self._progress.take(self.summary)
        self._progress.end(self.summary)
        return self.summary

    def _plan(self, position: int, row: Row) -> None:
        if isinstance(row, BadRow):
            raise InvalidMessageError("row", row.reason)
        number, message = self._message(row)
        if self._suppressed(message.to):
            self.summary.suppressed += 1
            self._spool.note_issue(position, SUPPRESSED, ON_THE_LIST)
            return
        self._check_client_id(message)
        size = message.size()
        if not self._add(position, line_of(row), message, size.parts):
            self.summary.duplicates += 1
            self._spool.note_issue(position, "duplicate", "same sender, number and text as an earlier row")
            return
        self._count(number, size)

    def _message(self, row: Mapping[str, Any]) -> tuple[PhoneNumber, Sms]:
        """Return the message of a row; lookups make something else of it."""
        return message_of_row(row, self._settings)

    def _check_client_id(self, message: Sms) -> None:
        if message.client_id is None:
            return
        other = self._spool.position_of_client_id(message.client_id)
        if other is not None:
            raise InvalidMessageError("client_id", f"is also that of message {other}; it must be unique")

    def _add(self, position: int, line: int | None, message: Sms, parts: int) -> bool:
        """Add a message to the spool, as a further occurrence where duplicates are wanted."""
        occurrence = 0
        while True:
            key = self._spool.keys.key(message.sender, message.to, message.text, occurrence)
            if self._spool.add(position, key, message, parts, line):
                return True
            if self._settings.deduplicate:
                return False
            occurrence += 1
            self._spool.occurrences = max(self._spool.occurrences, occurrence + 1)

    def _count(self, number: PhoneNumber, size: TextSize) -> None:
        summary = self.summary
        summary.messages += 1
        summary.parts += size.parts
        summary.not_valid += not number.valid
        country = number.region or "?"
        summary.parts_by_country[country] += size.parts
        summary.messages_by_country[country] += 1
        summary.encodings[size.encoding] += 1
        summary.number_types[number.type_name] += 1

    def _invalid(self, position: int, reason: str) -> None:
        self.summary.invalid += 1
        if len(self.summary.first_invalid) < MOST_REPORTED:
            self.summary.first_invalid.append((position, reason))
        self._spool.note_issue(position, "invalid", reason)

    def _too_bad(self, why: str) -> PlanError:
        summary = self.summary
        listed = "; ".join(f"row {position}: {reason}" for position, reason in summary.first_invalid)
        more = summary.invalid - len(summary.first_invalid)
        return PlanError(
            f"{summary.invalid} of {summary.rows} rows cannot be sent, so nothing was sent ({why}). {listed}"
            + (f"; and {more} more" if more else "")
        )

    def check(self) -> None:
        """Check the whole plan.

        :raises PlanError: where a row is bad and the policy is `fail`, too many are, nothing is left of all rows, or a
            bound is exceeded; nothing was sent
        """
        summary, settings = self.summary, self._settings
        if summary.invalid and settings.on_invalid is OnInvalid.FAIL:
            raise self._too_bad('on_invalid="skip" leaves them out')
        if summary.invalid > settings.max_invalid_ratio * summary.rows:
            raise self._too_bad(f"`max_invalid_ratio` is {settings.max_invalid_ratio:g}")
        # Where an earlier try has sent something, what became of that is still to be reported.
        if summary.rows and not summary.messages and not len(self._spool.roster):
            raise self._too_bad(f"{summary.suppressed} are on the suppression list, so nothing is left to send")
        for name, count in (("max_messages", summary.messages), ("max_total_parts", summary.parts)):
            bound = getattr(settings, name)
            if bound is not None and count > bound:
                raise PlanError(f"`{name}` is {bound} and the plan has {count}: nothing was sent")
