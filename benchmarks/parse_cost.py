# SPDX-License-Identifier: Apache-2.0
"""What an import of ours costs a DAG file that has imported Airflow's SDK already, in fresh processes.

::

    python -m benchmarks.parse_cost --samples 9

Bytecode is written before. The machine's other load is in the median, so the best and the CPU time stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "airflow_provider_instasent"
CHECKOUT = Path(__file__).resolve().parents[1]
HEAVY = ("requests", "phonenumbers", "aiohttp", "httpx", "jsonschema", "jinja2", "pyarrow")
BAR_MS = 15.0


def targets() -> dict[str, list[str]]:
    """Return what is imported, by the name it is reported under."""
    operators = sorted(path.stem for path in (CHECKOUT / PACKAGE / "operators").glob("[a-z]*.py"))
    found = {
        "operators.sms": ["operators.sms"],
        "operators.*": [f"operators.{name}" for name in operators],
        "sensors.sms": ["sensors.sms"],
        "hooks.instasent": ["hooks.instasent"],
        "notifications.sms": ["notifications.sms"],
    }
    found["all of these"] = [name for names in list(found.values()) for name in names]
    return {name: [f"{PACKAGE}.{module}" for module in modules] for name, modules in found.items()}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one import costs.

    :param wall_ms: elapsed time, median
    :param best_ms: elapsed time, least: what is left when nothing else is in the way
    :param cpu_ms: CPU time, median
    :param modules: how many modules of ours it loads
    :param loaded: libraries among :data:`HEAVY` that it loads and Airflow had not
    :param triggers: whether it loads a trigger of ours
    """

    wall_ms: float
    best_ms: float
    cpu_ms: float
    modules: int
    loaded: tuple[str, ...]
    triggers: bool


_CHILD = """
import importlib, json, sys, time
try:
    from airflow.sdk import DAG, BaseOperator
except ImportError:
    from airflow import DAG
    from airflow.models.baseoperator import BaseOperator
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall": wall, "cpu": cpu, "new": sorted(set(sys.modules) - before)}))
"""


def measure(samples: int = 9) -> dict[str, Cost]:
    """Import each target in processes of its own, `samples` of them, and return what it costs.

    :param samples: processes a target; one more, before, writes the bytecode
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in targets()}
    with tempfile.TemporaryDirectory(prefix="parse-cost-") as folder:
        environment = _environment(Path(folder))
        for number in range(samples + 1):
            for name, modules in targets().items():
                run = _import(modules, environment)
                if number:
                    runs[name].append(run)
    return {name: _cost(of_one) for name, of_one in runs.items()}


def _import(modules: list[str], environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-c", _CHILD, json.dumps(modules)]
    done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{modules} could not be imported:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    (home / "airflow.cfg").touch()
    return {
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        **kept,
        "PYTHONPATH": str(CHECKOUT),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }


def _cost(runs: list[dict[str, Any]]) -> Cost:
    new = set(runs[0]["new"])
    return Cost(
        wall_ms=statistics.median(run["wall"] for run in runs) * 1_000,
        best_ms=min(run["wall"] for run in runs) * 1_000,
        cpu_ms=statistics.median(run["cpu"] for run in runs) * 1_000,
        modules=sum(name.startswith(PACKAGE) for name in new),
        loaded=tuple(name for name in HEAVY if name in new),
        triggers=any(name.startswith(f"{PACKAGE}.triggers.sms") for name in new),
    )


def table(costs: dict[str, Cost]) -> str:
    """Return the costs as a Markdown table."""
    lines = ["| import | median ms | best ms | CPU ms | modules of ours | libraries it adds |"]
    lines += ["|---|--:|--:|--:|--:|---|"]
    lines += [
        f"| `{name}` | {cost.wall_ms:.1f} | {cost.best_ms:.1f} | {cost.cpu_ms:.1f} | {cost.modules} "
        f"| {', '.join(cost.loaded) or 'none'} |"
        for name, cost in costs.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What an import of ours costs a DAG file.")
    parser.add_argument("--samples", type=int, default=9, help="processes a target")
    print(table(measure(parser.parse_args().samples)))
    print(f"\nThe bar: {BAR_MS:g} ms.")


if __name__ == "__main__":
    main()
