# SPDX-License-Identifier: Apache-2.0

"""Verdicts as Markdown tables."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from chaos.scenarios import RANDOM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaos.verdicts import Verdict

HEADER = (
    "runs", "killed", "planned", "accepted", "accepted twice", "missing", "reported unconfirmed", "retries used",
    "cleared", "promise broken",
)  # fmt: skip


def by_point(verdicts: Sequence[Verdict]) -> str:
    """A row for each point, kind of kill and policy."""
    return _table(
        ("point", "killed process", "on_unconfirmed"),
        verdicts,
        lambda verdict: (verdict.scenario.point, verdict.scenario.kill, verdict.scenario.policy),
    )


def by_fault(verdicts: Sequence[Verdict]) -> str:
    """A row for each policy and fault of the random runs; where reads fail too, the fault of the sends counts."""
    random_ones = [verdict for verdict in verdicts if verdict.scenario.point == RANDOM]
    return _table(
        ("fault", "on_unconfirmed"),
        random_ones,
        lambda verdict: (verdict.scenario.fault.partition("+")[0], verdict.scenario.policy),
    )


def _table(names: tuple[str, ...], verdicts: Sequence[Verdict], key: Callable[[Verdict], tuple[str, ...]]) -> str:
    groups: dict[tuple[str, ...], list[Verdict]] = defaultdict(list)
    for verdict in sorted(verdicts, key=key):
        groups[key(verdict)].append(verdict)
    lines = [_line((*names, *HEADER)), _line(("---",) * len(names) + ("---:",) * len(HEADER))]
    lines += [_line((*group, *_counts(members))) for group, members in groups.items()]
    if len(groups) > 1:
        lines.append(_line(("**all**", *[""] * (len(names) - 1), *_counts(verdicts))))
    return "\n".join(lines)


def _counts(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    fields = ("killed", "planned", "accepted", "twice", "missing", "unconfirmed", "retries", "cleared")
    sums = [sum(getattr(verdict, name) for verdict in verdicts) for name in fields]
    broken = sum(bool(verdict.broken) for verdict in verdicts)
    return tuple(f"{number:,}" for number in (len(verdicts), *sums, broken))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
