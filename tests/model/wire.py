# SPDX-License-Identifier: Apache-2.0
"""HTTP over a loopback socket, no more of it than the adversary needs: keep-alive, JSON bodies, cut connections."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """What came in; `token` is that of its `Authorization`."""

    method: str
    path: str
    query: dict[str, str]
    token: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What goes out; `status` 0 resets the connection in place of an answer."""

    status: int
    body: bytes = b""
    date: str = ""

    def encoded(self) -> bytes:
        head = [f"HTTP/1.1 {self.status} Said", f"Content-Length: {len(self.body)}", "Content-Type: application/json"]
        if self.date:
            head.append(f"Date: {self.date}")
        return "\r\n".join([*head, "", ""]).encode() + self.body


class Wire:
    """A server that hands each request to a function, on a thread of its connection.

    :param answer: makes the reply
    """

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="model-wire", daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), name="model-wire", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while (request := _read(stream)) is not None:
                reply = self._answer(request)
                if not reply.status:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    return
                connection.sendall(reply.encoded())


def _read(stream: Any) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if not first:
        return None
    method, target, _ = first
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    token = headers.get("authorization", "").removeprefix("Bearer ")
    return Request(method, parts.path, dict(parse_qsl(parts.query)), token, body)
