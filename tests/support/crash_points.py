# SPDX-License-Identifier: Apache-2.0

"""Kill a task process, or its supervisor, at a named point of the code; each point exactly once.

    install({"target": "package.module:Class.method", "when": "before", "call": 1,
             "kill": "task", "marker": "/tmp/.../before-intent"})

The process dies by SIGKILL: no `finally`, no signal handler, no buffered write gets its turn. The marker file is
created exclusively first, so that of all tries and processes only one fires.
`target` names the callable where it is looked up: for a function that another module imported by name, that module.
With `"delay": seconds` in place of `target`, `when` and `call`, the point is a moment instead of a place.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import signal
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class CrashPoint:
    """Where, when and whom to kill.

    :param marker: the file that says it happened; its folder must exist.
    :param target: `module:attribute.path` of a function, method, class method or static method.
    :param when: `before` or `after` the wrapped call; after means: once it returned.
    :param call: which call of the target in this process, counted from 1.
    :param delay: seconds from installing it to the kill, in place of a target.
    :param kill: `task` (this process) or `supervisor` (its parent; this process lives on as an orphan).
    :param try_number: on which try of the task it is installed; None for every one.
    """

    marker: str
    target: str | None = None
    when: str = "before"
    call: int = 1
    delay: float | None = None
    kill: str = "task"
    try_number: int | None = 1

    def __post_init__(self) -> None:
        if (self.target is None) == (self.delay is None):
            raise ValueError("A crash point needs either a target or a delay.")
        if self.target is not None and self.target.count(":") != 1:
            raise ValueError(f"{self.target!r} is not of the form module:attribute.path.")
        if self.when not in {"before", "after"} or self.kill not in {"task", "supervisor"} or self.call < 1:
            raise ValueError(f"{self} is no crash point: see its parameters.")


def install(point: CrashPoint | Mapping[str, Any]) -> None:
    """Arm a crash point in this process.

    :param point: the point, or its fields by name.
    :raises ValueError: when the fields make no sense.
    :raises AttributeError: when the target does not exist.
    """
    armed = point if isinstance(point, CrashPoint) else CrashPoint(**point)
    if armed.delay is not None:
        timer = threading.Timer(armed.delay, _fire, [armed])
        timer.daemon = True
        timer.start()
        return
    module_name, _, path = str(armed.target).partition(":")
    *parents, name = path.split(".")
    owner = functools.reduce(getattr, parents, importlib.import_module(module_name))
    declared = inspect.getattr_static(owner, name)
    if isinstance(declared, staticmethod | classmethod):
        setattr(owner, name, type(declared)(_wrap(declared.__func__, armed)))
    else:
        setattr(owner, name, _wrap(declared, armed))


def _wrap(function: Callable[..., Any], point: CrashPoint) -> Callable[..., Any]:
    is_due = _counter(point.call)

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        due = is_due()
        if due and point.when == "before":
            _fire(point)
        result = function(*arguments, **keywords)
        if due and point.when == "after":
            _fire(point)
        return result

    return call


def _counter(wanted: int) -> Callable[[], bool]:
    lock = threading.Lock()
    calls = 0

    def is_due() -> bool:
        nonlocal calls
        with lock:
            calls += 1
            return calls == wanted

    return is_due


def _fire(point: CrashPoint) -> None:
    supervisor = os.getppid()
    try:
        with Path(point.marker).open("x") as marker:
            json.dump({**asdict(point), "time": time.time(), "pid": os.getpid(), "supervisor": supervisor}, marker)
    except FileExistsError:
        return
    os.kill(os.getpid() if point.kill == "task" else supervisor, signal.SIGKILL)
