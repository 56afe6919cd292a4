# SPDX-License-Identifier: Apache-2.0
"""A long history in the sandbox, and one that grows while it is read."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.sandbox import deliverable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_instasent.sandbox.server import SandboxServer


def accept(sandbox: SandboxServer, first: int, count: int, at: float | None = None) -> set[str]:
    """Have the sandbox accept messages and return their ids.

    :param first: tells these messages from others
    :param at: seconds since the sandbox's start; None for now
    """
    now = sandbox.sandbox.clock.now() if at is None else at
    indices = [
        sandbox.ledger.accept(
            client_id=f"id-{place}",
            sender="Tests",
            to=deliverable(place),
            text=f"history {place}",
            allow_unicode=False,
            now=now,
        )
        for place in range(first, first + count)
    ]
    return {sandbox.ledger.message(index).id for index in indices}


@contextmanager
def arriving(sandbox: SandboxServer, first: int, per_second: int) -> Iterator[set[str]]:
    """Have messages arrive while something else goes on; yields the set that their ids are added to."""
    over, ids = threading.Event(), set[str]()

    def arrive() -> None:
        came = first
        while not over.wait(0.02):
            batch = max(1, per_second // 50)
            ids.update(accept(sandbox, came, batch))
            came += batch

    thread = threading.Thread(target=arrive)
    thread.start()
    try:
        yield ids
    finally:
        over.set()
        thread.join()


def wait_for_arrivals(ids: set[str], count: int = 1) -> None:
    """Wait until some messages have arrived."""
    deadline = time.monotonic() + 10
    while len(ids) < count:
        assert time.monotonic() < deadline, "nothing arrives"
        time.sleep(0.01)
