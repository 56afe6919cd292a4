# SPDX-License-Identifier: Apache-2.0
"""Waiting for a batch of messages: the one rule for when a wait is over and how it ended. No sockets, no clock.

Every way of waiting (poke, reschedule, deferred, an operator's own wait) feeds what it read into a :class:`Watch`
and asks :meth:`Watch.conclude`.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import endpoints, parameter_checks
from airflow_provider_instasent.api.server_words import brief
from airflow_provider_instasent.api.statuses import (
    DEFAULT_SUCCESS_STATUSES,
    DeliveryStatus,
    Verdict,
    is_known,
    judge,
)
from airflow_provider_instasent.waiting import conclusion
from airflow_provider_instasent.waiting.accepted_times import AcceptedTimes, Stretch
from airflow_provider_instasent.waiting.poll_failures import MAX_POLL_FAILURES
from airflow_provider_instasent.waiting.polling import Polling
from airflow_provider_instasent.waiting.reading import NOT_FOUND_YET, UNREAD, Reading, reading_of
from airflow_provider_instasent.waiting.trigger_size import check_fits_trigger, fits_trigger
from airflow_provider_instasent.waiting.wait_result import MAX_REPORTED, WatchResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_provider_instasent.waiting.conclusion import Conclusion

MISSING_GRACE = 120.0
"""Seconds for which a 404 may be lag after acceptance; unknown how long the real lag is."""

MOST_WORDS = 20
"""Undocumented status words that are told."""


@dataclass(frozen=True, slots=True)
class WatchRules:
    """What counts as success, and how much trouble is borne.

    :param success_statuses: statuses that count as delivered; `delivered` always does
    :param min_delivered_ratio: share of the batch, 0 to 1, that must be delivered
    :param max_poll_failures: sweeps in a row without a successful read after which the wait is an error
    :param missing_grace: seconds for which a message that is not found is pending
    :raises ValueError: names the parameter
    """

    success_statuses: Sequence[str] = DEFAULT_SUCCESS_STATUSES
    min_delivered_ratio: float = 1.0
    max_poll_failures: int = MAX_POLL_FAILURES
    missing_grace: float = field(default_factory=lambda: MISSING_GRACE)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "success_statuses", parameter_checks.statuses("success_statuses", self.success_statuses)
        )
        parameter_checks.ratio("min_delivered_ratio", self.min_delivered_ratio)
        parameter_checks.whole("max_poll_failures", self.max_poll_failures)

    def needed(self, total: int) -> int:
        """Return how many of a batch must be delivered; exact, where 0.07 * 100 is more than 7 in floats."""
        return math.ceil(Fraction(str(self.min_delivered_ratio)) * total)


class Watch(Polling):
    """What is known of each message of a batch, and what that means.

    :param message_ids: the batch; an id given twice is watched once
    :param rules: what counts as success
    :param memory: what :meth:`memory` of an earlier watch over these messages returned; `without_id` in it is how many
        messages of the batch were accepted under an id that is not known: they count as never delivered
    :param missing_since: unix seconds from which a 404 counts where nothing remembers when it was first seen
    :param accepted: when the messages were accepted; None for what `memory` tells
    :ivar changed: whether a status has changed since somebody last set this back
    """

    resource = endpoints.SMS

    def __init__(
        self,
        message_ids: Iterable[str],
        rules: WatchRules | None = None,
        memory: Mapping[str, Any] | None = None,
        missing_since: float | None = None,
        accepted: AcceptedTimes | None = None,
    ) -> None:
        super().__init__()
        self.rules = rules or WatchRules()
        self._readings = dict.fromkeys(message_ids, Reading())
        self._queue = dict.fromkeys(self._readings)
        self._missing: dict[str, float] = {}
        self._missing_since = missing_since
        self._settled: Counter[Verdict] = Counter()
        self._counts = Counter({UNREAD: len(self._readings)})
        self._unknown_words: set[str] = set()
        self.unlogged_words: list[str] = []
        self._without_id = 0
        self._needed: int | None = None
        self.changed = False
        self.accepted = accepted or AcceptedTimes.of((memory or {}).get("accepted"))
        self._restore(memory or {})

    def __len__(self) -> int:
        return len(self._readings)

    @property
    def pending(self) -> list[str]:
        """The ids without a final verdict, in the order in which they were given."""
        return list(self._queue)

    @property
    def ids(self) -> Iterable[str]:
        """The ids of all messages, in the order in which they were given."""
        return self._readings.keys()

    @property
    def has_pending(self) -> bool:
        """Whether any message has no final verdict."""
        return bool(self._queue)

    def count_pending(self) -> int:
        """Return how many messages have no final verdict."""
        return len(self._queue)

    def is_pending(self, sms_id: str) -> bool:
        """Tell whether a message is one of this batch and has no final verdict."""
        return sms_id in self._queue

    def stretches(self) -> dict[Stretch, list[str]]:
        """Return the ids without a final verdict by the stretch of time in which they were accepted."""
        return self.accepted.stretches(self._readings, self._queue)

    def saw(self, sms_id: str, entity: Mapping[str, Any]) -> None:
        """Take in an entity that was read.

        :param entity: as the API sent it; nothing but its id is certain (inferred: `status`, `statusCode`)
        """
        self._missing.pop(sms_id, None)
        reading = reading_of(entity)
        self._settle(sms_id, reading)
        word = reading.status
        is_told = is_known(word) or word in self.rules.success_statuses or word in self._unknown_words
        if not is_told and len(self._unknown_words) < MOST_WORDS:
            self._unknown_words.add(word)
            self.unlogged_words.append(word)

    def missed(self, sms_id: str, now: float) -> None:
        """Take in a 404: lag for a while, then final.

        :param now: unix seconds
        """
        first = now if self._missing_since is None else self._missing_since
        since = self._missing.setdefault(sms_id, first)
        if now - since >= self.rules.missing_grace:
            self._settle(sms_id, Reading(DeliveryStatus.NOT_FOUND.value))

    def conclude(self, now: float, deadline: float) -> Conclusion | None:
        """Tell how the wait ended, or None while it goes on: the one rule.

        :param now: unix seconds
        :param deadline: unix seconds
        """
        if self._needed is None:
            self._needed = self.rules.needed(self._total)
        needed, arrived = self._needed, self._settled[Verdict.DELIVERED]
        if arrived + len(self._queue) < needed:
            return conclusion.undeliverable(self.result(), needed, self.first_of(Verdict.UNDELIVERABLE))
        if not self._queue:
            return conclusion.delivered(self.result())
        if self.refusal is not None:
            return conclusion.refused(self.result(), self.refusal)
        if now >= deadline:
            if arrived >= needed:
                return conclusion.delivered_in_time(self.result(), self._count_missing())
            named = self.first_of(Verdict.UNDELIVERABLE, Verdict.PENDING)
            return conclusion.timed_out(self.result(), needed, named, self._count_missing(), self.last_error)
        if self.failed_sweeps >= self.rules.max_poll_failures:
            return conclusion.unreadable(self.result(), self.failed_sweeps, self.last_error)
        return None

    def result(self) -> WatchResult:
        """Return what is known now."""
        counts = +self._counts
        if self._without_id:
            counts[DeliveryStatus.NO_ID.value] = self._without_id
        first = islice(self._readings.items(), MAX_REPORTED)
        return WatchResult(
            total=self._total,
            delivered=self._settled[Verdict.DELIVERED],
            undeliverable=self._settled[Verdict.UNDELIVERABLE] + self._without_id,
            pending=len(self._queue),
            counts=dict(counts),
            statuses={sms_id: {"status": one.status, "code": one.code} for sms_id, one in first},
        )

    def first_of(self, *verdicts: Verdict) -> list[tuple[str, str]]:
        """Return the first messages of such a verdict, those of the first one first, as `(id, status)` in words.

        An id that the API has never answered for may be anything, a phone number too, and is masked as one.
        """
        found = (
            (sms_id, NOT_FOUND_YET) if self._is_missing(sms_id) else (sms_id, reading)
            for verdict in verdicts
            for sms_id, reading in self._readings.items()
            if self.verdict(reading) is verdict
        )
        first = islice(found, conclusion.MOST_NAMED)
        return [(sms_id if reading.is_told else brief(sms_id), str(reading)) for sms_id, reading in first]

    def _is_missing(self, sms_id: str) -> bool:
        """Tell whether the API does not know a message, and that may still be lag."""
        return sms_id in self._missing and sms_id in self._queue

    def _count_missing(self) -> int:
        return sum(map(self._is_missing, self._missing))

    def statuses(self) -> Iterator[tuple[str, str, str | None]]:
        """Yield `(id, status, code)` of every message."""
        for sms_id, reading in self._readings.items():
            yield sms_id, reading.status, reading.code

    def verdict(self, reading: Reading) -> Verdict:
        """Tell what a reading means: the one rule for "finished"."""
        return judge(reading.status, self.rules.success_statuses)

    def memory(self) -> dict[str, Any]:
        """Return what a later watch over these messages needs to go on from here, as JSON values."""
        settled = {
            sms_id: [one.status, one.code] for sms_id, one in self._readings.items() if sms_id not in self._queue
        }
        return {
            "settled": settled,
            "missing": dict(self._missing),
            "without_id": self._without_id,
            "accepted": self.accepted.as_json(),
            "failed_sweeps": self.failed_sweeps,
            "last_error": self.last_error,
            "unknown_words": sorted(self._unknown_words),
            "blocked_until": self.blocked_until,
            "next_sweep": self.next_sweep,
        }

    def for_trigger(self) -> tuple[list[str], dict[str, Any]]:
        """Return the ids and the memory that a trigger takes over, which Airflow stores with it.

        :raises ValueError: where they are more than it can store; says how many
        """
        ids, memory = self.pending, self.memory()
        if not fits_trigger(ids, memory):  # then what is final is asked for once more
            ids, memory = [*memory["settled"], *ids], {**memory, "settled": {}, "missing": {}}
        check_fits_trigger(ids, memory)
        return ids, memory

    def for_trigger_beside_file(self) -> dict[str, Any]:
        """Return the memory that a trigger takes over where a results file knows the messages and what is final."""
        return {**self.memory(), "settled": {}, "missing": {}}

    @property
    def _total(self) -> int:
        return len(self._readings) + self._without_id

    def _restore(self, memory: Mapping[str, Any]) -> None:
        for sms_id, (status, code) in memory.get("settled", {}).items():
            if sms_id in self._readings:
                self._settle(sms_id, Reading(status, code))
        self._missing = {sms_id: since for sms_id, since in memory.get("missing", {}).items() if sms_id in self._queue}
        self._without_id = memory.get("without_id", 0)
        self.failed_sweeps = memory.get("failed_sweeps", 0)
        self.last_error = memory.get("last_error")
        self._unknown_words = set(memory.get("unknown_words", ()))
        self.blocked_until = memory.get("blocked_until", 0.0)
        self.next_sweep = memory.get("next_sweep", 0.0)

    def _settle(self, sms_id: str, reading: Reading) -> None:
        former = self._readings[sms_id].status
        self._readings[sms_id] = reading
        if former != reading.status:
            self._counts[former] -= 1
            self._counts[reading.status] += 1
            self.changed = True
        verdict = self.verdict(reading)
        if verdict is not Verdict.PENDING and sms_id in self._queue:
            del self._queue[sms_id]
            self._settled[verdict] += 1
