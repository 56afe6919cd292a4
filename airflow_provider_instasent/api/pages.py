# SPDX-License-Identifier: Apache-2.0
"""A page of a list, and a list read page by page: what is new on a page, and where the list ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity


@dataclass(frozen=True, slots=True)
class Page:
    """One page of `GET /sms`.

    :param entities: the entities, in the API's order (newest or oldest first: unknown)
    :param server_time: the server's clock in unix seconds, where it tells
    """

    entities: list[Entity]
    server_time: float | None


class Pages:
    """Decides which entities of a page are new and whether to ask for another.

    A list ends at an empty page or at a page that shows nothing new: some servers repeat the last page
    for ever, and new messages shift the pages while they are read.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, page: Page) -> list[Entity]:
        """Return the entities not seen before; an empty list means that the list is at its end."""
        fresh = [entity for entity in page.entities if entity["id"] not in self._seen]
        self._seen.update(entity["id"] for entity in fresh)
        return fresh
