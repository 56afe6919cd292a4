# SPDX-License-Identifier: Apache-2.0
"""The messages that the waits at one reader ask for: whose they are, where they lie, and which are due."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from airflow_provider_instasent.waiting.accepted_times import UNTOLD, Stretch
from airflow_provider_instasent.waiting.placed_messages import PlacedMessages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.waiting.subscription import Subscription


class WatchedMessages:
    """What is pending, of all waits together.

    :ivar placed: those whose place is known
    :ivar positions: where messages lie in the list
    :ivar subscriptions: the waits
    :ivar unplaced: ids that are due and whose place is not known, by when they were accepted
    :ivar singly: ids that are due and to be read one by one
    """

    def __init__(self) -> None:
        self.placed = PlacedMessages()
        self.positions = self.placed.positions
        self.subscriptions: list[Subscription] = []
        self.unplaced: dict[Stretch, dict[str, None]] = {}
        self.singly: dict[str, None] = {}
        self._from_front = False
        self._owners: dict[str, tuple[Subscription, ...]] = {}

    def add(self, subscription: Subscription) -> None:
        """Take in a wait."""
        self.subscriptions.append(subscription)
        for ids in subscription.unplaced.values():
            for message_id in ids:
                self._owners[message_id] = (*self._owners.get(message_id, ()), subscription)
            for message_id in [message_id for message_id in ids if self.placed.adopt(message_id)]:
                del ids[message_id]

    def remove(self, subscription: Subscription) -> None:
        """Forget a wait, and what only it asked for."""
        self.subscriptions.remove(subscription)
        subscription.left = {}
        for message_id in subscription.watch.pending:
            self._disown(message_id, subscription)

    def begin_sweep(self, subscription: Subscription, now: float) -> None:
        """Make all that a wait asks for due.

        :param now: unix seconds
        """
        subscription.begin_sweep(now)
        left = subscription.left
        for stretch, ids in subscription.unplaced.items():
            if due := dict.fromkeys(message_id for message_id in ids if message_id in left):
                self.unplaced.setdefault(stretch, {}).update(due)
        self.singly.update(dict.fromkeys(message_id for message_id in subscription.unlisted if message_id in left))
        self.placed.make_due(left.keys())

    def owners(self, message_id: str) -> tuple[Subscription, ...]:
        """Return the waits that ask for a message; none where it is final, or nobody's."""
        return self._owners.get(message_id, ())

    def place_page(self, number: int, entities: list[Entity], *, others_too: bool = True) -> None:
        """Note where the messages on a page lie.

        :param number: of the page, from 1
        :param entities: what is on it
        :param others_too: whether to note where those lie that nobody asks for
        """
        for line, entity in enumerate(entities):
            message_id = entity["id"]
            owners = self.owners(message_id)
            if not owners:
                if others_too:
                    self.positions.note_other(number, line, message_id)
                continue
            is_due = any(message_id in owner.left for owner in owners)
            if self.placed.place(number, line, message_id, is_due=is_due):
                self.singly.pop(message_id, None)
                _drop_from_each(self.unplaced, message_id)
                for owner in owners:
                    owner.unlisted.pop(message_id, None)
                    _drop_from_each(owner.unplaced, message_id)

    def take_page(self, entities: list[Entity]) -> None:
        """Hand a page of the list to whom it concerns."""
        for entity in entities:
            if self.owners(entity["id"]):
                self.saw(entity["id"], entity)

    def next_singly(self, most: int) -> list[str]:
        """Return ids to read one by one next, from both ends: neither the first nor the last waits for all between."""
        self._from_front = self._from_front != bool(self.singly)
        ends = [iter(self.singly), reversed(self.singly)]
        mixed = chain.from_iterable(zip(*(ends if self._from_front else ends[::-1]), strict=True))
        return list(dict.fromkeys(islice(mixed, most)))

    def saw(self, message_id: str, entity: Entity) -> None:
        """Hand what was read of a message to whom it concerns."""
        for owner in self.owners(message_id):
            owner.answered()
            owner.watch.saw(message_id, entity)
        self.asked(message_id)

    def missed(self, message_id: str, now: float) -> None:
        """Take in that a message was not found.

        :param now: unix seconds
        """
        for owner in self.owners(message_id):
            owner.answered()
            owner.watch.missed(message_id, now)
        self.asked(message_id)

    def asked(self, message_id: str) -> None:
        """Take in that a message was asked for, whatever came of it."""
        self.placed.asked(message_id)
        self.singly.pop(message_id, None)
        _drop_from_each(self.unplaced, message_id)
        for owner in self.owners(message_id):
            owner.left.pop(message_id, None)
            if not owner.watch.is_pending(message_id):
                self._disown(message_id, owner)

    def not_on_list(self, message_ids: Iterable[str]) -> None:
        """Take in that messages do not lie among those where they should: they are read one by one."""
        for message_id in message_ids:
            self.placed.lose(message_id)
            self._give_up_place(message_id)

    def read_singly_now(self, message_ids: Iterable[str]) -> None:
        """Have messages that are due read one by one this time."""
        for message_id in message_ids:
            self.placed.asked(message_id)
            self.singly[message_id] = None

    def tell_stretch(self, subscription: Subscription, stretch: Stretch) -> None:
        """Take in when the messages of a wait were accepted of which nobody knew.

        :param subscription: the wait
        :param stretch: when
        """
        ids = subscription.unplaced.pop(UNTOLD, {})
        subscription.unplaced.setdefault(stretch, {}).update(ids)
        due = self.unplaced.get(UNTOLD, {})
        moved = {message_id: due.pop(message_id) for message_id in ids if message_id in due}
        if not due:
            self.unplaced.pop(UNTOLD, None)
        if moved:
            self.unplaced.setdefault(stretch, {}).update(moved)

    def doubt_stretches(self, stretches: Iterable[Stretch]) -> bool:
        """Take in that messages were not accepted when they are said to have been, where that can be found out.

        :returns: whether there are any
        """
        doubted = False
        for one in self.subscriptions:
            for stretch in stretches:
                due = dict.fromkeys(
                    message_id for message_id in one.unplaced.get(stretch, ()) if message_id in one.left
                )
                if one.is_probed or not one.in_sweep or not due:
                    continue
                one.unplaced.setdefault(UNTOLD, {}).update(one.unplaced.pop(stretch))
                self.unplaced.setdefault(UNTOLD, {}).update(due)
                doubted = True
        for stretch in stretches:
            still = {i: None for i in self.unplaced.get(stretch, ()) if i not in self.unplaced.get(UNTOLD, ())}
            self.unplaced.pop(stretch, None)
            if still:
                self.unplaced[stretch] = still
        return doubted

    def read_unplaced_singly(self) -> None:
        """Have what is due and has no known place read one by one, without giving it up for the list."""
        for ids in self.unplaced.values():
            self.singly.update(ids)
        self.unplaced.clear()

    def give_up_search(self, stretches: Iterable[Stretch]) -> None:
        """Take in that the list does not show what is left of these stretches: that is read one by one."""
        for stretch in stretches:
            for message_id in self.unplaced.pop(stretch, {}):
                for owner in self.owners(message_id):
                    owner.unplaced.get(stretch, {}).pop(message_id, None)
                self._give_up_place(message_id)

    def lose_places(self) -> None:
        """Take in that nothing lies where it was: what is due has to be looked for anew, by when it was created."""
        for message_id in self.placed.due():
            at = self.positions.coordinate(message_id)
            moment = None if at is None else self.positions.moment_of(at)
            stretch = UNTOLD if moment is None else Stretch(moment, moment)
            self.placed.lose(message_id)
            for owner in self.owners(message_id):
                owner.unplaced.setdefault(stretch, {})[message_id] = None
            self.unplaced.setdefault(stretch, {})[message_id] = None

    def search_again(self, subscription: Subscription) -> None:
        """Look for what the list did not show in it once more: it may have come later."""
        if subscription.unlisted:
            subscription.unplaced.setdefault(UNTOLD, {}).update(subscription.unlisted)
            subscription.unlisted = {}

    def _give_up_place(self, message_id: str) -> None:
        """Read a message one by one, now and until a page shows it."""
        self.singly[message_id] = None
        for owner in self.owners(message_id):
            owner.unlisted[message_id] = None

    def _disown(self, message_id: str, subscription: Subscription) -> None:
        """Take a message from a wait for which it is final, or that is over."""
        owners = self._owners.get(message_id)
        if owners is None:
            return
        others = tuple(owner for owner in owners if owner is not subscription)
        if others:
            self._owners[message_id] = others
            return
        del self._owners[message_id]
        self.placed.settle(message_id)
        self.singly.pop(message_id, None)
        _drop_from_each(self.unplaced, message_id)


def _drop_from_each(stretches: dict[Stretch, dict[str, None]], message_id: str) -> None:
    for stretch in [stretch for stretch, ids in stretches.items() if message_id in ids]:
        ids = stretches[stretch]
        del ids[message_id]
        if not ids:
            del stretches[stretch]
