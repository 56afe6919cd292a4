# SPDX-License-Identifier: Apache-2.0
"""A long history in the sandbox, and one that grows while it is read."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from support.sandbox import deliverable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.sandbox import SandboxOfTests

    from airflow_provider_instasent.sandbox.server import SandboxServer


def accept(sandbox: SandboxServer, first: int, total: int, at: float | None = None) -> set[str]:
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
        for place in range(first, first + total)
    ]
    return {sandbox.ledger.message(index).id for index in indices}


@contextmanager
def arriving(sandbox: SandboxOfTests, first: int, a_page: int = 30) -> Iterator[set[str]]:
    """Have messages arrive with each page that somebody reads, fewer than it shows: else a list would have no end.

    Yields the set that their ids are added to.
    """
    ids, places = set[str](), count(first, a_page)
    end = sandbox.each("list", lambda: ids.update(accept(sandbox, next(places), a_page)))
    try:
        yield ids
    finally:
        end()
