# SPDX-License-Identifier: Apache-2.0
"""Tell how far a campaign is before it sends anything: counts alone, at sensible intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.api.steady_clock import elapsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_instasent.planning.plan import PlanSummary
    from airflow_provider_instasent.planning.rows import Row

INTERVAL = 15.0
"""Seconds between two lines."""


class _Spaced:
    """Writes lines, those in between not too often.

    :param write: writes one line, such as `log.info`
    :param clock: a steady clock in seconds
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._began = self._last = clock()

    def _is_due(self) -> bool:
        """Tell whether it is time for a line in between, and take it as written."""
        now = self._clock()
        if now - self._last < INTERVAL:
            return False
        self._last = now
        return True

    @property
    def _taken(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._began


class PlanProgress(_Spaced):
    """Logs how planning gets on, from before the first row is there to the plan.

    :param write: writes one line, such as `log.info`
    :param clock: a steady clock in seconds
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = elapsed) -> None:
        super().__init__(write, clock)
        self._first_row_at: float | None = None

    def begin(self) -> None:
        """Say that planning begins: the journal, a query or a large file may let the first row wait."""
        self._write("Planning: reading rows. Nothing is sent before the last one is checked.")

    def suppressing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of `suppress`, and say how many there are so far where it is time to."""
        for number, row in enumerate(rows):
            if self._is_due():
                self._write(f"Planning: {number} numbers of `suppress` read.")
            yield row

    def take(self, summary: PlanSummary) -> None:
        """Take in what planning found up to one more row, and say it where it is time to."""
        if self._first_row_at is None:
            self._first_row_at = self._clock()
        if self._is_due():
            rate = summary.rows / max(self._last - self._first_row_at, 0.001)
            self._write(f"Planning: {summary.rows} rows read, {summary.messages} messages, {rate:.0f} rows a second.")

    def end(self, summary: PlanSummary) -> None:
        """Say what planning found and how long it took."""
        left_out = [
            f"{count} {what}"
            for what, count in (
                ("invalid", summary.invalid),
                ("duplicates", summary.duplicates),
                ("suppressed", summary.suppressed),
            )
            if count
        ]
        self._write(
            f"Planned: {summary.rows} rows, {summary.messages} messages"
            + "".join(f", {one}" for one in left_out)
            + f", in {self._taken:.1f} s."
        )


class ListingProgress(_Spaced):
    """Logs how the listing of messages in the journal gets on, where it is long.

    :param total: messages of the plan
    :param write: writes one line, such as `log.info`
    :param clock: a steady clock in seconds
    """

    def __init__(self, total: int, write: Callable[[str], object], clock: Callable[[], float] = elapsed) -> None:
        super().__init__(write, clock)
        self._total = total
        self._has_spoken = False

    def take(self, listed: int) -> None:
        """Take in how many messages this try has listed so far, and say it where it is time to."""
        if self._is_due():
            self._has_spoken = True
            self._write(f"Listing messages in the journal: {listed} of {self._total}.")

    def end(self, listed: int) -> None:
        """Say how many were listed and how long it took, where anything was said before."""
        if self._has_spoken:
            self._write(f"Listed {listed} messages in the journal in {self._taken:.1f} s.")
