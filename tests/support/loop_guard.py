# SPDX-License-Identifier: Apache-2.0
"""What blocks an event loop, told by what is done on its thread, whatever time that takes."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITING = {
    "open", "os.listdir", "os.scandir", "import", "subprocess.Popen", "sqlite3.connect",
    "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo",
}  # fmt: skip
"""Audit events of calls that wait for a disk, a name server or another process."""

SOUGHT_BY_OTHERS = {"sniffio"}
"""What httpcore of Airflow 2.11's time looks for at each request, where it is not installed."""

_watched: dict[int, list[tuple[str, str]]] = {}
_hooked = threading.Event()


@contextmanager
def waiting_calls() -> Iterator[list[tuple[str, str]]]:
    """Collect the calls of this thread that wait; yields a list of audit events and what they were about."""
    if not _hooked.is_set():  # an audit hook stays for good, so there is one
        _hooked.set()
        sys.addaudithook(_note)
    thread, sleep = threading.get_ident(), time.sleep
    _watched[thread] = found = []

    def sleep_told_of(seconds: float) -> None:  # before Python 3.13 it is no audit event
        if threading.get_ident() == thread:
            found.append(("time.sleep", str(seconds)))
        sleep(seconds)

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", sleep_told_of)
            yield found
    finally:
        del _watched[thread]


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    found = _watched.get(threading.get_ident())
    if found is None:
        return
    if event == "import" and arguments[0] in SOUGHT_BY_OTHERS:
        return
    if event in WAITING or (event == "socket.connect" and arguments[0].gettimeout() != 0):
        found.append((event, str(arguments[:1])))
