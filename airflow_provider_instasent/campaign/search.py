# SPDX-License-Identifier: Apache-2.0
"""Find out what became of messages whose outcome is unconfirmed, by looking for them in `GET /sms`.

Absence proves nothing: the list may lag (unknown), so the look is repeated until the grace is over, and what is then
not found stays unconfirmed. A look that fails on the way (5xx, timeout, rate limit) is no look; only the last one must
not fail.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import (
    ApiError,
    InvalidRequestError,
    NotFoundError,
    NotSentError,
    RateLimitedError,
    UnavailableError,
)
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.recent_pages import OvertakenError, recent_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.campaign.findings import Findings
    from airflow_provider_instasent.campaign.sightings import Search
    from airflow_provider_instasent.journal.worker_clock import WorkerClock

log = logging.getLogger(__name__)

CLOCK_SLACK = 120.0
"""Seconds by which the server's clock and ours may disagree about when a message was created, and by which the moments
of a list may be out of its order."""

MOST_PAGES = 5_000
"""Pages one look reads: half a million SMS at 100 a page, since the earliest moment in question."""

PAGE_SIZE = 100
"""SMS asked for a page; the API may give fewer (its largest page is unknown)."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
"""Seconds between two looks; they double from the first to the longest."""


def search_list(
    search: Search,
    list_page: Callable[[int, int], Page],
    *,
    until: float,
    clock: WorkerClock,
    sleep: Callable[[float], object],
    max_pages: int | None = None,
) -> Findings:
    """Look for unconfirmed messages until all are found or the grace is over.

    :param search: what to look for
    :param list_page: reads a page of `GET /sms`, by its number (from 1) and size
    :param until: when the grace ends, on the steady clock in seconds; at least one look is made
    :param clock: that of this worker
    :param sleep: waits the given seconds
    :param max_pages: the most pages one look reads; None for `MOST_PAGES`
    :returns: what was found, and what the list does not tell
    :raises ApiError: where the list refuses to be read, or the last look failed: nothing is known of the rest
    """
    pause = FIRST_PAUSE
    while True:
        failure: ApiError | None = None
        whole = False
        search.begin()
        try:
            whole = _look(search, list_page, clock, max_pages or MOST_PAGES)
        except (NotSentError, RateLimitedError, UnavailableError) as error:
            failure = error
        findings = search.conclude(whole=whole)
        remaining = until - clock.elapsed()
        if search.is_over or (remaining <= 0 and failure is None):
            for doubt, count in Counter(findings.doubted.values()).most_common():
                log.warning("%d of them may have been accepted: %s.", count, doubt)
            return findings
        if remaining <= 0 and failure is not None:
            raise failure
        sleep(min(pause, remaining))
        pause = min(pause * 2, LONGEST_PAUSE)


def _look(search: Search, list_page: Callable[[int, int], Page], clock: WorkerClock, max_pages: int) -> bool:
    """Read the recent part of the list once; return whether it was read to the edge of the time in question."""
    pages = 0

    def read(number: int) -> Page:
        nonlocal pages
        try:
            page = list_page(number, PAGE_SIZE)
        except NotFoundError:
            if number == 1:
                raise
            page = Page([], None)  # so some servers answer behind the last page
        pages += 1
        clock.learn(page.server_time)
        search.take(page, clock.now())
        return page

    try:
        return recent_pages(read, search.side_of, lambda: search.is_over, search.order, max_pages)
    except OvertakenError as error:
        raise UnavailableError("others send as fast as the list can be read") from error
    except InvalidRequestError as error:  # some servers let nobody see what is far behind
        if not pages:
            raise
        log.warning("The list can be read for %d pages only: %s.", pages, error)
        return False
