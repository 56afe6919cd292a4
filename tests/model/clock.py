# SPDX-License-Identifier: Apache-2.0
"""Time in the model's world: it stands still until somebody sleeps or asks the API, so nothing waits and all repeats.

Workers' clocks differ from the true one, and each worker's monotonic clock begins with it. Only one try runs at a time
(a hung one stands still), so whose clock the product reads is whichever worker's turn it is.
"""

from __future__ import annotations

import inspect
import sys
import time
from contextlib import ExitStack, contextmanager
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPOCH = 1_800_000_000.0
SHORTEST_SLEEP = 0.001


class Clock:
    """The true time, and the clock of the worker whose turn it is.

    :ivar now: true unix seconds
    :ivar skew: seconds by which that worker's clock is ahead
    :ivar booted: true unix seconds when that worker's machine was started, and its steady clock with it
    :ivar boot_id: tells that machine since then from all others
    :ivar on_sleep: called before each sleep; what it raises ends it
    """

    def __init__(self) -> None:
        self.now = EPOCH
        self.skew = 0.0
        self.booted = EPOCH
        self.boot_id = ""
        self.on_sleep: Callable[[], object] = lambda: None

    def time(self) -> float:
        return self.now + self.skew

    def monotonic(self) -> float:
        return self.now - self.booted

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        self.now += max(SHORTEST_SLEEP, seconds)  # less may be nothing beside so large a number


@contextmanager
def kept_by(clock: Clock, prefix: str) -> Iterator[None]:
    """Have the modules below a package read this clock, whether they name `time` or took a default from it.

    :param clock: the clock
    :param prefix: the package's name
    """
    modules = [module for name, module in sys.modules.items() if name.startswith(prefix)]
    ours = {
        "time": clock.time,
        "monotonic": clock.monotonic,
        "clock_gettime": lambda _: clock.monotonic(),
        "sleep": clock.sleep,
    }
    fake = SimpleNamespace(**{**vars(time), **ours})
    replaced = ((time.time, clock.time), (time.monotonic, clock.monotonic), (time.sleep, clock.sleep))
    with ExitStack() as stack:
        for module in modules:
            if vars(module).get("time") is time:
                stack.enter_context(patch.object(module, "time", fake))
            for function in _functions_of(module):
                _replace_defaults(function, replaced, stack)
        yield


def _functions_of(module: Any) -> Iterator[FunctionType]:
    owners = [module, *(one for one in vars(module).values() if inspect.isclass(one))]
    for owner in owners:
        for one in vars(owner).values():
            if isinstance(one, FunctionType) and one.__module__ == module.__name__:
                yield one


def _replace_defaults(function: FunctionType, replaced: tuple[tuple[Any, Any], ...], stack: ExitStack) -> None:
    def swap(value: Any) -> Any:
        return next((new for old, new in replaced if old is value), value)

    defaults, keywords = function.__defaults__, function.__kwdefaults__
    if defaults and any(swap(one) is not one for one in defaults):
        stack.callback(setattr, function, "__defaults__", defaults)
        function.__defaults__ = tuple(map(swap, defaults))
    if keywords and any(swap(one) is not one for one in keywords.values()):
        stack.callback(setattr, function, "__kwdefaults__", keywords)
        function.__kwdefaults__ = {name: swap(one) for name, one in keywords.items()}
