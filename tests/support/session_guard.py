# SPDX-License-Identifier: Apache-2.0

"""Kill every process of the sessions a test started, even when the test itself was killed.

Run as a program it reads session ids, one a line, and acts at the end of its input. The input is a pipe from the
test process, so it ends when that process closes it and also when that process dies.
Sessions are the right handle: Airflow's supervisor puts each task into a process group of its own, but nobody in
Airflow leaves the session, so orphaned tasks are found too.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection

PATIENCE_SECONDS = 120.0


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


def _lives_in(pid: int, sessions: Collection[int]) -> bool:
    try:
        # A zombie only waits for its parent; where nobody collects orphans it would stay for ever.
        return os.getsid(pid) in sessions and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


def main(folders_to_remove: list[str]) -> None:
    """Collect session ids from stdin until it ends, kill them, then remove the folders.

    :param folders_to_remove: what the test leaves behind on disk.
    """
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    sessions = {int(line) for line in sys.stdin}
    kill_sessions(sessions)
    for folder in folders_to_remove:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
