# SPDX-License-Identifier: Apache-2.0
"""What is drawn: the habits of an API that nobody documents, and what happens to single requests.

All of it is short to print, for a failing sequence is read by a person.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple


class Brief:
    """Shows only what differs from the defaults."""

    def __repr__(self) -> str:
        told = [
            f"{one.name}={getattr(self, one.name)!r}"
            for one in fields(self)  # type: ignore[arg-type] - a dataclass
            if getattr(self, one.name) != one.default
        ]
        return f"{type(self).__name__}({', '.join(told)})"


class Turn(NamedTuple):
    """What happens to one request.

    :param what: the status it is answered with, or `reset`, `unreadable`, `dies` (the process that sent it), `hangs`,
        `lists` (a refusal that shows what was accepted)
    :param when: `before`, `half` or `after` its messages were accepted
    """

    what: int | str
    when: str = "before"

    def accepts(self, count: int) -> int:
        return {"before": 0, "half": (count + 1) // 2, "after": count}[self.when]


FINE = Turn(201, "after")
MOMENTS = ("before", "after", "half")
REFUSALS = (400, 401, 402, 403, 404, 413, 422, 429)
"""Statuses that prove that nothing was accepted; all others prove nothing."""


@dataclass(frozen=True, repr=False)
class Habits(Brief):
    """How the API behaves; the defaults are the friendliest.

    :param newest_first: the order of the list
    :param page_cap: the most entities it shows a page
    :param repeats_last_page: what comes behind its end is the last page again
    :param echoes: whether entities show their clientId
    :param created_at: how they show their time: `iso`, `seconds`, `milliseconds`, `http`, `object`, `local` (two hours
        ahead, no zone), `west` (five behind, none), `day first`, `nonsense`, `none`
    :param jitter: by how many seconds the times shown are off the order of storage, in turn
    :param lag: seconds until an SMS shows in the list
    :param skew: seconds by which its clock is ahead of the true one
    :param entities: of a bulk answer: `whole`, `no text`, `no plus`, `bare`, `reversed`, `same id`, `one missing`
    :param errors: how they name an item: `clientId`, `to`, `index0`, `index1`, `nameless`, `strings`, `keys0`, `keys1`,
        `client ids`, `fields`
    :param words: what errors say: `plain`, `surrogate`, `zero`, `long`, `deep`, `odd`, `no field`
    :param refuses_whole: a bulk call with a bad item is refused with 422, in place of a 201 with errors
    :param unique_ids: a clientId that was used is refused
    :param keeps_refused_ids: so is one of a message that was refused itself
    :param refused: people whose numbers it refuses
    :param older: SMS of others in the list before ours
    :param busy: SMS of others that come with each read of the list
    :param dates: its answers have a `Date`
    :param twins: SMS of another system with our numbers and texts: `old` (a day), `new` (with clientIds of its own)
    """

    newest_first: bool = True
    page_cap: int = 100
    repeats_last_page: bool = False
    echoes: bool = True
    created_at: str = "iso"
    jitter: tuple[int, ...] = ()
    lag: float = 0.0
    skew: float = 0.0
    entities: str = "whole"
    errors: str = "clientId"
    words: str = "plain"
    refuses_whole: bool = False
    unique_ids: bool = False
    keeps_refused_ids: bool = False
    refused: tuple[int, ...] = ()
    older: int = 0
    busy: int = 0
    dates: bool = True
    twins: str = ""


@dataclass(frozen=True, repr=False)
class End(Brief):
    """How a try's process ends, or stands still, at one of its journal writes.

    :param write: which, from 1
    :param durable: after that write, rather than before it
    :param how: it `dies`; `hangs` until a later try has ended; is asked to end and `stops`; the write `fails`, or only
        says that it did
    """

    write: int = 1
    durable: bool = False
    how: str = "dies"


@dataclass(frozen=True, repr=False)
class Attempt(Brief):
    """One try of the task.

    :param sends: what happens to its sends, in turn; further ones are fine
    :param lists: what happens to its reads of the list: a status, `reset` or `unreadable`; further ones are fine
    :param end: where its process ends
    :param policy: `on_unconfirmed`
    :param goes_on: `on_plan_change="continue"`
    :param version: of all texts
    :param suppressed: people who are never to be texted
    :param skew: seconds by which its worker's clock is ahead
    :param clock_is_set: its worker is the machine of all tries that say so: where their skews differ, somebody set its
        clock
    :param asks_again: `retry_rejected`
    """

    sends: tuple[Turn, ...] = ()
    lists: tuple[int | str, ...] = ()
    end: End | None = None
    policy: str = "fail"
    goes_on: bool = False
    version: int = 0
    suppressed: tuple[int, ...] = ()
    skew: float = 0.0
    clock_is_set: bool = False
    asks_again: bool = False
