# SPDX-License-Identifier: Apache-2.0
"""Random sequences of what may happen to a campaign, each step judged by the promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from model.campaign import DAY, Campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from model.drawing import Drawing
    from model.habits import Attempt, Habits
    from model.world import World


def _having(power: str) -> Callable[[Sequence], bool]:
    return lambda sequence: power in sequence.drawing.powers


class Sequence(RuleBasedStateMachine):
    """A sequence, and those of its steps that draw nothing special. The others come with :func:`machine`.

    :cvar world: where it plays
    :cvar drawing: what may be drawn
    :cvar ignored: names of promises that are not judged by
    """

    world: World
    drawing: Drawing
    ignored: Collection[str]
    campaign: Campaign

    @precondition(_having("runs"))
    @rule()
    def another_run_a_day_later(self) -> None:
        self.world.steps += 1
        self.world.clock.now += DAY
        self.campaign.begin_run()

    @precondition(_having("owners"))
    @rule()
    def another_task_shares_it(self) -> None:
        self.world.steps += 1
        self.campaign.begin_owner()

    @precondition(_having("answers"))
    @rule()
    def the_numbers_are_taken_now(self) -> None:
        self.world.steps += 1
        self.campaign.heal()

    @precondition(_having("damage"))
    @precondition(lambda self: len(self.campaign.place.parts()) > 1)
    @rule(first=st.integers(0, 30), count=st.integers(1, 8))
    def parts_of_the_journal_get_lost(self, first: int, count: int) -> None:
        self.world.steps += 1
        self.campaign.lose(first, count)

    def teardown(self) -> None:
        if not hasattr(self, "campaign"):
            return
        try:
            if not self.campaign.broken:
                self.campaign.end_well()
        finally:
            self.campaign.remove()


def machine(world: World, drawing: Drawing, ignored: Collection[str] = ()) -> type[Sequence]:
    """Return the state machine of one search."""

    class OfThisSearch(Sequence):
        @initialize(
            habits=drawing.habits(),
            people=drawing.people(),
            place=drawing.places(),
            own_ids=st.booleans(),
            copies=drawing.copies(),
        )
        def a_campaign(self, habits: Habits, people: int, place: str, own_ids: bool, copies: str) -> None:
            single = "single" in drawing.powers
            self.campaign = Campaign(
                world, habits, people, place, single=single, own_ids=own_ids, copies=copies, ignored=ignored
            )

        @rule(attempt=drawing.attempts())
        def a_try(self, attempt: Attempt) -> None:
            self.world.steps += 1
            self.campaign.attempt(attempt)

        @precondition(_having("two tries"))
        @rule(first=drawing.attempts(hanging=True), second=drawing.attempts())
        def a_try_that_hangs_and_another_one(self, first: Attempt, second: Attempt) -> None:
            self.world.steps += 1
            self.campaign.attempt_two(first, second)

        @precondition(_having("rows"))
        @rule(kind=drawing.one_of("change"), place=st.integers(0, 8))
        def the_rows_change(self, kind: str, place: int) -> None:
            self.world.steps += 1
            self.campaign.change(kind, place)

        @precondition(_having("answers"))
        @rule(funds=drawing.one_of("funds"))
        def there_is_money_for(self, funds: int | None) -> None:
            self.world.steps += 1
            self.campaign.api.funds = funds

    OfThisSearch.world, OfThisSearch.drawing, OfThisSearch.ignored = world, drawing, ignored
    OfThisSearch.__name__ = OfThisSearch.__qualname__ = Sequence.__name__
    return OfThisSearch
