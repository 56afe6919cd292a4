# SPDX-License-Identifier: Apache-2.0
"""Campaigns and single sends that wait in the triggerer of a real Airflow, which is killed and ended meanwhile.

`python -m benchmarks.waits_deployed --code DIR --run undisturbed` measures one run with the code of a checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from support.instasent_connection import connection
from support.scheduler import AirflowDeployment

from benchmarks.campaign import number_of, write_recipients
from benchmarks.code_under_test import CodeUnderTest
from benchmarks.deployed_tasks import TRIGGERER, Watched
from benchmarks.report import Bar, Section
from benchmarks.sandbox import TOKEN, SandboxProcess
from benchmarks.waits_list import LATENCY, LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

DAGS = Path(__file__).parent / "wait_dags"
FIRST_SINGLE = 5_000_000
RUNS = ("undisturbed", "SIGKILL", "SIGTERM")
"""What happens to the triggerer once all campaigns wait in it."""
PARALLELISM = 6
LOOK = 0.25
IN_THE_WAIT = 15.0
"""Seconds after the last campaign's deferral at which the triggerer is killed or ended."""
SENDING = 400.0
INTERVAL, SLOT_BAR, EXIT_BAR = 30.0, 2.0, 5.0
TASK_ENDS = 30.0
"""Seconds that a scheduler on two cores has to have a task run that its trigger has let go."""


@dataclass(frozen=True)
class Setting:
    """How much waits.

    :param campaigns: bulk sends at once
    :param messages: of each
    :param singles: single sends at once
    :param final_after: age at which a message is delivered
    :param longest: seconds after the last final status at which tasks that are not over are given up
    """

    campaigns: int = 2
    messages: int = 10_000
    singles: int = 300
    final_after: float = 120.0
    longest: float = 150.0


HEADER = (
    "code", "triggerer", "campaigns", "single sends", "waits over", "campaign slot held s, longest",
    "single slot held s: median", "longest", "campaigns end s after the last final status, longest",
    "single sends end s after theirs: median", "longest", "list requests", "single reads", "429s", "triggerer CPU %",
    "exit s",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a run came to.

    :param setting: how much waited
    :param run: what happened to the triggerer
    :param held: seconds from the last acceptance to the deferral, by task id
    :param after: seconds from the last final status to the end, by task id, of those that succeeded
    :param lists: list requests
    :param reads: single reads
    :param refused: 429s
    :param cpu: share of a core
    :param exit_seconds: of the triggerer after SIGTERM
    """

    setting: Setting
    run: str
    held: dict[str, Sequence[float]]
    after: dict[str, Sequence[float]]
    lists: int
    reads: int
    refused: int
    cpu: float
    exit_seconds: float | None

    def row(self, code: str) -> tuple[str, ...]:
        """Return its row."""
        setting, held, after = self.setting, self.held, self.after
        over, tasks = sum(map(len, after.values())), setting.campaigns + setting.singles
        waited = f"{over} of {tasks}" + ("" if over == tasks else f"; not over after {setting.longest:.0f} s")
        return (
            code, self.run, f"{setting.campaigns} x {setting.messages:,}", str(setting.singles), waited,
            _longest(held["campaign"]), _median(held["single"]), _longest(held["single"]), _longest(after["campaign"]),
            _median(after["single"]), _longest(after["single"]), f"{self.lists:,}", f"{self.reads:,}",
            f"{self.refused:,}", f"{self.cpu:.0%}", "" if self.exit_seconds is None else f"{self.exit_seconds:.1f}",
        )  # fmt: skip

    def bars(self) -> list[Bar]:
        """What has to hold."""
        setting, name = self.setting, f"triggerer {self.run}"
        allowed = 2 * INTERVAL + TASK_ENDS
        held, ended = self.held["campaign"], [*self.after["campaign"], *self.after["single"]]
        whole = len(ended) == setting.campaigns + setting.singles
        bars = [
            Bar(f"{name}: campaign's slot held", f"under {SLOT_BAR:.0f} s", _longest(held), max(held) < SLOT_BAR),
            Bar(
                f"{name}: s from the last final status to the last task's end",
                f"{allowed:.0f}",
                _longest(ended) if whole else f"{len(ended)} ended",
                whole and max(ended) <= allowed,
            ),
        ]
        if self.exit_seconds is not None:
            bars.append(
                Bar(
                    "SIGTERM of the triggerer: exit",
                    f"within {EXIT_BAR:.0f} s",
                    f"{self.exit_seconds:.1f} s",
                    self.exit_seconds <= EXIT_BAR,
                )
            )
        return bars


def section(*, quick: bool, before: Path | None = None, runs: Sequence[str] = RUNS) -> Section:
    """Measure this checkout in a deployment, and another one before it where that is given.

    :param quick: small sizes
    :param before: another checkout
    :param runs: what happens to the triggerer
    """
    setting = Setting(messages=1_000, singles=10, final_after=60.0) if quick else Setting()
    rows, bars = [], []
    codes = {"before": before, "this": None} if before else {"this": None}
    for name, checkout in codes.items():
        with CodeUnderTest(checkout) as code:
            for run in runs:
                found = measure(code, setting, run)
                rows.append(found.row(name))
                bars += found.bars() if name == "this" else []
    return _section(setting, rows, bars)


def _section(setting: Setting, rows: Sequence[Sequence[str]], bars: Sequence[Bar]) -> Section:
    return Section(
        "Waits in a deployment",
        "Scheduler, API server and triggerer of a real Airflow on SQLite, a LocalExecutor with "
        f"{PARALLELISM} slots; the sandbox with {LIMIT:,} requests a minute and {LATENCY} s a request delivers after "
        f"{setting.final_after:.0f} s. Mapped deferrable sends, `poll_interval` {INTERVAL:.0f} s. A slot is held from "
        "the acceptance of a task's last message to its trigger's `created_date`. A task's end comes after its trigger "
        f"and what the scheduler takes to run it. SIGKILL and SIGTERM strike {IN_THE_WAIT:.0f} s after the last "
        "campaign was deferred, and another triggerer is started at once. CPU is that of the triggerer's processes "
        "while tasks wait in it.",
        HEADER,
        rows,
        bars,
    )


def measure(code: CodeUnderTest, setting: Setting, run: str) -> Found:
    """Play one run in a deployment of its own.

    :param code: what sends and waits
    :param setting: how much
    :param run: what happens to the triggerer
    """
    with (
        SandboxProcess(final_after=setting.final_after, sent_after=1.0, rate_limit=LIMIT, latency=LATENCY) as sandbox,
        TemporaryDirectory() as folder,
    ):
        for index in range(setting.campaigns):
            write_recipients(Path(folder) / f"recipients-{index}.csv", setting.messages)
        environment = {
            **code.environment(),
            "INSTASENT_CODE_UNDER_TEST": str(code.package),
            "INSTASENT_WAITS_FOLDER": folder,
            "INSTASENT_WAITS_CAMPAIGNS": str(setting.campaigns),
            "INSTASENT_WAITS_SINGLES": str(setting.singles),
            "AIRFLOW_CONN_INSTASENT_DEFAULT": connection(sandbox.url, password=TOKEN, extra={"sender": "Bench"}),
        }
        with AirflowDeployment(dags_folder=DAGS, env=environment, triggerer=True, parallelism=PARALLELISM) as airflow:
            watched = _play(airflow, sandbox, setting, run)
        accepted = _acceptances(sandbox, setting, Path(folder))
        lists, reads = sandbox.requests("list"), sandbox.requests("read")
    held, after = _times(watched, accepted, setting)
    return Found(
        setting, run, held, after, len(lists), len(reads), sum(one["status"] == 429 for one in [*lists, *reads]),
        watched.cpu / max(1.0, watched.seconds), watched.exit_seconds,
    )  # fmt: skip


def _play(airflow: AirflowDeployment, sandbox: SandboxProcess, setting: Setting, run: str) -> Watched:
    watched, count = Watched(), setting.campaigns + setting.singles
    run_id = airflow.trigger("waits")
    until, messages = time.time() + SENDING, setting.campaigns * setting.messages + setting.singles
    strikes_at = None if run == "undisturbed" else time.time() + SENDING
    campaigns_wait = all_sent = False
    looked = time.monotonic()
    while not watched.all_over(count) and time.time() < until:
        time.sleep(LOOK)
        watched.look(airflow, run_id)
        now = time.monotonic()
        if campaigns_wait:
            watched.count_cpu(airflow, now - looked)
        looked = now
        if not campaigns_wait and watched.all_deferred("campaign", setting.campaigns):
            campaigns_wait = True
            strikes_at = strikes_at and time.time() + IN_THE_WAIT
        if strikes_at is not None and time.time() >= strikes_at:
            strikes_at = None
            watched.exit_seconds = _strike(airflow, run)
        if not all_sent and sandbox.accepted()["accepted"] >= messages:
            all_sent = True
            until = time.time() + setting.final_after + setting.longest
    return watched


def _strike(airflow: AirflowDeployment, run: str) -> float | None:
    seconds = None
    if run == "SIGTERM":
        leader = next(pid for pid in airflow.components.pids(TRIGGERER) if os.getsid(pid) == pid)
        began = time.monotonic()
        os.kill(leader, signal.SIGTERM)
        while airflow.components.pids(TRIGGERER) and time.monotonic() < began + 60:
            time.sleep(0.05)
        seconds = time.monotonic() - began
    airflow.restart(TRIGGERER)
    return seconds


def _acceptances(sandbox: SandboxProcess, setting: Setting, folder: Path) -> dict[tuple[str, int], float]:
    """Return when the last message of each task was accepted."""
    messages = sandbox.messages()
    times = {message["id"]: message["acceptedAtUnix"] for message in messages}
    singles = {message["to"]: message["acceptedAtUnix"] for message in messages if message["text"] == "Hello"}
    accepted: dict[tuple[str, int], float] = {}
    for index in range(setting.campaigns):
        lines = (folder / f"results-{index}.jsonl").read_text().splitlines()
        accepted["campaign", index] = max(times[json.loads(line)["id"]] for line in lines)
    for index in range(setting.singles):
        to = number_of(FIRST_SINGLE + index)
        if to in singles:
            accepted["single", index] = singles[to]
    return accepted


def _times(
    watched: Watched, accepted: dict[tuple[str, int], float], setting: Setting
) -> tuple[dict[str, Sequence[float]], dict[str, Sequence[float]]]:
    held: dict[str, list[float]] = {"campaign": [], "single": []}
    after: dict[str, list[float]] = {"campaign": [], "single": []}
    for key, at in sorted(accepted.items()):
        task = watched.tasks[key]
        if task.deferred is not None:
            held[key[0]].append(task.deferred - at)
        if task.ended is not None and task.state == "success":
            after[key[0]].append(task.ended - at - setting.final_after)
    return {**held}, {**after}


def _longest(seconds: Sequence[float]) -> str:
    return f"{max(seconds):.1f}" if seconds else ""


def _median(seconds: Sequence[float]) -> str:
    return f"{sorted(seconds)[len(seconds) // 2]:.1f}" if seconds else ""


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waits_deployed", description=__doc__)
    parser.add_argument("--code", type=Path, help="the checkout that is measured (default: this one)")
    parser.add_argument("--run", choices=RUNS, action="append", help="one run; may be repeated")
    usual = Setting()
    for name in ("campaigns", "messages", "singles", "longest"):
        default = getattr(usual, name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help="default: %(default)s")
    given = parser.parse_args()
    setting = Setting(given.campaigns, given.messages, given.singles, longest=given.longest)
    with CodeUnderTest(given.code) as code:
        found = [measure(code, setting, run) for run in given.run or RUNS]
    told = _section(setting, [one.row("this") for one in found], [bar for one in found for bar in one.bars()])
    print(told.markdown())
    return 0 if all(bar.held for bar in told.bars) else 1


if __name__ == "__main__":
    sys.exit(main())
