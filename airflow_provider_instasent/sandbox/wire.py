# SPDX-License-Identifier: Apache-2.0
"""Answers on the wire, and the ways in which a connection can break while they are given.

uvicorn's protocol is subclassed for one thing: to hand the application the transport, so that a cut is real.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

_TRANSPORT = "instasent_sandbox_transport"


class CuttableProtocol(H11Protocol):
    """HTTP over h11, whose transport the application can find in its scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Remember the transport of this connection for its requests."""
        super().connection_made(transport)
        # asyncio does so only for sockets whose protocol number is set, which accepted ones lack. Without it
        # the body waits 40 ms for the acknowledgement of the headers.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


def transport_of(scope: Scope) -> asyncio.Transport:
    """The transport that a request came on.

    :param scope: the request's ASGI scope
    """
    return cast("asyncio.Transport", scope["state"][_TRANSPORT])


async def cut(scope: Scope, receive: Receive, *, reset: bool = False) -> None:
    """Close the connection without an answer.

    :param scope: the request's ASGI scope
    :param receive: its ASGI receive, which tells that the connection is gone
    :param reset: with a TCP reset rather than an orderly end
    """
    transport = transport_of(scope)
    if reset:
        linger_not = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
    transport.abort()
    await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the connection is closed, from whichever side.

    :param receive: the request's ASGI receive
    """
    while (await receive())["type"] != "http.disconnect":
        pass


async def hold_and_cut(scope: Scope, receive: Receive, seconds: float) -> None:
    """Say nothing for a while, then close the connection; less if the client hangs up first.

    :param scope: the request's ASGI scope
    :param receive: its ASGI receive
    :param seconds: how long to hold the connection
    """
    try:
        async with asyncio.timeout(seconds):
            await gone(receive)
    except TimeoutError:
        await cut(scope, receive)


async def truncate(
    scope: Scope, receive: Receive, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Promise the whole body, deliver half of it and close the connection.

    :param scope: the request's ASGI scope
    :param receive: its ASGI receive
    :param status: the HTTP status
    :param headers: without ``Content-Length``
    :param body: the whole body
    """
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(),
        f"content-length: {len(body)}".encode(),
    ]
    lines += [name + b": " + value for name, value in headers]
    transport = transport_of(scope)
    transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body[: len(body) // 2])
    transport.close()
    await gone(receive)


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Answer properly.

    :param send: the request's ASGI send
    :param status: the HTTP status
    :param headers: without ``Content-Length``
    :param body: the whole body
    """
    length = (b"content-length", str(len(body)).encode())
    start: Message = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
