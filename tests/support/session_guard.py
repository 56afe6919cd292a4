# SPDX-License-Identifier: Apache-2.0

"""Kill every process of the sessions a test started, even when the test itself was killed.

Run as a program it reads `watch` and a session id, one a line, and acts at the end of its input. The input is a pipe
from the test process, so it ends when that process closes it and also when that process dies. A signal after an id is
for a program that leaves things behind when it is killed, such as PostgreSQL: it is asked to end first. `forget` and an
id are for a session that is gone: its number may be that of a stranger later on.
Sessions are the right handle: Airflow's supervisor puts each task into a process group of its own, but nobody in
Airflow leaves the session, so orphaned tasks are found too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection

PATIENCE_SECONDS = 120.0


class SessionGuard:
    """A guard process of this test: what it watches over ends with `end`, or with the test process.

    :param to_remove: folders and files that go once all processes are gone.
    """

    def __init__(self, *to_remove: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *map(str, to_remove)], stdin=subprocess.PIPE, start_new_session=True
        )

    def watch(self, session: int, ask: signal.Signals | None = None) -> None:
        """Watch over one more session.

        :param session: the pid of the process that opened it.
        :param ask: the signal at which that process ends by itself and tidily; by default it is killed.
        """
        self._tell(f"watch {session}" if ask is None else f"watch {session} {ask.value}")

    def forget(self, session: int) -> None:
        """Watch no more over a session of which nothing is left."""
        self._tell(f"forget {session}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def end(self) -> None:
        """End everything and wait until it is gone.

        :raises RuntimeError: when something survived.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait():
            raise RuntimeError("Some processes of a test could not be killed; see stderr.")


def session_members(sessions: Collection[int]) -> list[int]:
    """The living processes of these sessions.

    :param sessions: session ids, each the pid of the process that opened the session.
    """
    return [pid for pid in psutil.pids() if _lives_in(pid, sessions)]


def kill_sessions(sessions: Collection[int]) -> None:
    """Send SIGKILL until nothing of these sessions is left.

    :param sessions: session ids.
    :raises TimeoutError: when something still lives after two minutes.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while members := session_members(sessions):
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"Processes {members} of sessions {sorted(sessions)} survived SIGKILL for {PATIENCE_SECONDS:.0f} s."
            )
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def ask_sessions(asked: Collection[tuple[int, int]]) -> None:
    """Send each its signal, and wait until nothing of these sessions is left or for two minutes.

    :param asked: session ids, each with the number of a signal.
    """
    for session, number in asked:
        try:
            os.kill(session, number)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + PATIENCE_SECONDS
    while session_members({session for session, _ in asked}) and time.monotonic() < deadline:
        time.sleep(0.02)


def _lives_in(pid: int, sessions: Collection[int]) -> bool:
    try:
        # A zombie only waits for its parent; where nobody collects orphans it would stay for ever.
        return os.getsid(pid) in sessions and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


def main(to_remove: list[str]) -> None:
    """Collect session ids from stdin until it ends, kill them, then remove what they leave behind.

    :param to_remove: folders and files.
    """
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    watched: dict[int, int | None] = {}
    for line in sys.stdin:
        word, session, *ask = line.split()
        watched.pop(int(session), None)
        if word == "watch":
            watched[int(session)] = int(ask[0]) if ask else None
    asked = [(session, ask) for session, ask in watched.items() if ask is not None]
    # Those that are asked serve the others, who would be busy complaining.
    kill_sessions({session for session, ask in watched.items() if ask is None})
    ask_sessions(asked)
    kill_sessions({session for session, _ in asked})
    for path in map(Path, to_remove):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1:])
