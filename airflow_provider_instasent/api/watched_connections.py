# SPDX-License-Identifier: Apache-2.0
"""The connections of the synchronous client: they know whether a request has begun to leave, and when it is overdue.

A read timeout alone ends no answer that comes in a byte at a time. So each read, of the head as of the body, also
waits no longer than until the request's deadline. It is kept on the thread that reads, so no other thread is needed.
"""

from __future__ import annotations

import io
import math
import threading
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from airflow_provider_instasent.api import client_settings

if TYPE_CHECKING:
    import socket

_FIRST_FINAL_STATUS = 200


class Wire(threading.local):
    """What this thread knows of the request it is making.

    :ivar left: whether it has begun to leave
    :ivar overdue: whether its deadline passed while it was read
    """

    left = False
    overdue = False
    _allowed = 0.0
    _deadline = 0.0
    _to_leave = math.inf
    _leave_by: float | None = None

    def begin(self, allowed: float, to_leave: float = math.inf) -> None:
        """Begin another request.

        :param allowed: seconds that it may take, from when it has a connection
        :param to_leave: seconds within which it must begin to leave, counted likewise
        """
        self.left = self.overdue = False
        self._allowed = allowed
        self._to_leave, self._leave_by = to_leave, None
        self.start_clock()

    def leave(self) -> None:
        """Note that the request begins to leave, or leaves on.

        :raises ConnectTimeoutError: where it is too late to begin: nothing has left
        """
        if not self.left and self._leave_by is not None and time.monotonic() > self._leave_by:
            raise ConnectTimeoutError("it took too long to open a connection")
        self.left = True

    def start_clock(self) -> None:
        """Count from now: waiting for a free connection is no part of the request."""
        self._deadline = time.monotonic() + self._allowed

    def take_connection(self) -> None:
        """Note that the request has a connection, which may have to be opened."""
        if self._leave_by is None:
            self._leave_by = time.monotonic() + self._to_leave
        self.start_clock()

    def seconds_left(self) -> float:
        """Return how long may still be waited for the next bytes.

        :raises TimeoutError: where the request is overdue
        """
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            self.overdue = True
            raise TimeoutError("the request is overdue")
        return seconds


wire = Wire()


class _Reader(io.RawIOBase):
    """Reads from a socket until the deadline of this thread's request.

    :param sock: of a connection, with a timeout
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left, usual = wire.seconds_left(), self._sock.gettimeout()
        if usual is not None and usual <= left:
            return self._read(buffer)
        try:
            self._sock.settimeout(left)
            return self._read(buffer)
        except TimeoutError:
            wire.overdue = True
            raise
        finally:
            # The connection may carry another request.
            self._sock.settimeout(usual)

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _read(self, buffer: Any) -> int | None:
        read: int | None = self._raw.readinto(buffer)
        return read


class _TimedSocket:
    """As much of a socket as an HTTP response takes."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock), io.DEFAULT_BUFFER_SIZE)


class _TimedResponse(HTTPResponse):
    """Is read until the deadline of this thread's request."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]  # all it takes is `makefile`


class _WatchedConnection(HTTPConnection):
    """Notes when a request begins to leave, and never reuses a connection that idled too long."""

    response_class = _TimedResponse
    _opening = False
    _used_at: float | None = None

    def connect(self) -> None:
        self._opening = True
        wire.take_connection()
        try:
            super().connect()
        finally:
            self._opening = False

    @property
    def is_connected(self) -> bool:
        # The pool asks, and opens anew what is not, its tunnel too: closed later, it would go to the proxy itself.
        idled = self._used_at is not None and time.monotonic() - self._used_at > client_settings.LONGEST_IDLE
        return super().is_connected and not idled

    def request(self, *args: Any, **kwargs: Any) -> None:
        wire.take_connection()
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        if not self._opening:
            wire.leave()
        self._used_at = time.monotonic()
        super().send(data)

    def getresponse(self) -> Any:
        response = super().getresponse()
        if response.status < _FIRST_FINAL_STATUS:
            self.close()  # the answer proper may follow, and would be read as that to the next request
        return response


class _WatchedHTTPSConnection(_WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


def watch(manager: Any) -> None:
    """Have a pool manager open such connections."""
    manager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedHTTPSPool}
