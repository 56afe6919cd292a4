# SPDX-License-Identifier: Apache-2.0
"""Two campaigns at once under one rate limit: do they come to even shares, and is the limit used up?"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import floor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.children import run_child
from benchmarks.report import Bar, Section
from benchmarks.sandbox import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

LATENCY = 0.2
RATE_LIMIT, RATE_WINDOW = 80, 10.0
LATER = 3.0
"""Seconds by which the second campaign starts after the first."""

CHUNK = 100
TIMEOUT = 900.0
FULL, QUICK = 60_000, 24_000
CREATED, TOO_MANY_REQUESTS = 201, 429
EVEN, USED = 0.2, 0.9
NAMES = ("first", "second")


@dataclass(frozen=True)
class Share:
    """What became of one campaign's requests.

    :param by_half: requests accepted by the half of the time in which both were sending
    :param after_half: those accepted in its second half
    :param refused: requests refused in all
    :param refused_later: those after the window in which the second campaign began
    """

    by_half: int
    after_half: int
    refused: int
    refused_later: int


@dataclass(frozen=True)
class Sharing:
    """How two campaigns shared a limit.

    :param shares: of each, in the order in which they started
    :param used: share of the limit that was used, in the whole windows in which both were sending
    """

    shares: tuple[Share, Share]
    used: float

    @property
    def difference_by_half(self) -> float:
        """By which part of the larger one the shares by the half differ."""
        return _difference([share.by_half for share in self.shares])

    @property
    def difference_after_half(self) -> float:
        """By which part of the larger one the shares after the half differ."""
        return _difference([share.after_half for share in self.shares])


def section(*, quick: bool) -> Section:
    """Two campaigns of the same size: at once, then the second one some seconds later."""
    messages = QUICK if quick else FULL
    return _section(messages, _measure(messages, 0.0), _measure(messages, LATER))


def _measure(messages: int, later: float) -> Sharing:
    with SandboxProcess(latency=LATENCY, rate_limit=RATE_LIMIT, rate_window=RATE_WINDOW) as sandbox:
        with ThreadPoolExecutor(len(NAMES)) as threads:
            for done in [threads.submit(_run, sandbox.url, place, messages, later) for place in range(len(NAMES))]:
                done.result()
        found = sandbox.accepted()
        if found["accepted"] != messages * len(NAMES):
            raise RuntimeError(f"each of {messages} messages was to be accepted twice, and the ledger says {found}")
        return shared(sandbox.requests("bulk"))


def main(url: str, name: str, messages: int, later: float) -> None:
    """Run one campaign.

    :param url: of the sandbox
    :param name: by which its requests are known
    :param messages: how many it sends
    :param later: seconds to wait before
    """
    from benchmarks import campaign

    time.sleep(later)
    with TemporaryDirectory() as folder:
        recipients = campaign.write_recipients(Path(folder) / "recipients.csv", messages)
        store, results = campaign.StateStore(), Path(folder) / "results.jsonl"
        outcome = campaign.send(url, recipients, store, results, name=name)
    if outcome.error is not None or outcome.summary["accepted"] != messages:
        raise RuntimeError(f"the campaign failed: {outcome.error}")


def shared(records: Sequence[dict[str, Any]]) -> Sharing:
    """Return how two campaigns shared the windows of whole seconds, which began with their first request.

    :param records: the sandbox's, of both
    """
    own = [[one for one in records if one["headers"]["user-agent"].endswith(name)] for name in NAMES]
    accepted = [[one["time"] for one in requests if one["status"] == CREATED] for requests in own]
    refused = [[one["time"] for one in requests if one["status"] == TOO_MANY_REQUESTS] for requests in own]
    both_from = max(min(one["time"] for one in requests) for requests in own)
    both_until = min(max(times) for times in accepted)
    half = (both_from + both_until) / 2
    start = floor(min(min(times) for times in accepted))
    first = int((both_from - start) // RATE_WINDOW) + 1
    last = int((both_until - start) // RATE_WINDOW)
    begins, ends = start + first * RATE_WINDOW, start + last * RATE_WINDOW
    shares = [
        Share(
            sum(one <= half for one in times),
            sum(half < one <= both_until for one in times),
            len(not_taken),
            sum(one >= begins for one in not_taken),
        )
        for times, not_taken in zip(accepted, refused, strict=True)
    ]
    used = sum(begins <= one < ends for times in accepted for one in times)
    return Sharing((shares[0], shares[1]), used / (RATE_LIMIT * (last - first)))


def _difference(shares: Sequence[int]) -> float:
    return 1 - min(shares) / max(shares)


def _run(url: str, place: int, messages: int, later: float) -> None:
    run_child("sharing", TIMEOUT, url=url, name=NAMES[place], messages=messages, later=place * later)


def _rows(begun: str, messages: int, sharing: Sharing) -> list[tuple[str, ...]]:
    return [
        (
            f"{begun}: {name}, of {messages:,} messages",
            f"{share.by_half * CHUNK:,}",
            f"{share.after_half * CHUNK:,}",
            str(share.refused),
            str(share.refused_later),
        )
        for name, share in zip(NAMES, sharing.shares, strict=True)
    ]


def _section(messages: int, together: Sharing, apart: Sharing) -> Section:
    used = min(together.used, apart.used)
    return Section(
        "Sharing the rate limit",
        f"Two campaigns, each in a process of its own, with {RATE_LIMIT} requests per {RATE_WINDOW:.0f} s between them "
        f"and {LATENCY * 1000:.0f} ms latency: begun together, then the second {LATER:.0f} s after the first, which "
        "has used up the window by then. The time is that in which both were sending; messages by its half include "
        "those that the first had sent alone.",
        ("campaign", "messages by half of the time", "in the second half", "refused (429)", "after the first window"),
        [*_rows("together", messages, together), *_rows("one after the other", messages, apart)],
        [
            _even("begun together: difference by half of the time", together.difference_by_half),
            _even("begun together: in the second half", together.difference_after_half),
            _even("begun one after the other: in the second half", apart.difference_after_half),
            Bar("use of the limit while both send", f"at least {USED:.0%}", f"{used:.1%}", used >= USED),
        ],
    )


def _even(what: str, difference: float) -> Bar:
    return Bar(what, f"at most {EVEN:.0%}", f"{difference:.1%}", difference <= EVEN)
