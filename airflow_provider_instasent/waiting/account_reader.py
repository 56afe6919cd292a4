# SPDX-License-Identifier: Apache-2.0
"""The one reader of an account: reads for all waits together, each page once, where their messages are.

No sockets, no threads: it says what to read next (:meth:`AccountReader.next_reads`), takes in what came of it
(:meth:`AccountReader.take`), and tells which waits are over. Reads are made once: going on later is the retry.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airflow_provider_instasent.api import endpoints, errors
from airflow_provider_instasent.api.exchange import Answer, Failure, Kind
from airflow_provider_instasent.api.flows import exchange
from airflow_provider_instasent.api.rate_window import RateWindow
from airflow_provider_instasent.api.refusals import error_of
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.waiting.list_positions import PAGE
from airflow_provider_instasent.waiting.list_reading import ListReading
from airflow_provider_instasent.waiting.poll_budget import SENDS_RESERVE
from airflow_provider_instasent.waiting.read_trouble import BEYOND_END, FORBIDDEN, LONG_PAUSE, ReadTrouble
from airflow_provider_instasent.waiting.reads import PageRead, Read, SingleRead
from airflow_provider_instasent.waiting.watched_messages import WatchedMessages

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from airflow_provider_instasent.api.endpoints import Resource
    from airflow_provider_instasent.api.exchange import Flow, Outcome
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.poll_budget import PollBudget
    from airflow_provider_instasent.waiting.subscription import Subscription

IN_FLIGHT = 5
"""Reads in flight at once, once one has succeeded: a bad token or an API that is down costs a request or three."""

FEW = 3
"""Messages whose place in the list is not known up to which each is read by itself."""

PAGES_A_SINGLE_TURN = 4
"""Turns of pages after which messages that the list does not show get one, however much of it is due."""

IDLE = 0.05
"""The least seconds between two questions what to read, while a sweep is under way."""

SOON = 0.25
"""Seconds until a read may leave up to which it is worth choosing it now."""

AT_ONCE = 1.0
"""Seconds that reads chosen together may take to leave one after the other."""

JOIN_EARLIER = 0.5
"""Share of its interval by which a wait looks earlier, to share the pages that another one reads anyway."""


class AccountReader:
    """Reads for any number of waits. For one thread, or one event loop.

    :param resource: what is waited for: SMS or lookups
    :param budget: of the account
    :param clock: unix seconds, on a clock that nobody sets
    :param gather: share of its interval by which the first look of a small wait is put off
    """

    def __init__(
        self, resource: Resource, budget: PollBudget, clock: Callable[[], float], *, gather: float = 0.0
    ) -> None:
        self._gather = gather
        self._resource = resource
        self._budget = budget
        self._clock = clock
        self._messages = WatchedMessages()
        self._pages = ListReading(self._messages, clock)
        self._windows: dict[type[Read], RateWindow] = {
            kind: RateWindow(clock, reserve=SENDS_RESERVE) for kind in (PageRead, SingleRead)
        }
        self._trouble = ReadTrouble(self._windows)
        self._has_succeeded = False
        self._pages_in_turn = 0

    @property
    def subscriptions(self) -> list[Subscription]:
        """The waits that it reads for."""
        return self._messages.subscriptions

    def ahead_by(self) -> float:
        """Return by how many seconds its clock is ahead of the machine's, which somebody may have set meanwhile."""
        return self._clock() - time.time()

    def attach(self, subscription: Subscription) -> None:
        """Read for one more wait from now on."""
        subscription.join(self._clock())
        self._messages.add(subscription)
        self._set_rate()

    def pause_until(self, moment: float) -> None:
        """Read nothing before a moment, in unix seconds: an earlier reader of the same wait was told so."""
        self._trouble.pause_all(moment, self._clock())

    def detach(self, subscription: Subscription) -> None:
        """Read for a wait no longer."""
        if subscription in self.subscriptions:
            self._pages.search.forget(subscription)
            self._messages.remove(subscription)
            self._set_rate()

    @property
    def is_paused(self) -> bool:
        """Whether the API asked for a pause, or does not answer: nothing of what is due may be read for long."""
        return all(self._trouble.is_held_up(kind, self._clock(), LONG_PAUSE) for kind in self._due_kinds())

    def idle_for(self) -> float:
        """Return the seconds until there is something to do."""
        now = self._clock()
        delays = [max(self.delay(kind), self._trouble.until(kind) - now) for kind in self._windows]
        free = now + min(delays)
        # What a sweep has left is of the kind that may not be read now.
        soonest = now + max(IDLE, min((one for one in delays if one > SOON), default=min(delays)))
        looks = (soonest if one.in_sweep else max(one.look_at(self._gather), free) for one in self.subscriptions)
        ends = (end for one in self.subscriptions for end in (one.deadline, one.gives_up_at) if end > now)
        return max(0.0, min((*looks, *ends), default=now) - now)

    def delay(self, kind: type[Read]) -> float:
        """Return the seconds until a read of a kind may leave, 0 for now."""
        return max(self._budget.delay(), self._windows[kind].pause())

    def delay_of(self, read: Read) -> float | None:
        """Return the seconds until a read that was chosen may leave; None where others used what was left meanwhile."""
        delay = self.delay(type(read))
        return None if delay > AT_ONCE else delay

    def next_reads(self) -> list[Read]:
        """Return what to read next, side by side, each after its :meth:`delay_of`; none where nothing is to do."""
        self._begin_sweeps()
        now, messages = self._clock(), self._messages
        if self._budget.delay() > SOON:
            return []
        most = min(IN_FLIGHT, 1 + int(AT_ONCE / self._budget.interval)) if self._has_succeeded else 1
        may_page, may_read = (not self._trouble.is_held_up(kind, now, SOON) for kind in self._windows)
        if not may_read:
            self._pages.search.give_up_probes()
        singles: list[Read] = []
        if self._pages_in_turn >= PAGES_A_SINGLE_TURN and may_read:
            self._pages_in_turn = 0
            singles = self._single_reads(most)
        pages = self._list_reads(most) if may_page and not singles else []
        if self._trouble.is_held_up(PageRead, now, LONG_PAUSE):
            for one in self.subscriptions:
                messages.singly.update(one.left if self._can_do_without_list(one, now) else {})
        return singles or pages or (self._single_reads(most) if may_read else [])

    def leaves(self, read: Read) -> None:
        """Count a read as leaving now."""
        self._budget.leave()
        self._windows[type(read)].leave()
        for subscription in self.subscriptions:
            subscription.requests += subscription.in_sweep

    def abandon(self, read: Read) -> None:
        """Take in that nobody waits for the answer of a read that has left."""
        self._windows[type(read)].land(None, counted=True)

    def flow(self, read: Read) -> Flow[tuple[Outcome, Any]]:
        """Return the steps of a read."""
        if isinstance(read, PageRead):
            return exchange(self._resource.list(read.number, PAGE), endpoints.read_list, ONE_ATTEMPT)
        return exchange(self._resource.get(read.message_id), self._resource.read, ONE_ATTEMPT)

    def take(self, read: Read, outcome: Outcome, result: Any) -> None:
        """Take in what came of a read.

        :param read: which it was
        :param outcome: what came of it
        :param result: the entities of a page, or the entity of a message; None where there are none
        """
        now = self._clock()
        limit = outcome.rate_limit(now) if isinstance(outcome, Answer) else None
        self._windows[type(read)].land(limit, counted=isinstance(outcome, Failure) and outcome.left)
        self._budget.learn(None if limit is None else limit.limit)
        error = None if result is not None else error_of(Kind.READ, outcome)
        if isinstance(read, SingleRead) and isinstance(error, errors.NotFoundError):
            self._messages.missed(read.message_id, now)
            self._pages.search.probed(read.message_id, None)
            error = None
        elif isinstance(read, SingleRead) and result is not None:
            self._messages.saw(read.message_id, result)
            self._pages.search.probed(read.message_id, result)
        elif isinstance(read, PageRead) and result is not None:
            self._pages.take(read.number, result)
        if error is None:
            self._has_succeeded = True
            self._trouble.succeeded(type(read))
        else:
            self._failed(read, outcome, error, now)
        self._end_sweeps(now)

    def conclusions(self, *, sits_out: bool = True) -> list[tuple[Subscription, Conclusion]]:
        """Return the waits that are over, and how they ended.

        :param sits_out: whether a wait whose deadline comes in a pause looks once more after it
        """
        now, is_paused, ended = self._clock(), self.is_paused, []
        free_at = min(self._trouble.free_at(kind, now) for kind in self._due_kinds())
        for one in self.subscriptions:
            may_look = sits_out and free_at < one.gives_up_at
            if (conclusion := one.conclude(now, is_paused=is_paused, sits_out=may_look)) is not None:
                ended.append((one, conclusion))
        return ended

    def _due_kinds(self) -> Collection[type[Read]]:
        """Return the kinds of reads that something is due by; both where nothing is."""
        messages = self._messages
        kinds: list[type[Read]] = [PageRead] if messages.placed.has_due or messages.unplaced else []
        kinds += [SingleRead] if messages.singly else []
        return kinds or self._windows

    def _set_rate(self) -> None:
        asked = [one.polls_per_minute for one in self.subscriptions if one.polls_per_minute is not None]
        self._budget.ask(self, min(asked, default=None))

    def _begin_sweeps(self) -> None:
        now = self._clock()
        if not any(now >= one.look_at(self._gather) for one in self.subscriptions if not one.in_sweep):
            return
        if not any(one.in_sweep for one in self.subscriptions):
            self._has_succeeded = False
            self._trouble.round_begins()
        for one in self.subscriptions:
            if one.is_due(now + JOIN_EARLIER * one.poll_interval):
                self._messages.begin_sweep(one, now)

    def _end_sweeps(self, now: float) -> None:
        for one in [one for one in self.subscriptions if one.in_sweep and not one.left]:
            one.end_sweep(now)
            self._pages.search.sweep_ended(one)

    def _list_reads(self, most: int) -> list[Read]:
        search = self._pages.search
        few = 0 if self._trouble.is_given_up(SingleRead, self._clock()) else FEW
        if few and (probes := search.probes(few)):
            self._messages.singly = {**dict.fromkeys(probes), **self._messages.singly}
        if search.is_probing:
            return self._single_reads(most)
        numbers = self._pages.next_numbers(few, most)
        self._pages_in_turn += bool(numbers)
        return [PageRead(number) for number in numbers]

    def _can_do_without_list(self, one: Subscription, now: float) -> bool:
        """Tell whether what a wait has left is read one by one while the list may not be read."""
        if not self._trouble.is_given_up(PageRead, now):
            return len(one.left) <= FEW
        return len(one.left) <= PAGE or not self._trouble.is_limited(PageRead)

    def _single_reads(self, most: int) -> list[Read]:
        messages = self._messages
        if not (messages.singly or messages.placed.has_due or messages.unplaced):
            for one in self.subscriptions:  # whatever was overlooked
                messages.singly.update(one.left)
        return [SingleRead(message_id) for message_id in messages.next_singly(most)]

    def _failed(self, read: Read, outcome: Outcome, error: errors.ApiError, now: float) -> None:
        """Take in a read that failed."""
        if self._is_told(read, error):
            return
        reading = [one for one in self.subscriptions if one.in_sweep]
        interval = min((one.poll_interval for one in reading), default=0.0)
        trouble = self._trouble.failed(type(read), outcome, error, now, interval)
        if isinstance(read, PageRead):
            self._pages.failed(read.number, is_rate_limited=trouble.is_rate_limited)
        elif not trouble.is_rate_limited:
            self._messages.asked(read.message_id)
            self._pages.search.probed(read.message_id, None)
        for one in reading:
            one.watch.last_error, one.watch.refusal = str(error), trouble.refusal or one.watch.refusal
        if not trouble.is_over:
            return
        self._has_succeeded = False
        for one in reading:
            if trouble.is_rate_limited:
                one.watch.blocked_until = self._trouble.until(type(read))
            elif one.left and trouble.counts:
                one.sweep_failed(now)
            elif trouble.was_answered:
                one.watch.failed_sweeps = 0

    def _is_told(self, read: Read, error: errors.ApiError) -> bool:
        """Take in a failure that tells something: where the list ends, or that one message may not be read."""
        if isinstance(read, PageRead):
            if is_end := error.status in BEYOND_END and self._trouble.answers(PageRead):
                self._pages.take(read.number, [])
            return is_end
        if error.status != FORBIDDEN:
            return False
        for owner in self._messages.owners(read.message_id):
            owner.watch.last_error = owner.watch.refusal = str(error)
        self._messages.asked(read.message_id)
        self._pages.search.probed(read.message_id, None)
        return True
