# SPDX-License-Identifier: Apache-2.0
"""Waiting for lookups: the delivery watch with another rule for "finished". No sockets, no clock.

Every field of a lookup but `id` is unknown, so whether it is finished is the caller's rule: its `status` is none of
`pending_statuses`. An entity without a status counts as finished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import endpoints
from airflow_provider_instasent.api.statuses import DEFAULT_PENDING_STATUSES, DeliveryStatus, Verdict, normalise_status
from airflow_provider_instasent.waiting.conclusion import Conclusion, Ending, listed
from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
from airflow_provider_instasent.waiting.poll_failures import MAX_POLL_FAILURES
from airflow_provider_instasent.waiting.reading import LONGEST_WORD, NO_STATUS, UNREAD, Reading
from airflow_provider_instasent.waiting.wait_result import WatchResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from airflow_provider_instasent.api.endpoints import Entity


class LookupResult(WatchResult):
    """What is known of a batch: `delivered` counts the finished ones, `undeliverable` those not found."""

    words = ("lookups finished", "not found")


class LookupWatch(Watch):
    """What is known of each lookup of a batch.

    :param lookup_ids: the batch
    :param pending_statuses: statuses of a lookup that is not finished
    :param max_poll_failures: sweeps in a row without a successful read after which the wait is an error
    :param keep: called with an id, its entity and whether it is finished, each time one was read
    :param missing_since: unix seconds from which a 404 counts; None for when it was first met
    :param is_whole: whether these are all lookups of the batch: only then it is an error that none is found
    """

    resource = endpoints.LOOKUPS

    def __init__(
        self,
        lookup_ids: Iterable[str],
        pending_statuses: Collection[str] = DEFAULT_PENDING_STATUSES,
        max_poll_failures: int = MAX_POLL_FAILURES,
        keep: Callable[[str, Entity, bool], object] = lambda _id, _entity, _finished: None,
        missing_since: float | None = None,
        *,
        is_whole: bool = True,
    ) -> None:
        self._is_whole = is_whole
        self._pending_statuses = frozenset(map(normalise_status, pending_statuses))
        self._keep = keep
        super().__init__(lookup_ids, WatchRules(max_poll_failures=max_poll_failures), missing_since=missing_since)

    def saw(self, sms_id: str, entity: Mapping[str, Any]) -> None:
        """Take in an entity that was read."""
        self._missing.pop(sms_id, None)
        word = normalise_status(entity.get("status"))[:LONGEST_WORD] or NO_STATUS
        reading = Reading(word)
        self._settle(sms_id, reading)
        self._keep(sms_id, dict(entity), self.verdict(reading) is not Verdict.PENDING)

    def verdict(self, reading: Reading) -> Verdict:
        """Tell what a reading means: the one rule for "finished"."""
        if reading.status == DeliveryStatus.NOT_FOUND:
            return Verdict.UNDELIVERABLE
        waiting = reading.status == UNREAD or reading.status in self._pending_statuses
        return Verdict.PENDING if waiting else Verdict.DELIVERED

    def not_found(self) -> list[str]:
        """Return the ids of the lookups that are absent, or not visible."""
        return [lookup_id for lookup_id, status, _ in self.statuses() if status == DeliveryStatus.NOT_FOUND]

    def result(self) -> LookupResult:
        """Return what is known now."""
        return LookupResult.of({**super().result().as_dict(), "statuses": {}})

    def conclude(self, now: float, deadline: float) -> Conclusion | None:
        """Tell how the wait ended, or None while it goes on: the one rule."""
        if not self.has_pending:
            result = self.result()
            if result.total and not result.delivered and self._is_whole:
                return self._ended(Ending.ERROR, f"{result}: {_NONE_FOUND}")
            return self._ended(Ending.SUCCESS, f"{result}.")
        if self.refusal is not None:
            return self._ended(Ending.ERROR, f"{self.refusal}. So far: {self.result()}. {UNAFFECTED}")
        if now >= deadline:
            trouble = f" The last reads failed: {self.last_error}." if self.last_error else ""
            told = (
                f"Timed out: {self.result()}.{listed('Not finished', self.first_of(Verdict.PENDING), len(self._queue))}"
            )
            return self._ended(Ending.TIMEOUT, f"{told}{trouble} {_STILL_PENDING} {UNAFFECTED}")
        if self.failed_sweeps >= self.rules.max_poll_failures:
            told = f"{self.failed_sweeps} sweeps in a row (`max_poll_failures`) read nothing: {self.last_error}."
            return self._ended(Ending.ERROR, f"{told} So far: {self.result()}. {UNAFFECTED}", final=False)
        return None

    def _ended(self, ending: Ending, message: str, *, final: bool = True) -> Conclusion:
        return Conclusion(ending, self.result(), message, final)


UNAFFECTED = "The lookups themselves are not affected; clearing this task asks for their results and orders none anew."

_STILL_PENDING = "If one of these statuses means finished, leave it out of `pending_statuses`."
_NONE_FOUND = "absent, or not visible to this connection's API token, or its base path is wrong. " + UNAFFECTED
