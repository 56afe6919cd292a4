# SPDX-License-Identifier: Apache-2.0
"""A campaign in the model's world: its rows, its tries, and what is known of them when each is judged."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from model import subject
from model.adversary import Caller
from model.clock import EPOCH
from model.habits import Attempt, Habits, Turn
from model.process import Process
from model.promise import (
    LEDGER_PROMISES,
    TRY_PROMISES,
    BrokenPromiseError,
    Evidence,
    Message,
    Report,
    Run,
    everything_arrives_in_the_end,
)
from model.subject import GRACE, SENDER, Place, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from model.shapes import Sms
    from model.world import World

DAY = 86_400.0
HOUR = 3_600.0
CLEAN_TRIES = 4
MEMORY = Path("/dev/shm")  # a disk would be the slowest part


class Campaign:
    """One campaign. Each try is judged as soon as it has ended.

    :param habits: how the API behaves
    :param people: how many rows there are
    :param place: of the journal: `values`, `path` or `none`
    :param single: one message a task
    :param own_ids: rows have clientIds that the user gave
    :param copies: the first row is there twice, and both are `wanted` or one is to be `dropped`
    :param ignored: names of promises that are not judged by
    """

    def __init__(
        self,
        world: World,
        habits: Habits,
        people: int = 1,
        place: str = "values",
        *,
        single: bool = False,
        own_ids: bool = False,
        copies: str = "",
        ignored: Collection[str] = (),
    ) -> None:
        self.world, self.api = world, world.begin(habits)
        self.single, self._own_ids, self._copies, self._ignored = single, own_ids, copies, ignored
        self._folder = Path(tempfile.mkdtemp(prefix="model-", dir=MEMORY if MEMORY.is_dir() else None))
        self._kind = place
        self._changes = 0
        self.rows = [_message(person) for person in range(1 if single else people)]
        self.rows += self.rows[:1] if copies else []
        self._first_rows = list(self.rows)
        self.api.refused_numbers = {_message(person)[0] for person in habits.refused}
        self.run = Run(0)
        self._twins, self._misled = habits.twins, habits.entities == "reversed"
        self.broken = False
        self._others_send(habits)
        self.begin_run()

    def begin_run(self) -> None:
        """Begin another run of the campaign, with a journal of its own."""
        self.run = Run(self.run.number + 1)
        self.place = Place(self._kind, self._folder / str(self.run.number))
        self.place.folder.mkdir()
        self._began = self.world.clock.now
        self._tries = self._last_of_others = 0
        self._skewed = False
        self._untimed = self._moved = self._may_have_finished = False
        self._owner = 1

    def begin_owner(self) -> None:
        """Let another task take part, with the same journal."""
        self._owner += 1
        self.run.is_shared = True
        self._last_of_others = self._tries
        self.run.finished = self._may_have_finished = False

    def change(self, kind: str, place: int) -> None:
        """Change a row."""
        place %= len(self.rows)
        kind = "text" if self.single else kind
        number, _ = self.rows[place]
        self._changes += 1
        text = f"Hello {int(number[-6:])}, offer {self._changes}"
        if kind == "text":
            self.rows[place] = (number, text)
        elif kind == "gone" and len(self.rows) > 1:
            del self.rows[place]
        elif kind == "new":
            self.rows.append(_message(100 + self._changes))
        elif kind == "second text":
            self.rows.append((number, text))
        elif kind == "order":
            self.rows.reverse()
        elif kind == "back":
            self.rows = list(self._first_rows)

    def heal(self) -> None:
        """Let the API take the numbers that it refused."""
        self.api.refused_numbers = set()

    def lose(self, first: int, count: int) -> None:
        """Lose parts of the journal, never all of it: that is another matter."""
        parts = self.place.parts()
        first %= len(parts)
        for part in parts[first : first + min(count, len(parts) - 1)]:
            self.place.lose(part)
        self.run.damaged = True

    def attempt(self, attempt: Attempt) -> Report:
        """Run one try."""
        before = self._ours()
        report = self._play(attempt, Process(attempt.end))
        self._judge(attempt, report, before)
        return report

    def attempt_two(self, first: Attempt, second: Attempt) -> None:
        """Run a try that stands still somewhere, start another one meanwhile, and let the first one go on after it."""
        process, reports = Process(first.end), list[Report]()

        def superseded() -> None:
            try:
                reports.append(self._play(first, process))
            finally:
                process.ended()

        thread = threading.Thread(target=superseded, daemon=True)
        before = self._ours()
        thread.start()
        hung = process.wait()
        if not hung:
            thread.join()
            self._judge(first, reports[0], before)
        clock = self.world.clock
        self._untimed |= hung
        kept = clock.skew, clock.booted, clock.boot_id
        if hung and Turn("hangs", "before") in first.sends and second.policy == "resend":
            self.run.risk_taken = True  # nothing fences off a request that is on its way: the docs say so
        try:
            self.attempt(second)
        finally:
            clock.skew, clock.booted, clock.boot_id = kept
            process.release()
            thread.join()
        if hung:
            self._judge(first, reports[0], before, unheard=True)

    def end_well(self) -> None:
        """Let nothing go wrong any more, and see the campaign come to its end."""
        if self.run.damaged:
            return
        self.world.clock.now += HOUR
        self.api.funds = None
        kept = self.api.habits
        self.api.habits = Habits(kept.newest_first, echoes=kept.echoes, skew=kept.skew)
        report, done = Report("failure"), self._may_have_finished
        for policy in ("resend",) * CLEAN_TRIES + ("skip",):
            if report.ended != "success":
                report = self.attempt(Attempt(policy=policy, goes_on=True))
        if not done and not (self.single and set(self.rows) <= self._refused()):
            others_look_alike = bool(self._twins or self._copies or self.run.number > 1)
            # Where ours show a clientId, one that is alike and shows none is a doubt all the same.
            told_apart = self._is_timed() or not others_look_alike
            self._holds(
                lambda: everything_arrives_in_the_end(
                    self.run, self._ours(), self._refused(), report, told_apart=told_apart
                )
            )

    def remove(self) -> None:
        """Remove what it left on disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _play(self, attempt: Attempt, process: Process) -> Report:
        """Run a try in its process; the clocks are then those of its worker."""
        clock = self.world.clock
        clock.now += 5.0
        self._tries += 1
        # A worker is on a machine of its own, unless it is the one of which the clock gets set between its tries.
        clock.skew = attempt.skew
        clock.booted = EPOCH - 60.0 if attempt.clock_is_set else clock.now - 60.0
        clock.boot_id = "same" if attempt.clock_is_set else f"of try {self._tries}"
        self._skewed |= bool(attempt.skew)
        self._moved |= not attempt.clock_is_set
        if attempt.policy == "resend" or self.place.kind == "none":
            self.run.risk_taken |= self.api.habits.lag >= GRACE
        version = f" (version {attempt.version})" if attempt.version else ""
        rows = [(number, text + version) for number, text in self.rows]
        never = self._suppressed(attempt)
        asked = [row for row in rows if row[0] not in never]
        self.run.plans.append(Counter(asked) if self._copies == "wanted" else Counter(set(asked)))
        self.run.asked_again = attempt.asks_again
        token = f"sequence-{self.world.sequences}-run-{self.run.number}-try-{self._tries}"
        self.api.callers[token] = Caller(
            self.run.number, self._tries, process, list(attempt.sends), list(attempt.lists)
        )
        task = Task(
            rows,
            [f"own {place} {number[-3:]}" if self._own_ids else "" for place, (number, _) in enumerate(rows)],
            attempt.policy,
            attempt.goes_on,
            owner=f"dag/{self.run.number}/task {self._owner}/-1",
            suppressed=sorted(never),
            deduplicate=self._copies != "wanted",
            asks_again=attempt.asks_again,
            since=self._began if self._tries > 1 else None,
        )
        play = subject.single_try if self.single else subject.bulk_try
        try:
            return play(task, self.place, process, {"base_url": self.world.wire.url, "token": token}, clock)
        finally:
            process.die()  # its threads, where any are left, do no more

    def _judge(self, attempt: Attempt, report: Report, before: Sequence[Sms], *, unheard: bool = False) -> None:
        goes_on = attempt.goes_on or self.single
        self._untimed |= unheard or attempt.end is not None or report.ended == "crash" or not self.api.habits.dates
        policies = attempt.policy == "skip", attempt.policy == "resend"
        shown = self._is_shown(attempt)
        never = self._suppressed(attempt)
        ours = self._ours()
        others = frozenset(sms.id for sms in ours if sms.attempt <= self._last_of_others)
        judged = (before, ours, others, self._refused(), report)
        case = Evidence(self.run, goes_on, *policies, never, shown, self._misled, *judged)
        for promise in LEDGER_PROMISES if unheard or report.ended == "crash" else TRY_PROMISES:
            self._holds(lambda promise=promise: promise(case), promise.__name__)  # type: ignore[misc]
        settled = not self.single or all(line.state == "accepted" for line in report.lines or ())
        written = attempt.end is None or attempt.end.how != "fails"
        finished = report.ended == "success" and settled and not unheard
        self.run.finished |= finished and written
        self._may_have_finished |= finished  # a write that fails may be durable, or come after the last one
        self.run.asked_again = False

    def _holds(self, promise: Callable[[], None], name: str = everything_arrives_in_the_end.__name__) -> None:
        if name in self._ignored:
            return
        try:
            promise()
        except BrokenPromiseError:
            self.broken = True
            self.world.found = self.world.found or (name, self.world.sequences, self.world.steps)
            raise

    def _is_shown(self, attempt: Attempt) -> bool:
        """Whether the list leaves no doubt about what was accepted: by clientIds of ours, or by time and content."""
        habits = self.api.habits
        if attempt.lists or habits.lag >= GRACE or habits.busy >= habits.page_cap or self._copies:
            return False
        return self._is_timed() or (habits.echoes and not self._own_ids)

    def _is_timed(self) -> bool:
        """Whether the list tells which SMS are older than a request of ours."""
        habits = self.api.habits
        # Either each worker's clock was compared with the API's, or there is but one clock.
        compared = habits.dates and not self._untimed
        one_clock = not self._moved and not self._skewed and (habits.dates or not habits.skew)
        return (compared or one_clock) and habits.created_at in {"iso", "seconds", "milliseconds", "http", "object"}

    def _suppressed(self, attempt: Attempt) -> frozenset[str]:
        return frozenset() if self.single else frozenset(_message(person)[0] for person in attempt.suppressed)

    def _ours(self) -> list[Sms]:
        return [sms for sms in self.api.ledger if sms.run == self.run.number]

    def _refused(self) -> frozenset[Message]:
        return frozenset((to, text) for run, to, text in self.api.refused if run == self.run.number)

    def _others_send(self, habits: Habits) -> None:
        """Fill the list with what other systems sent."""
        now = self.world.clock.now
        if habits.twins == "old":
            for number, text in self.rows:
                self.api.store(SENDER, number, text, None, at=now - DAY, run=None)
        for place in range(habits.older):
            at = now - 60.0 * (habits.older - place) - 300.0
            self.api.store("Other", f"+34700{place:06d}", "Something else", None, at=at, run=None)
        if habits.twins == "new" and habits.echoes:
            for place, (number, text) in enumerate(self.rows):
                self.api.store(SENDER, number, text, f"theirs-{place}", at=now, run=None)


def _message(person: int) -> Message:
    return f"+34600{person:06d}", f"Hello {person}, offer"
