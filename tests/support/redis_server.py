# SPDX-License-Identifier: Apache-2.0

"""A Redis server of the tests' own, on loopback and in memory alone: Debian's `redis-server`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.airflow_settings import free_port
from support.events import wait_until
from support.session_guard import SessionGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "redis-server"


@contextmanager
def redis_server() -> Iterator[str]:
    """Start a server; it is gone afterwards, with its data, also when the test process is killed.

    :return: the URL of its first database.
    :raises FileNotFoundError: when the program is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise FileNotFoundError(f"No Redis server: `apt-get install {PROGRAM}`.")
    home = Path(tempfile.mkdtemp(prefix="instasent-redis-"))
    guard = SessionGuard(home)
    port = free_port()
    try:
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--dir", str(home)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guard.watch(process.pid)
        wait_until(lambda: _answers(port, process, home), "Redis answers", look=0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        guard.end()
    process.wait()


def _answers(port: int, process: subprocess.Popen[bytes], home: Path) -> bool:
    import redis

    if process.poll() is not None:
        raise RuntimeError(f"Redis did not start:\n{(home / 'server.log').read_text()}")
    with redis.Redis(port=port) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
