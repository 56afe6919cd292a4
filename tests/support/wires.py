# SPDX-License-Identifier: Apache-2.0
"""Ends of a wire that do not answer as they should: nobody listening, nobody accepting, and proxies."""

from __future__ import annotations

import select
import socket
import socketserver
from contextlib import ExitStack, closing, contextmanager
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that another one is neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=0)))
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.settimeout(0)
            waiting.connect_ex(address)
        yield address[1]


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that answers a CONNECT with a status; 200 opens the tunnel, 0 says nothing.

    :param status: what it answers; -1 to hang up at once, whatever it was asked
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.status = status
        self.heads: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[Proxy]:
        with self:
            thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()


class _ProxyHandler(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = self.request.recv(4096)
            if not received:
                return
            head += received
        self.server.heads.append(head)
        if self.server.status == -1:
            return
        if self.server.status == 0:
            self.request.recv(1)
            return
        self.request.sendall(f"HTTP/1.1 {self.server.status} So\r\nContent-Length: 0\r\n\r\n".encode())
        if self.server.status == 200:
            host, _, port = head.split()[1].decode().partition(":")
            with closing(socket.create_connection((host, int(port)))) as target:
                _pump(self.request, target)


def _pump(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [])[0]:
            try:
                received = ready.recv(65536)
            except ConnectionError:
                return
            if not received:
                return
            (other if ready is one else one).sendall(received)
