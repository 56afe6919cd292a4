# SPDX-License-Identifier: Apache-2.0
"""What hypothesis may draw, by the powers of the adversary: a search is denser where it is given few of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from model.habits import FINE, MOMENTS, REFUSALS, Attempt, End, Habits, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy

POWERS = {
    "statuses": "all of them, beside 500 and a cut connection",
    "pages": "order, size and lag of the list; reads of it fail",
    "times": "how SMS show their time; SMS of other systems that look like ours",
    "clocks": "of workers and of the API",
    "answers": "shapes and words; refused numbers, clientIds that were used, money that runs out",
    "rows": "change between tries",
    "copies": "rows that are alike",
    "two tries": "alive at once",
    "runs": "of one campaign, without a shared journal",
    "owners": "tasks that share a campaign and its journal",
    "damage": "parts of a journal get lost",
    "single": "one message a task, and tasks without a journal",
}

FOCI: dict[str, frozenset[str]] = {
    "crashes": frozenset(),
    **{name: frozenset({name}) for name in POWERS},
    "one message": POWERS.keys() - {"copies", "owners"},
    "many messages": POWERS.keys() - {"single"},
}
"""The searches and the powers in each. All have crashes and lost answers."""

CHOICES: dict[str, tuple[Any, ...]] = {
    "page_cap": (100, 3, 2),
    "lag": (0.0, 5.0, 100.0),
    "jitter": ((), (0,), (0, -1), (1, -1, 0), (-2, 2), (2, 0, -2, 1, -1)),
    "created_at": (
        "iso",
        "seconds",
        "milliseconds",
        "http",
        "object",
        "local",
        "west",
        "day first",
        "nonsense",
        "none",
    ),
    "twins": ("", "old", "new"),
    "skew": (0.0, 150.0, -150.0, 3600.0, -3600.0),
    "entities": ("whole", "no text", "no plus", "bare", "reversed", "same id", "one missing"),
    "errors": (
        *("clientId", "to", "index0", "index1", "nameless"),
        *("strings", "keys0", "keys1", "client ids", "fields"),
    ),
    "words": ("plain", "surrogate", "zero", "long", "deep", "odd", "no field"),
    "funds": (None, 0, 1, 4),
    "unclear": (500, "reset", "dies"),
    "more unclear": (502, 503, 408, 409, 499, 302, 421, 425, "unreadable"),
    "refusals": REFUSALS,
    "list reads": (200, 500, 429, "reset", "unreadable"),
    "change": ("text", "gone", "new", "second text", "order", "back"),
    "end": ("dies", "fails", "stops"),
    "policy": ("fail", "resend", "skip"),
}
"""What is chosen from; what comes first is the simplest."""

_BOOLEANS = st.booleans()


@dataclass(frozen=True)
class Drawing:
    """The strategies of one search.

    :param powers: of the adversary
    :param choices: as :data:`CHOICES`, where some are spared
    """

    powers: frozenset[str]
    choices: Mapping[str, tuple[Any, ...]]

    def one_of(self, *names: str) -> SearchStrategy[Any]:
        return st.sampled_from([value for name in names for value in self.choices[name]])

    def people(self) -> SearchStrategy[int]:
        """How many rows there are; a list is only long enough to hide something where they are many."""
        return st.integers(1, 16 if "pages" in self.powers else 8)

    def places(self) -> SearchStrategy[str]:
        """Where the journal is. Without one nothing tells of former texts, nor what a former worker's clock meant."""
        without = ("none",) if "single" in self.powers and not self.powers & {"clocks", "damage", "rows"} else ()
        return st.sampled_from(("values", "path", *without))

    def copies(self) -> SearchStrategy[str]:
        """Whether there are rows that are alike, and whether all of them are `wanted` or but one (`dropped`)."""
        return st.sampled_from(("wanted", "dropped", "") if "copies" in self.powers else ("",))

    def habits(self) -> SearchStrategy[Habits]:
        """How the API behaves in a sequence."""
        drawn: dict[str, SearchStrategy[Any]] = {"newest_first": _BOOLEANS, "echoes": _BOOLEANS}
        if "pages" in self.powers:
            drawn |= {name: self.one_of(name) for name in ("page_cap", "lag", "jitter")}
            drawn |= {"repeats_last_page": _BOOLEANS, "older": st.integers(0, 8), "busy": st.integers(0, 3)}
        if "times" in self.powers:
            drawn |= {name: self.one_of(name) for name in ("created_at", "twins")}
        if "clocks" in self.powers:
            drawn |= {"skew": self.one_of("skew"), "dates": st.sampled_from((True, True, False))}
        if "answers" in self.powers:
            drawn |= {name: self.one_of(name) for name in ("entities", "errors", "words")}
            drawn |= dict.fromkeys(("refuses_whole", "unique_ids", "keeps_refused_ids"), _BOOLEANS)
            drawn["refused"] = st.lists(st.integers(0, 6), max_size=2, unique=True).map(tuple)
        return st.builds(Habits, **drawn)

    def turns(self) -> SearchStrategy[Turn]:
        """What happens to a send."""
        choices = [st.just(FINE)]
        unclear = self.one_of("unclear")
        if "statuses" in self.powers:
            choices.append(st.builds(Turn, self.one_of("refusals")))
            choices.append(st.builds(Turn, st.just("lists"), st.sampled_from(("after", "half"))))
            unclear = self.one_of("unclear", "more unclear")
        elif "answers" in self.powers:
            choices.append(st.builds(Turn, st.sampled_from((400, 422))))
        choices.append(st.builds(Turn, unclear, st.sampled_from(MOMENTS)))
        return st.one_of(choices)

    def attempts(self, *, hanging: bool = False) -> SearchStrategy[Attempt]:
        """A try; `hanging`: one that stands still on its way, where its way is that long."""
        how = st.just("hangs") if hanging else self.one_of("end")
        ends = st.none() | st.builds(End, st.integers(1, 12), _BOOLEANS, how)
        sends = st.lists(self.turns(), max_size=4).map(tuple)
        if hanging:
            hangs = st.builds(Turn, st.just("hangs"), st.sampled_from(("before", "after")))
            sends = sends | st.builds(lambda first, last: (*first, last), st.lists(self.turns(), max_size=2), hangs)
        drawn: dict[str, SearchStrategy[Any]] = {"sends": sends, "end": ends, "policy": self.one_of("policy")}
        if "pages" in self.powers:
            drawn["lists"] = st.lists(self.one_of("list reads"), max_size=4).map(tuple)
        if "clocks" in self.powers:
            drawn["skew"] = self.one_of("skew")
            drawn["clock_is_set"] = _BOOLEANS
        if "answers" in self.powers:
            drawn["asks_again"] = _BOOLEANS
        if "rows" in self.powers:
            drawn["goes_on"] = st.sampled_from((True, False, True))
            drawn["version"] = st.integers(0, 2)
            drawn["suppressed"] = st.lists(st.integers(0, 6), max_size=2, unique=True).map(tuple)
        return st.builds(Attempt, **drawn)
