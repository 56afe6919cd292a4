# SPDX-License-Identifier: Apache-2.0
"""What a rescheduled sensor remembers between its pokes, each of which is a new process."""

from __future__ import annotations

import json
from typing import Any

KEY = "instasent_delivery_watch"

_LARGEST = 48_000
"""Characters kept under one key; Airflow warns above 64 KB."""


class PokeMemory:
    """Keeps a watch's memory in Airflow's task state store (3.3+); where there is none, nothing is remembered.

    :param context: the task's context
    """

    def __init__(self, context: Any) -> None:
        self._store = context.get("task_state_store")

    def __bool__(self) -> bool:
        return self._store is not None

    def load(self) -> dict[str, Any]:
        """Return what was kept, or nothing."""
        kept = self._store.get(KEY) if self else None
        return json.loads(kept) if isinstance(kept, str) else {}

    def keep(self, memory: dict[str, Any]) -> None:
        """Keep a watch's memory; of a batch too large for it, only the counters."""
        if not self:
            return
        text = json.dumps(memory)
        if len(text) > _LARGEST:
            text = json.dumps({**memory, "settled": {}, "missing": {}})
        self._store.set(KEY, text)

    def forget(self) -> None:
        """Drop what was kept, at the end of a wait: a later try starts afresh."""
        if self:
            self._store.delete(KEY)
