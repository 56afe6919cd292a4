# SPDX-License-Identifier: Apache-2.0
"""A proxy that is not ours, on loopback: the program `proxy.py` of PyPI, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.events import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

KNOWN_HOSTS = ("api.test", "www.api.test")
"""Host names that are this machine, to the proxy and, after :func:`know_hosts`, to a test."""

THIS_MACHINE = "0.0.0.0"  # noqa: S104 - nobody listens there
"""An address of this machine that is not on loopback, to which no proxy would be asked."""

_STOP_SECONDS = 60.0

_PROGRAM = f"""
import multiprocessing
import socket

multiprocessing.set_start_method("fork")  # or, from Python 3.14 on, its processes would not know these names
from proxy import main

known, resolve = {KNOWN_HOSTS}, socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **named: resolve("127.0.0.1" if host in known else host, *rest, **named)
main()
"""

_ACCESS = re.compile(r"access_log:\d+ - \S+ - ([A-Z]+) ([^\s/]+)")


@dataclass(frozen=True)
class RealProxy:
    """A proxy that is running.

    :ivar place: `host:port`
    :ivar log: what it wrote
    """

    place: str
    log: Path

    def seen(self) -> list[tuple[str, str]]:
        """Return the method and the `host:port` of what it was asked for, connection by connection that ended."""
        return _ACCESS.findall(self.log.read_text(encoding="utf-8"))

    def news(self, number: int, before: int) -> list[tuple[str, str]]:
        """Wait until it was asked so often since a moment, and return what for."""
        wait_until(lambda: len(self.seen()) >= before + number, f"{number} requests to the proxy")
        return self.seen()[before:]


@contextmanager
def real_proxy(folder: Path, *options: str) -> Iterator[RealProxy]:
    """Run a proxy for a while.

    :param folder: of its own, to write into
    :param options: of the program, such as `--basic-auth`
    """
    port, log = folder / "port", folder / "log"
    places = ["--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port), "--log-file", str(log)]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *places, "--num-workers", "1", "--num-acceptors", "1", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: port.exists() and port.read_text().strip(), "a proxy")
        yield RealProxy(f"127.0.0.1:{port.read_text().strip()}", log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)


def know_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process find the host names that the proxy finds."""
    resolve = socket.getaddrinfo

    def find(host: str | bytes | None, *rest: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name in KNOWN_HOSTS else host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", find)
