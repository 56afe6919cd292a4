# SPDX-License-Identifier: Apache-2.0
"""The lookups and prices of both clients, apart from their sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import flows, lookup_flows
from airflow_provider_instasent.api.pages import Page, Pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.retry import RetryPolicy


class LookupCalls:
    """What :class:`~airflow_provider_instasent.api.client.InstasentClient` knows of lookups and prices."""

    if TYPE_CHECKING:
        _policy: RetryPolicy
        perform: Callable[..., Any]

    def lookup(self, to: str, *, before_send: Callable[[], None] | None = None) -> Entity:
        """Look up one number. This is billed.

        :param to: the number in E.164
        :param before_send: called right before each attempt; what it raises ends the call with nothing asked
        :returns: the accepted entity, with at least `id`; it may not be finished yet, see :meth:`get_lookup`
        :raises UnconfirmedError: where it may or may not have been accepted
        :raises ApiError: where it was not
        """
        entity: Entity = self.perform(lookup_flows.lookup(to, self._policy), before_send=before_send)
        return entity

    def get_lookup(self, lookup_id: str) -> Entity:
        """Read one lookup by its id.

        :raises NotFoundError: where it is absent or not visible to this token
        """
        entity: Entity = self.perform(lookup_flows.get_lookup(lookup_id, self._policy))
        return entity

    def list_lookups(self, page: int = 1, per_page: int = 50) -> Page:
        """Read one page of the list of lookups, in the API's order (unknown whether newest or oldest first).

        :param page: from 1
        :param per_page: how many are asked for; the API may give fewer (its largest page is unknown)
        """
        found: Page = self.perform(lookup_flows.list_lookups(page, per_page, self._policy))
        return found

    def iter_lookups(self, per_page: int = 50) -> Iterator[Entity]:
        """Iterate over the list of lookups, page by page as they are asked for, each once.

        :param per_page: how many are asked for at a time
        """
        pages, page = Pages(), 1
        while new := pages.new(self.list_lookups(page, per_page)):
            yield from new
            page += 1

    def get_price_profile(self, kind: str, path: str | None = None) -> list[Entity]:
        """Read what SMS or lookups cost per country, as the API sends it (its shape is unknown).

        :param kind: `sms` or `lookup`
        :param path: below the base URL; None for the usual guess, as Instasent does not publish it
        :raises NotFoundError: names the setting of the connection that holds the path
        """
        profile: list[Entity] = self.perform(flows.get_price_profile(kind, path, self._policy))
        return profile


class AsyncLookupCalls:
    """:class:`LookupCalls` for an event loop."""

    if TYPE_CHECKING:
        _policy: RetryPolicy
        perform: Callable[..., Any]

    async def lookup(self, to: str) -> Entity:
        """Look up one number, which is billed; see the synchronous client."""
        entity: Entity = await self.perform(lookup_flows.lookup(to, self._policy))
        return entity

    async def get_lookup(self, lookup_id: str) -> Entity:
        """Read one lookup by its id; see the synchronous client."""
        entity: Entity = await self.perform(lookup_flows.get_lookup(lookup_id, self._policy))
        return entity

    async def list_lookups(self, page: int = 1, per_page: int = 50) -> Page:
        """Read one page of the list of lookups; see the synchronous client."""
        found: Page = await self.perform(lookup_flows.list_lookups(page, per_page, self._policy))
        return found

    async def iter_lookups(self, per_page: int = 50) -> AsyncIterator[Entity]:
        """Iterate over the list of lookups, each once; see the synchronous client."""
        pages, page = Pages(), 1
        while new := pages.new(await self.list_lookups(page, per_page)):
            for entity in new:
                yield entity
            page += 1

    async def get_price_profile(self, kind: str, path: str | None = None) -> list[Entity]:
        """Read what SMS or lookups cost per country; see the synchronous client."""
        profile: list[Entity] = await self.perform(flows.get_price_profile(kind, path, self._policy))
        return profile
