# SPDX-License-Identifier: Apache-2.0
"""A sandbox on a port of its own, in a thread of the process that wants it."""

from __future__ import annotations

import asyncio
import socket
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from .app import create_app
from .faults import Fault
from .settings import TOKEN, Settings
from .state import Sandbox
from .wire import CuttableProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from .ledger import Ledger, Message
    from .lookups import Lookups
    from .requests_log import RequestLog

_START_TIMEOUT, _STOP_TIMEOUT = 10.0, 10.0


def server_config(sandbox: Sandbox, keep_alive: int) -> uvicorn.Config:
    """How uvicorn runs a sandbox: silent, with our protocol, and without headers of its own.

    :param sandbox: the account
    :param keep_alive: seconds after which an idle connection is closed
    """
    return uvicorn.Config(
        create_app(sandbox), http=CuttableProtocol, ws="none", lifespan="off", loop="asyncio",
        log_config=None, log_level="error", access_log=False, server_header=False, date_header=False,
        timeout_keep_alive=keep_alive, backlog=512,
    )  # fmt: skip


class SandboxServer:
    """A local Instasent in a background thread.

    ::

        with SandboxServer(token="instasent-sandbox-4711", final_after=0.1) as sandbox:
            client = InstasentClient(sandbox.token, base_url=sandbox.url)
            sandbox.fault("cut_after", endpoint="send")

    :param token: the Bearer token it takes
    :param port: on which port; 0 for any free one
    :param host: on which address
    :param tokens: more tokens it takes
    :param keep_alive: seconds after which an idle connection is closed
    :param settings: fields of :class:`.settings.Settings`; :meth:`reset` returns to these
    """

    def __init__(
        self,
        token: str = TOKEN,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        tokens: Iterable[str] = (),
        keep_alive: int = 60,
        **settings: Any,
    ) -> None:
        self.token = token
        self.sandbox = Sandbox([token, *tokens], Settings().changed(settings))
        self._host, self._port, self._keep_alive = host, port, keep_alive
        self._thread: Thread | None = None
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Its base URL for the Legacy API, without a trailing slash; the other adds ``/transactional/v1``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def ledger(self) -> Ledger:
        """What was accepted."""
        return self.sandbox.ledger

    @property
    def lookups(self) -> Lookups:
        """Which lookups were accepted."""
        return self.sandbox.lookups

    @property
    def requests(self) -> RequestLog:
        """Which requests came."""
        return self.sandbox.requests

    def configure(self, **settings: Any) -> None:
        """Change settings from now on, see :class:`.settings.Settings`."""
        self.sandbox.configure(**settings)

    def fault(self, name: str, endpoint: str = "any", **options: Any) -> None:
        """Arm a fault.

        :param name: one of :mod:`.faults`
        :param endpoint: send, bulk, read, list, account, lookup, lookup_read, lookup_list, prices or any
        :param options: the other fields of :class:`.faults.Fault`; with ``probability``, ``times`` has no end
            unless it is given
        """
        if "probability" in options:
            options.setdefault("times", None)
        self.sandbox.arm(Fault(name, endpoint, **options))

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self.sandbox.faults.clear()

    def stop_clock(self) -> None:
        """Have its clock stand still until the next :meth:`reset`: only :meth:`advance` moves it."""
        self.sandbox.clock.stop()

    def advance(self, seconds: float) -> None:
        """Move its clock forward.

        :param seconds: how far
        """
        self.sandbox.clock.advance(seconds)

    def put_before(self, count: int, newest: float = 3600.0, oldest: float = 7200.0) -> None:
        """Let so many SMS have been accepted before all others, so that the list is long.

        :param count: how many
        :param newest: age of the last of them, in seconds
        :param oldest: age of the first
        """
        self.sandbox.put_before(count, newest, oldest)

    def status_of(self, message: Message) -> str:
        """The present status of an accepted message."""
        return self.sandbox.status_of(message)

    def reset(self) -> None:
        """Forget everything and return to the first settings."""
        self.sandbox.reset()

    def start(self) -> Self:
        """Start serving; returns when it does.

        :raises OSError: when the port is taken
        :raises RuntimeError: when it does not start in time
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=512)
        self._port = listener.getsockname()[1]
        self._server = uvicorn.Server(server_config(self.sandbox, self._keep_alive))
        self._thread = Thread(target=self._run, args=(self._server, listener), name="instasent-sandbox", daemon=True)
        self._thread.start()
        deadline = monotonic() + _START_TIMEOUT
        while not self._server.started:
            if not self._thread.is_alive() or monotonic() > deadline:
                self.stop()
                raise RuntimeError("the sandbox did not start")
            sleep(0.005)
        return self

    def _run(self, server: uvicorn.Server, listener: socket.socket) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await server.serve(sockets=[listener])

        with listener:
            asyncio.run(serve())

    def stop(self) -> None:
        """Stop serving, cutting what is still in flight; returns when the thread is gone.

        :raises RuntimeError: when it does not stop in time
        """
        thread, server, loop = self._thread, self._server, self._loop
        if thread is None or server is None:
            return
        server.should_exit = True
        if loop is not None and thread.is_alive():
            loop.call_soon_threadsafe(_cut_all, server)
        thread.join(_STOP_TIMEOUT)
        if thread.is_alive():
            raise RuntimeError("the sandbox did not stop")
        self._thread = self._server = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _cut_all(server: uvicorn.Server) -> None:
    for connection in list(server.server_state.connections):
        transport: Any = connection.transport
        if transport is not None:
            transport.abort()
