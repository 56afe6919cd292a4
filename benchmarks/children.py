# SPDX-License-Identifier: Apache-2.0
"""Run a measurement in a fresh process and take back its JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

MARK = "RESULT "


def run_child(module: str, timeout: float, /, **arguments: Any) -> dict[str, Any]:
    """Run `main(**arguments)` of a module of this package in a fresh process.

    :param module: its name below `benchmarks`
    :param timeout: seconds
    :param arguments: JSON values
    :returns: what it returned
    :raises RuntimeError: where it failed, with its output
    """
    command = [sys.executable, "-m", "benchmarks.children", module]
    done = subprocess.run(
        command, input=json.dumps(arguments), capture_output=True, text=True, check=False, timeout=timeout
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
    return result


if __name__ == "__main__":
    from importlib import import_module

    print(MARK + json.dumps(import_module(f"benchmarks.{sys.argv[1]}").main(**json.load(sys.stdin))))
