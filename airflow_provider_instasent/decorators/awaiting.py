# SPDX-License-Identifier: Apache-2.0
"""What an `async` function makes, for those who iterate as usual."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

Item = TypeVar("Item")

_END = object()


def awaited(made: Any, items_of: Callable[[Any], Iterable[Item]]) -> Iterator[Item]:
    """Yield the items of what a function made, be it a coroutine, an async generator or neither.

    One event loop lives as long as it yields. Items of an async generator are made one at a time, as they are asked
    for, so memory stays flat.

    :param made: what the function returned
    :param items_of: makes items of what was awaited, or of an iterator in place of an async one
    """
    if not inspect.isawaitable(made) and not isinstance(made, AsyncIterable):
        yield from items_of(made)
        return
    with asyncio.Runner() as runner:
        if inspect.isawaitable(made):
            made = runner.run(_result(made))
        if not isinstance(made, AsyncIterable):
            yield from items_of(made)
            return
        source = aiter(made)
        try:
            yield from items_of(_each(runner, source))
        finally:
            if inspect.isasyncgen(source):
                runner.run(_result(source.aclose()))


def _each(runner: asyncio.Runner, source: AsyncIterator[Any]) -> Iterator[Any]:
    while (item := runner.run(_next(source))) is not _END:
        yield item


async def _next(source: AsyncIterator[Any]) -> Any:
    return await anext(source, _END)


async def _result(made: Awaitable[Any]) -> Any:
    return await made
