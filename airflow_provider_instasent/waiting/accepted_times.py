# SPDX-License-Identifier: Apache-2.0
"""When the messages of a batch were accepted, as far as somebody knows it: where in the list to look for them."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

LENGTH = 60.0
"""Seconds that a stretch is long."""


class Stretch(NamedTuple):
    """A stretch of time on the server's clock.

    :param earliest: in unix seconds
    :param latest: the same
    """

    earliest: float
    latest: float


UNTOLD = Stretch(-math.inf, math.inf)
"""The stretch of messages of which nobody knows when they were accepted."""


class AcceptedTimes:
    """When each message of a batch was accepted, on the server's clock.

    :param runs: how many messages in a row, in the order of the batch, are of one stretch, and which that is
    """

    def __init__(self, runs: Sequence[tuple[int, Stretch]] = ()) -> None:
        self._runs = runs

    @classmethod
    def of(cls, values: Any) -> AcceptedTimes:
        """Return what :meth:`as_json` made plain, for the whole batch.

        :param values: the earliest and the latest moment, in unix seconds; None where nobody knows
        """
        return cls() if values is None else cls([(-1, Stretch(float(values[0]), float(values[1])))])

    @classmethod
    def between(cls, earliest: float, latest: float) -> AcceptedTimes:
        """Return that a whole batch was accepted between two moments, in unix seconds."""
        return cls([(-1, Stretch(earliest, latest))])

    @classmethod
    def each(cls, moments: Iterable[float | None]) -> AcceptedTimes:
        """Return when each message was accepted.

        :param moments: in the order of the batch, in unix seconds, None where it is not known
        """
        runs: list[tuple[float | None, int]] = []
        ends: dict[float | None, tuple[float, float]] = {None: UNTOLD}
        for moment in moments:
            begin = None if moment is None else moment // LENGTH
            if moment is not None:
                earliest, latest = ends.get(begin, (moment, moment))
                ends[begin] = min(earliest, moment), max(latest, moment)
            if runs and runs[-1][0] == begin:
                runs[-1] = (begin, runs[-1][1] + 1)
            else:
                runs.append((begin, 1))
        return cls([(count, Stretch(*ends[begin])) for begin, count in runs])

    @property
    def whole(self) -> Stretch:
        """The stretch in which the whole batch was accepted, as far as it is known."""
        told = [stretch for _, stretch in self._runs if stretch != UNTOLD]
        if not told:
            return UNTOLD
        return Stretch(min(one.earliest for one in told), max(one.latest for one in told))

    def as_json(self) -> list[float] | None:
        """Return the stretch of the whole batch as JSON values, None where nobody knows it."""
        return None if self.whole == UNTOLD else list(self.whole)

    def stretches(self, ids: Iterable[str], pending: Collection[str]) -> dict[Stretch, list[str]]:
        """Return ids by the stretch in which they were accepted.

        :param ids: of the batch, in its order
        :param pending: those that are asked for
        """
        found: dict[Stretch, list[str]] = defaultdict(list)
        each = chain.from_iterable(
            repeat(stretch) if count < 0 else repeat(stretch, count) for count, stretch in self._runs
        )
        for sms_id, stretch in zip(ids, chain(each, repeat(UNTOLD)), strict=False):
            if sms_id in pending:
                found[stretch].append(sms_id)
        return dict(found)
