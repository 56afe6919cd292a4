# SPDX-License-Identifier: Apache-2.0
"""Read timeouts that count the sandbox's silence and not the machine's.

A client of the tests gives up after its `read_timeout` where a fault of the sandbox holds its request, and there alone.
Whatever else takes so long is a busy machine, and it goes on waiting: so tests may set timeouts of parts of a second.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpcore
import pytest
from httpcore._backends.anyio import AnyIOStream

from airflow_provider_instasent.sandbox import torrents, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


class Silence:
    """Which requests the sandbox holds.

    :ivar servers: ports of the sandboxes that are watched
    :ivar clients: ports on which a client waits for an answer that will not come
    """

    def __init__(self) -> None:
        self.servers: set[int] = set()
        self.clients: set[int] = set()

    def is_elsewhere(self, connection: Any) -> bool:
        """Whether a client that waits on this connection will have its answer."""
        with suppress(OSError):
            return connection.getpeername()[1] in self.servers and connection.getsockname()[1] not in self.clients
        return False


def _marked(silence: Silence, hold: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Have it known of a connection that it is held, while the sandbox does so."""

    async def held(scope: Any, *arguments: Any) -> None:
        client = scope["client"][1]
        silence.clients.add(client)
        try:
            await hold(scope, *arguments)
        finally:
            silence.clients.discard(client)

    return held


@contextmanager
def watched(port: int) -> Iterator[None]:
    """Let clients of the sandbox on this port time out on its silence alone."""
    silence = Silence()
    silence.servers.add(port)
    readinto, read = socket.SocketIO.readinto, AnyIOStream.read

    def readinto_patiently(self: Any, buffer: Any) -> int | None:
        while True:
            try:
                return readinto(self, buffer)
            except TimeoutError:
                if not silence.is_elsewhere(self._sock):
                    raise
                self._timeout_occurred = False

    async def read_patiently(self: Any, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        while True:
            try:
                return await read(self, max_bytes, timeout)
            except httpcore.ReadTimeout:
                if not silence.is_elsewhere(self.get_extra_info("socket")):
                    raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "hold_and_cut", _marked(silence, wire.hold_and_cut))
        patch.setattr(torrents, "answer", _marked(silence, torrents.answer))
        patch.setattr(socket.SocketIO, "readinto", readinto_patiently)
        patch.setattr(AnyIOStream, "read", read_patiently)
        yield
