# SPDX-License-Identifier: Apache-2.0
"""What an `async` function makes is iterated as usual, and one item at a time."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_instasent.decorators.awaiting import awaited


async def a_list():
    await asyncio.sleep(0)
    return [1, 2]


async def nothing():
    return None


def items(made):
    assert made is not None, "nothing was made"
    return iter(made)


def test_all_ways_to_make_items():
    async def generated():
        for number in (1, 2):
            await asyncio.sleep(0)
            yield number

    async def later():
        return generated()

    def awaitable():
        return a_list()

    for made in ([1, 2], iter((1, 2)), a_list(), generated(), later(), awaitable()):
        assert list(awaited(made, items)) == [1, 2]


def test_nothing_is_told_from_no_items():
    with pytest.raises(AssertionError, match="nothing was made"):
        list(awaited(nothing(), items))
    assert list(awaited([], items)) == []


def test_items_are_made_as_they_are_asked_for_and_the_rest_is_not():
    made, closed = [], []

    async def numbers():
        loop = asyncio.get_running_loop()
        try:
            for number in range(1_000_000):
                assert asyncio.get_running_loop() is loop
                made.append(number)
                yield number
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    asked = awaited(numbers(), items)
    assert [next(asked), next(asked)] == [0, 1]
    assert made == [0, 1]
    asked.close()
    assert (made, closed) == ([0, 1], [True])


def test_what_goes_wrong_comes_out_as_it_is():
    async def broken():
        yield 1
        raise LookupError("the source is away")

    asked = awaited(broken(), items)
    assert next(asked) == 1
    with pytest.raises(LookupError, match="away"):
        next(asked)


def test_an_async_iterator_of_any_class():
    class Source:
        def __init__(self):
            self.left = 2

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(awaited(Source(), items)) == [1, 0]
