# SPDX-License-Identifier: Apache-2.0
"""What was accepted, in columns rather than objects: a million messages fit, and accepting stays cheap."""

from __future__ import annotations

import secrets
from array import array
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from sys import intern
from threading import RLock
from typing import TYPE_CHECKING, Literal

from .encoding import count
from .statuses import fate_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Order = Literal["newest", "oldest"]
End = Literal["empty", "repeats"]


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted SMS.

    :param number: from 0 in the order of acceptance
    :param id: what the API calls it
    :param client_id: the ``clientId`` it came with, or None
    :param sender: its ``from``
    :param to: the number, E.164
    :param text: the text as sent by the client
    :param allow_unicode: whether it may go out as UCS-2
    :param parts: the SMS it is billed as
    :param accepted_at: seconds since the sandbox's start
    """

    number: int
    id: str
    client_id: str | None
    sender: str
    to: str
    text: str
    allow_unicode: bool
    parts: int
    accepted_at: float


class Index:
    """The order things were accepted in, their ids, and which of them a list shows at an age."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._times = array("d")
        self._visible = array("Q")

    def __len__(self) -> int:
        return len(self._times)

    def add(self, accepted_at: float, to: str) -> int:
        """Add one; those whose fate is to stay invisible are in no list.

        :param accepted_at: seconds since the start, never less than the last
        :param to: its number, E.164
        """
        index = len(self._times)
        if fate_of(to).visible:
            self._visible.append(index)
        self._times.append(accepted_at)
        return index

    def time(self, index: int) -> float:
        """When it was accepted, in seconds since the start."""
        return self._times[index]

    def id_of(self, index: int) -> str:
        """The id of the one at a position. A new index after a reset never reuses ids."""
        return f"{self._prefix}{index:010x}"

    def find(self, identifier: str) -> int | None:
        """The position of an id, None for one that is not ours."""
        index = identifier.removeprefix(self._prefix)
        try:
            position = int(index, 16)
        except ValueError:
            return None
        return position if 0 <= position < len(self) and self.id_of(position) == identifier else None

    def page(self, page: int, per_page: int, order: Order, until: float, end: End = "empty") -> list[int]:
        """The positions on one page of a list.

        :param page: from 1
        :param per_page: entities a page
        :param order: newest or oldest first
        :param until: only what was accepted at or before, in seconds since the start
        :param end: whether pages beyond the last one are empty or repeat it
        """
        total = bisect_right(self._visible, until, key=self._times.__getitem__)
        if end == "repeats":
            page = min(page, max(1, -(-total // per_page)))
        start, stop = (page - 1) * per_page, min(page * per_page, total)
        if order == "oldest":
            return list(self._visible[start:stop])
        return [self._visible[total - 1 - position] for position in range(start, stop)]


class Ledger:
    """Every accepted SMS, in the order of acceptance. Safe to read from another thread while it serves."""

    def __init__(self) -> None:
        self._lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything; ids given out so far become unknown."""
        with self._lock:
            self.index = Index()
            self._columns: tuple[list[str | None], list[str], list[str], list[str]] = ([], [], [], [])
            self._flags = bytearray()
            self._parts = array("I")
            self._seen: set[str] = set()

    def accept(self, *, client_id: str | None, sender: str, to: str, text: str, allow_unicode: bool, now: float) -> int:
        """Accept one message.

        :param client_id: the ``clientId``, or None
        :param sender: its ``from``
        :param to: the number, E.164
        :param text: the text
        :param allow_unicode: whether it may go out as UCS-2
        :param now: seconds since the start
        :return: its position
        """
        with self._lock:
            client_ids, senders, numbers, texts = self._columns
            client_ids.append(client_id)
            senders.append(intern(sender))
            numbers.append(to)
            texts.append(text)
            self._flags.append(allow_unicode)
            self._parts.append(count(text, allow_unicode).parts)
            if client_id is not None:
                self._seen.add(client_id)
            return self.index.add(now, to)

    def put_before(self, count: int, newest: float, oldest: float) -> None:
        """Let so many SMS have been accepted before all others, each to another number, evenly spaced.

        :param count: how many
        :param newest: when the last of them was, in seconds since the start
        :param oldest: when the first was
        :raises ValueError: where something was accepted already, or the moments are in the wrong order
        """
        with self._lock:
            if len(self) or oldest > newest or count < 0:
                raise ValueError("older SMS are put into an empty ledger, the oldest first")
            step = (newest - oldest) / max(1, count - 1)
            for number in range(count):
                to = f"+3469{number // 900:05d}{number % 900:03d}"  # endings without a fate of their own
                self.accept(
                    client_id=f"older-{number}", sender="Older", to=to, text="an older SMS", allow_unicode=False,
                    now=oldest + number * step,
                )  # fmt: skip

    def has_client_id(self, client_id: str) -> bool:
        """Whether a ``clientId`` was accepted before."""
        return client_id in self._seen

    def __len__(self) -> int:
        return len(self.index)

    @property
    def accepted(self) -> int:
        """How many messages were accepted in all."""
        return len(self)

    @property
    def parts(self) -> int:
        """How many parts they are billed as."""
        with self._lock:
            return sum(self._parts)

    def message(self, index: int) -> Message:
        """The message at a position, from 0 in the order of acceptance."""
        client_ids, senders, numbers, texts = self._columns
        return Message(
            index, self.index.id_of(index), client_ids[index], senders[index], numbers[index], texts[index],
            bool(self._flags[index]), self._parts[index], self.index.time(index),
        )  # fmt: skip

    def find(self, identifier: str) -> Message | None:
        """The message with an id, None if there is none."""
        with self._lock:
            index = self.index.find(identifier)
            return None if index is None else self.message(index)

    def messages(self, start: int = 0, stop: int | None = None) -> list[Message]:
        """Messages in the order of acceptance.

        :param start: from which position
        :param stop: up to which position, without it; None for all
        """
        with self._lock:
            return [self.message(index) for index in range(*slice(start, stop).indices(len(self)))]

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages())

    def page(self, page: int, per_page: int, order: Order, until: float, end: End = "empty") -> Sequence[Message]:
        """One page of ``GET /sms``, as :meth:`Index.page` takes it."""
        with self._lock:
            return [self.message(index) for index in self.index.page(page, per_page, order, until, end)]

    def client_ids(self) -> Counter[str]:
        """How often each ``clientId`` was accepted."""
        with self._lock:
            return Counter(value for value in self._columns[0] if value is not None)

    def contents(self) -> Counter[tuple[str, str, str]]:
        """How often each (from, to, text) was accepted."""
        with self._lock:
            return Counter(zip(*self._columns[1:], strict=True))

    def numbers(self) -> Counter[str]:
        """How often each number was texted."""
        with self._lock:
            return Counter(self._columns[2])
