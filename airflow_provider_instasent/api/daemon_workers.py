# SPDX-License-Identifier: Apache-2.0
"""A few daemon threads: unlike those of `concurrent.futures` they never keep a process from ending."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Workers:
    """Run calls on a fixed number of daemon threads.

    :param count: how many
    :param name: for the threads' names
    """

    def __init__(self, count: int, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        """Run a call soon; its future tells what came of it."""
        future: Future[Any] = Future()
        self._calls.put((future, call))
        return future

    def close(self, timeout: float) -> None:
        """Let the threads end after what was submitted.

        :param timeout: seconds to wait for that; what then still runs is left alone
        """
        for _ in self._threads:
            self._calls.put(None)
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            future, call = item
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - the submitter raises it
                future.set_exception(error)
            else:
                future.set_result(result)
