# SPDX-License-Identifier: Apache-2.0

"""The servers end with the test process, however it ends; `tests/scheduler/test_harness.py` says so of Airflow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from support.airflow_rest_api import LONG_RUN
from support.events import wait_until

ENDS = {"by an error": "raise SystemExit(1)", "by SIGKILL": f"os.kill(os.getpid(), {signal.SIGKILL.value})"}


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        # PostgreSQL runs as another user where the tests run as root.
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("end", ENDS)
def test_no_server_and_no_file_is_left(end, folder):
    script = (
        "import os, psutil\n"
        "from support.deployment import servers\n"
        "with servers():\n"
        "    for child in psutil.Process().children(recursive=True):\n"
        "        print(child.pid, child.create_time(), flush=True)\n"
        f"    {ENDS[end]}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    processes = [line.split() for line in done.stdout.splitlines()]

    assert done.returncode in {1, -signal.SIGKILL}
    # Redis, SeaweedFS, PostgreSQL with its children, and a guard each.
    assert len(processes) >= 6
    wait_until(
        lambda: not [one for one in processes if _is_alive(*one)], "the end of all processes", LONG_RUN, look=0.1
    )
    wait_until(lambda: not list(folder.iterdir()), f"an empty {folder}", LONG_RUN, look=0.1)


def _is_alive(pid, created):
    try:
        process = psutil.Process(int(pid))
        # Another one may have its number by now.
        return process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
