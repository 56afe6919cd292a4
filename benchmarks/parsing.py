# SPDX-License-Identifier: Apache-2.0
"""What importing our operators costs a DAG file, as a section of the report."""

from __future__ import annotations

from benchmarks import parse_cost
from benchmarks.report import Bar, Section

SAMPLES, SAMPLES_QUICK = 9, 2
NEVER = ("requests", "phonenumbers", "aiohttp")


def section(*, quick: bool) -> Section:
    """Import what a DAG file may name, each time in a fresh process."""
    samples = SAMPLES_QUICK if quick else SAMPLES
    costs = parse_cost.measure(samples)
    rows = [
        (name, f"{cost.wall_ms:.1f}", f"{cost.cpu_ms:.1f}", str(cost.modules), ", ".join(cost.loaded) or "none")
        for name, cost in costs.items()
    ]
    together = max(cost.wall_ms for cost in costs.values())
    loaded = sorted({library for cost in costs.values() for library in cost.loaded if library in NEVER})
    triggers = [name for name, cost in costs.items() if cost.triggers]
    return Section(
        "Parsing a DAG file",
        f"Imports after `airflow.sdk`, the median of {samples} fresh processes each, bytecode written before.",
        ("import", "ms", "CPU ms", "modules of ours", "libraries it adds"),
        rows,
        [
            Bar(
                "import after `airflow.sdk`, the dearest",
                f"at most {parse_cost.BAR_MS:.0f} ms",
                f"{together:.1f} ms",
                together <= parse_cost.BAR_MS,
            ),
            Bar("of requests, phonenumbers, aiohttp", "none", ", ".join(loaded) or "none", not loaded),
            Bar("imports that load a trigger", "none", ", ".join(triggers) or "none", not triggers),
        ],
    )
