# SPDX-License-Identifier: Apache-2.0
"""One search for a sequence that breaks the promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from model.machine import machine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from model.drawing import Drawing
    from model.world import World


def search(
    world: World,
    drawing: Drawing,
    *,
    examples: int,
    steps: int = 6,
    seed: int | None = None,
    ignored: Collection[str] = (),
    each: bool = False,
    shorten: bool = True,
) -> str | None:
    """Make a search; return what it found in words, the shortest sequence first, or None.

    :param examples: how many sequences
    :param steps: the most of each
    :param seed: makes it repeatable; None for the same sequences always
    :param ignored: names of promises not to judge by
    :param each: go on after the first broken promise
    :param shorten: look for a shorter sequence that does the same, which can take minutes
    """
    world.begin_search()
    found = machine(world, drawing, ignored)
    chosen: dict[str, Any] = {
        "max_examples": examples,
        "stateful_step_count": steps,
        "deadline": None,
        "database": None,
        "derandomize": seed is None,
        "print_blob": False,
        "phases": (Phase.generate, Phase.shrink) if shorten else (Phase.generate,),
        "report_multiple_bugs": each,
        "suppress_health_check": list(HealthCheck),
    }
    try:
        run_state_machine_as_test(found if seed is None else hypothesis.seed(seed)(found), settings=settings(**chosen))
    except (AssertionError, BaseExceptionGroup) as error:
        return "\n\n".join(_told(error))
    return None


def _told(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _told(one)
        return
    yield "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
