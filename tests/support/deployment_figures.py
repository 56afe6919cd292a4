# SPDX-License-Identifier: Apache-2.0

"""What was seen of campaigns in deployments, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.metadata_size import Size

from benchmarks.report import table

if TYPE_CHECKING:
    from support.deployed_campaign import Counted
    from support.process_memory import PeakMemory

NOTHING = Size(0, 0)


@dataclass(frozen=True)
class KilledCampaign:
    """A campaign that went through kills.

    :param what: its shape, in words.
    :param killed: what was killed with SIGKILL, in this order.
    :param tasks: how many tasks sent it.
    :param tries: how many tries they took.
    """

    executor: str
    what: str
    messages: int
    killed: tuple[str, ...]
    tasks: int
    tries: int
    counted: Counted

    @property
    def row(self) -> tuple[str, ...]:
        """Its line of the table."""
        counts = (self.messages, self.tasks, self.tries, self.counted.accepted, self.counted.twice)
        cells = (self.executor, self.what, ", ".join(self.killed))
        return (*cells, *(f"{count:,}" for count in counts), f"{self.counted.missing:,}")


@dataclass(frozen=True)
class MeasuredCampaign:
    """A campaign that nobody disturbed.

    :param journal: where its journal was.
    :param task_seconds: of the task, from its start to its end.
    :param send_seconds: from the first request to the last.
    :param added: to the metadata database by the end, by table.
    :param kept: of that, once what replaced rows take was freed.
    :param objects: how many the S3 server has more.
    :param object_bytes: in them.
    """

    executor: str
    journal: str
    messages: int
    task_seconds: float
    send_seconds: float
    memory: PeakMemory
    added: dict[str, Size]
    kept: dict[str, Size]
    objects: int
    object_bytes: int

    @property
    def row(self) -> tuple[str, ...]:
        """Its line of the table."""
        return (
            self.executor,
            self.journal,
            f"{self.messages:,}",
            f"{self.messages / self.send_seconds:,.0f}",
            f"{self.task_seconds:.1f}",
            f"{self.memory.first:.0f}",
            f"{self.memory.resident:.0f}",
            f"{self.memory.proportional:.0f}",
            f"{sum(one.rows for one in self.added.values()):,}",
            _kib(sum(one.size for one in self.added.values())),
            _kib(sum(one.size for one in self.kept.values())),
            f"{self.objects:,}",
            _kib(self.object_bytes),
        )

    @property
    def tables(self) -> list[tuple[str, ...]]:
        """The lines of the tables that took more room."""
        return [
            (
                self.executor,
                self.journal,
                name,
                f"{one.rows:,}",
                _kib(one.size),
                _kib(self.kept.get(name, NOTHING).size),
            )
            for name, one in self.added.items()
            if one.size
        ]


@dataclass
class Figures:
    """All that the tests found."""

    killed: list[KilledCampaign] = field(default_factory=list)
    measured: list[MeasuredCampaign] = field(default_factory=list)

    def markdown(self) -> str:
        """The tables, without those that would be empty."""
        parts = [
            (
                ("executor", "campaign", "killed", "messages", "tasks", "tries", "accepted", "twice", "missing"),
                [one.row for one in self.killed],
            ),
            (
                (
                    "executor", "journal", "messages", "messages a second", "seconds of the task",
                    "MiB resident at its start", "at most", "at most, proportional", "rows added to the database",
                    "KiB added", "KiB once vacuumed", "objects on S3", "KiB in them",
                ),
                [one.row for one in self.measured],
            ),
            (
                ("executor", "journal", "table", "rows added", "KiB added", "KiB once vacuumed"),
                [line for one in self.measured for line in one.tables],
            ),
        ]  # fmt: skip
        return "\n\n".join(table(header, rows) for header, rows in parts if rows)


def _kib(size: int) -> str:
    return f"{size / 1024:,.0f}"
