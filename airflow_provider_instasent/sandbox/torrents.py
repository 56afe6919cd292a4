# SPDX-License-Identifier: Apache-2.0
"""Answers that a client had better not wait for or read to their end: too slow, too long, or no HTTP at all."""

from __future__ import annotations

import asyncio
import zlib
from itertools import chain, repeat
from typing import TYPE_CHECKING

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from starlette.types import Receive, Scope

    from .faults import Fault

PACKED = frozenset({"gzip", "huge_gzip"})
_AT_ONCE = 65_536


def head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The head of a response whose body goes on until the connection is closed.

    :param status: the HTTP status
    :param headers: without ``Content-Length``
    """
    lines = [f"HTTP/1.1 {status} So".encode(), b"connection: close"]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in headers)]) + b"\r\n\r\n"


async def answer(scope: Scope, receive: Receive, fault: Fault, start: bytes, body: bytes) -> None:
    """Answer so until all is said or the client hangs up, then close the connection.

    :param scope: the request's ASGI scope
    :param receive: its ASGI receive, which tells that the client has hung up
    :param fault: how
    :param start: the head of the usual response
    :param body: that response's body
    """
    parts = NAMES[fault.name](fault, start, body)
    pause = fault.seconds if fault.name.startswith("drip_") else 0.0
    transport = wire.transport_of(scope)
    hung_up = asyncio.ensure_future(wire.gone(receive))
    try:
        for part in parts:
            transport.write(part)
            await asyncio.wait([hung_up], timeout=pause)
            # A socket that takes no more is waited for: what is written is held in memory.
            while not hung_up.done() and transport.get_write_buffer_size() > _AT_ONCE:
                await asyncio.wait([hung_up], timeout=0.01)
            if hung_up.done():
                return
        transport.close()
        await hung_up
    finally:
        hung_up.cancel()


def _bytes_of(text: bytes) -> Iterator[bytes]:
    return (text[place : place + 1] for place in range(len(text)))


def _drip_head(_fault: Fault, start: bytes, _body: bytes) -> Iterable[bytes]:
    status_line, _, _ = start.partition(b"\r\n")
    return chain([status_line + b"\r\nx-drip: "], repeat(b"."))


def _drip_body(_fault: Fault, start: bytes, body: bytes) -> Iterable[bytes]:
    return chain([start], _bytes_of(body), repeat(b" "))


def _endless_head(_fault: Fault, start: bytes, _body: bytes) -> Iterable[bytes]:
    status_line, _, _ = start.partition(b"\r\n")
    return chain([status_line + b"\r\n"], repeat(b"x-more: " + b"." * 1000 + b"\r\n"))


def _padded(body: bytes, size: int) -> Iterator[bytes]:
    yield body
    for place in range(len(body), size, _AT_ONCE):
        yield b" " * min(_AT_ONCE, size - place)


def _huge(fault: Fault, start: bytes, body: bytes) -> Iterable[bytes]:
    return chain([start], _padded(body, fault.size))


def _gzip(fault: Fault, start: bytes, body: bytes) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    yield start
    for part in _padded(body, fault.size):
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def _raw(fault: Fault, _start: bytes, _body: bytes) -> Iterable[bytes]:
    return [fault.body.encode("latin-1")]


NAMES: dict[str, Callable[[Fault, bytes, bytes], Iterable[bytes]]] = {
    "raw": _raw,
    "drip_head": _drip_head,
    "drip_body": _drip_body,
    "endless_head": _endless_head,
    "huge": _huge,
    "huge_gzip": _gzip,
    "gzip": _gzip,
}
"""The faults of this kind, and what of their answer is written at a time."""
