# SPDX-License-Identifier: Apache-2.0
"""The promise, no SMS twice and none lost, as a judge reads it: by what the API accepted and what a try reports.

Nothing here knows journals, clientIds or requests. A message is a number and a text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.shapes import Sms

Message = tuple[str, str]


class BrokenPromiseError(AssertionError):
    """The promise was broken."""


@dataclass(frozen=True)
class Line:
    """What a report says of one message.

    :param message: the message of the row; None where the row is gone by now
    :param state: `accepted`, `rejected`, `unconfirmed`, `planned`; `suppressed`, `duplicate`, `invalid` for a row
    :param id: that of the SMS, where it is known
    """

    message: Message | None
    state: str
    id: str | None


@dataclass(frozen=True)
class Report:
    """How a try ended.

    :param ended: `success`, `failure` (it said why), `crash` (nobody heard anything), `confused` (an error of no kind
        that the product names)
    :param error: what it said
    :param counts: of its summary, `rows` and `gone` among them; None where there is none
    :param lines: of its results file; None where it wrote none
    """

    ended: str
    error: str = ""
    counts: dict[str, int] | None = None
    lines: Sequence[Line] | None = None


@dataclass
class Run:
    """One run of a campaign: all tries that share a journal.

    :ivar plans: what the rows of each try asked for
    :ivar risk_taken: a try sent again what stayed in doubt, as its user asked, while the list hid what was accepted
    :ivar damaged: a part of its journal was lost
    :ivar finished: a try reported success
    :ivar is_shared: several tasks take part
    :ivar asked_again: the present try is to send again what was rejected
    """

    number: int
    plans: list[Counter[Message]] = field(default_factory=list)
    risk_taken: bool = False
    damaged: bool = False
    finished: bool = False
    asked_again: bool = False
    is_shared: bool = False


@dataclass(frozen=True)
class Evidence:
    """All there is to judge a try by.

    :param run: what is known of the tries before it, and its own plan as the last one
    :param goes_on: the user said `on_plan_change="continue"`
    :param skips: the user said `on_unconfirmed="skip"`
    :param resends: the user said `on_unconfirmed="resend"`
    :param suppressed: numbers that the user said are never to be texted
    :param shown: the API's list showed all of the run's SMS in time, and so that each could be told from others
    :param misled: the API told ids without saying whose, in another order than that of the request
    :param before: SMS of the run that the API had accepted before this try
    :param accepted: those it has accepted by now
    :param others: SMS of the run that another task sent, which shares the journal and has a report of its own
    :param refused: messages of the run that the API turned down for what they are
    """

    run: Run
    goes_on: bool
    skips: bool
    resends: bool
    suppressed: frozenset[str]
    shown: bool
    misled: bool
    before: Sequence[Sms]
    accepted: Sequence[Sms]
    others: frozenset[str]
    refused: frozenset[Message]
    report: Report

    @property
    def messages(self) -> list[Message]:
        return [(sms.number, sms.text) for sms in self.accepted]

    @property
    def sent(self) -> int:
        return len(self.accepted) - len(self.before)

    @property
    def lines(self) -> Sequence[Line]:
        return self.report.lines or ()


def no_text_arrives_twice(case: Evidence) -> None:
    """A number gets a text as often as the rows ask for it, not once more."""
    for message, count in Counter(case.messages).items():
        if count > max(plan[message] for plan in case.run.plans) and not case.run.risk_taken:
            raise BrokenPromiseError(f"{message} was accepted {count} times")


def no_number_gets_two_versions(case: Evidence) -> None:
    """Where rows change between tries, a number gets one version, unless one and the same plan held both."""
    texts: dict[str, set[str]] = {}
    for number, text in case.messages:
        texts.setdefault(number, set()).add(text)
    for number, versions in texts.items():
        together = any(versions <= {text for to, text in plan if to == number} for plan in case.run.plans)
        if not together and not case.run.risk_taken:
            raise BrokenPromiseError(f"{number} got {sorted(versions)}, which no plan held together")


def nobody_is_texted_who_is_not_to_be(case: Evidence) -> None:
    """A number on the list of those never to be texted gets nothing from the try that has the list."""
    if texted := {sms.number for sms in case.accepted[len(case.before) :]} & case.suppressed:
        raise BrokenPromiseError(f"{sorted(texted)} were texted and are suppressed")


def success_leaves_nobody_out(case: Evidence) -> None:
    """After a success each row was accepted or rejected, or left in doubt as the user wished, or its number got another
    message of this campaign. Where tasks share it, the doubt that withholds a row may be another one's to settle.
    """
    if case.report.ended != "success":
        return
    in_doubt = {line.message[0] for line in case.lines if line.message and line.state == "unconfirmed"}
    allowed = {number for number, _ in case.messages} | case.suppressed | in_doubt
    doubtful = sum(line.message is None and line.state == "unconfirmed" for line in case.lines)
    for line in case.lines:
        # Under `resend` the number of a doubtful message whose row is gone may get another text. Should the row come
        # back, the message stays in doubt, and is not sent beside that one.
        followed = line.message is None or line.message[0] in {number for number, _ in case.messages}
        may_be_in_doubt = case.skips or (case.resends and followed)
        if line.state == "planned" or (line.state == "unconfirmed" and not may_be_in_doubt):
            raise BrokenPromiseError(f"success, and {line.message} is {line.state}")
    withheld = {line.message[0] for line in case.lines if line.state == "suppressed" and line.message}
    if len(withheld - allowed) > doubtful and not case.run.is_shared:
        raise BrokenPromiseError("success, and rows are withheld whose numbers got nothing and are in no doubt")


def what_is_called_accepted_was_accepted(case: Evidence) -> None:
    """An id in a report is that of an SMS of this run, to this number with this text, and of no other line."""
    by_id = {sms.id: (sms.number, sms.text) for sms in case.accepted}
    reported = [line for line in case.lines if line.state == "accepted"]
    for line in reported:
        if line.id is None and line.message is not None and line.message not in case.messages:
            raise BrokenPromiseError(f"{line.message} is called accepted and was not")
        vague = case.misled or line.message is None
        if line.id is not None and by_id.get(line.id) != (by_id.get(line.id, 0) if vague else line.message):
            raise BrokenPromiseError(f"{line.message} is called {line.id}, which is {by_id.get(line.id, 'not ours')}")
    if most := [sms_id for sms_id, count in Counter(line.id for line in reported if line.id).items() if count > 1]:
        raise BrokenPromiseError(f"{most} stand for several messages each")


def what_is_called_unsent_was_not_sent(case: Evidence) -> None:
    """`planned` and `rejected` are messages that were not accepted."""
    for line in case.lines:
        if line.state in {"planned", "rejected"} and line.message in case.messages:
            asked = case.run.plans[-1][line.message] if line.message else 0
            if case.messages.count(line.message) >= asked:
                raise BrokenPromiseError(f"{line.message} is called {line.state} and was accepted")


def what_is_called_rejected_was_turned_down(case: Evidence) -> None:
    """A message is `rejected` for what it is, never for want of funds or in another's place: nothing sends it again."""
    for line in case.lines:
        if line.state == "rejected" and line.message is not None and line.message not in case.refused:
            raise BrokenPromiseError(f"{line.message} is called rejected; the API turned down {sorted(case.refused)}")


def nothing_accepted_is_forgotten(case: Evidence) -> None:
    """Each SMS of the run is in the report: by its id, or as one whose id is not known, or as doubtful."""
    if case.report.lines is None:
        return
    ids = {line.id for line in case.lines if line.state == "accepted"}
    vague = [line for line in case.lines if line.state == "unconfirmed" or (line.state == "accepted" and not line.id)]
    left = Counter(line.message for line in vague)
    for sms in case.accepted:
        if sms.id in ids | case.others:
            continue
        known = (sms.number, sms.text) if left[sms.number, sms.text] else None
        left[known] -= 1
        if left[known] < 0 and not case.run.risk_taken:
            raise BrokenPromiseError(f"{sms.id} to {sms.number} ({sms.text!r}) is in no line of the report")


def what_the_list_shows_is_known(case: Evidence) -> None:
    """Where the list shows what was accepted, a try that looks for it does not leave it in doubt."""
    looked = case.report.ended == "success" or case.report.error.startswith("UnconfirmedError")
    if not looked or case.report.lines is None or not case.shown or case.run.risk_taken:
        return
    ids = {line.id for line in case.lines if line.state == "accepted"}
    if unknown := [sms.id for sms in case.accepted if sms.id not in ids | case.others]:
        raise BrokenPromiseError(f"the list showed {unknown}, and the report does not know")


def counts_add_up(case: Evidence) -> None:
    """The summary accounts for each row and each message that is gone, as the results file does."""
    counts, lines = case.report.counts, case.report.lines
    if counts is None:
        return
    told = sum(count for name, count in counts.items() if name not in {"rows", "gone"})
    if told != counts["rows"] + counts["gone"]:
        raise BrokenPromiseError(f"the summary does not add up: {counts}")
    if lines is not None:
        by_state = Counter(line.state for line in lines)
        for state in ("accepted", "rejected", "unconfirmed", "planned", "suppressed"):
            if by_state[state] != counts[state]:
                raise BrokenPromiseError(f"{counts[state]} {state} in the summary and {by_state[state]} in the file")


def changed_rows_send_nothing_unless_asked_to(case: Evidence) -> None:
    """Another set of messages than any before sends nothing, unless the user says `continue`."""
    known = [set(plan) for plan in case.run.plans[:-1]]
    if case.sent and case.before and not case.goes_on and set(case.run.plans[-1]) not in known:
        raise BrokenPromiseError("the rows are others than before, and messages were sent")


def a_damaged_journal_sends_nothing(case: Evidence) -> None:
    """Where a part of the journal is gone after something was sent, a try sends nothing and fails."""
    goes_on = case.sent or case.report.ended == "success"
    if case.run.damaged and case.before and case.report.ended != "crash" and goes_on:
        raise BrokenPromiseError(f"a part of the journal is gone: {case.sent} were sent, {case.report.ended}")


def a_finished_task_sends_nothing(case: Evidence) -> None:
    """Clearing a task that has succeeded sends nothing and succeeds, where its journal can be written to."""
    if not case.run.finished or case.run.damaged or (case.run.asked_again and case.refused):
        return
    failed = case.report.ended == "failure" and not case.report.error.startswith("JournalWriteError")
    if case.sent or failed or case.report.ended == "confused":
        raise BrokenPromiseError(f"it had finished: {case.sent} were sent, {case.report.ended}: {case.report.error}")


def a_failure_has_words(case: Evidence) -> None:
    """A try that cannot go on says so in words of its own; where it says that it sent nothing, it sent nothing."""
    report = case.report
    if report.ended == "confused":
        raise BrokenPromiseError(f"it ended with {report.error}")
    denied = report.counts is None and re.search("nothing was sent(?! again)", report.error, re.IGNORECASE)
    if report.ended == "failure" and denied and case.sent:
        raise BrokenPromiseError(f"{case.sent} were sent, and it says: {report.error}")


TRY_PROMISES = (
    no_text_arrives_twice,
    no_number_gets_two_versions,
    nobody_is_texted_who_is_not_to_be,
    success_leaves_nobody_out,
    what_is_called_accepted_was_accepted,
    what_is_called_unsent_was_not_sent,
    what_is_called_rejected_was_turned_down,
    nothing_accepted_is_forgotten,
    what_the_list_shows_is_known,
    counts_add_up,
    changed_rows_send_nothing_unless_asked_to,
    a_damaged_journal_sends_nothing,
    a_finished_task_sends_nothing,
    a_failure_has_words,
)
"""What holds after each try."""

LEDGER_PROMISES = (no_text_arrives_twice, no_number_gets_two_versions)
"""What holds after a try whose report nobody reads: it crashed, or a later one was started meanwhile."""


def everything_arrives_in_the_end(
    run: Run, accepted: Sequence[Sms], refused: frozenset[Message], last: Report, *, told_apart: bool = True
) -> None:
    """Once nothing goes wrong any more, a cleared task succeeds and each row has arrived: no campaign is stuck.

    Where the list cannot tell ours from others that look alike, what may be there is left in doubt at last.
    """
    if last.ended != "success":
        raise BrokenPromiseError(f"stuck: {last.ended}, {last.error}")
    numbers = {sms.number for sms in accepted}
    missing = [message for message in run.plans[-1] if message[0] not in numbers and message not in refused]
    skipped = last.counts is not None and (last.lines is None or not told_apart)
    left_so = last.counts["unconfirmed"] if last.counts is not None and skipped else 0
    if last.counts is not None and last.lines is None:  # a former try had finished without whom it was not to text
        left_so += last.counts.get("suppressed", 0)
    if run.is_shared:  # what another task left in doubt withholds rows, and is for that one to settle
        left_so += sum(line.state == "suppressed" for line in last.lines or ())
    if len(missing) > left_so:  # a former try, told to skip what was in doubt, had finished before it died
        raise BrokenPromiseError(f"lost: {missing}")
