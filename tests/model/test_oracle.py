# SPDX-License-Identifier: Apache-2.0
"""Each promise is broken by what breaks it, and by nothing near it."""

from __future__ import annotations

from collections import Counter

import pytest
from model import promise
from model.promise import BrokenPromiseError, Evidence, Line, Report, Run
from model.shapes import Sms

ANN, BOB = ("+34600000001", "Hello Ann"), ("+34600000002", "Hello Bob")
ANN_AGAIN = (ANN[0], "Hello again")


def accepted(*messages):
    return [Sms(f"sms-{place}", "Acme", *message, None, 0.0, 1, 1) for place, message in enumerate(messages, 1)]


def evidence(plans, sent=(), lines=None, before=0, refused=(), ended="success", counts=None, error="", **options):
    run = Run(1, [Counter(plan) for plan in plans], options.pop("risk_taken", False))
    run.damaged, run.finished = options.pop("damaged", False), options.pop("finished", False)
    sms = accepted(*sent)
    report = Report(ended, error, counts, lines)
    given = {
        "goes_on": False,
        "skips": False,
        "resends": False,
        "suppressed": frozenset(),
        "shown": True,
        "misled": False,
        "others": frozenset(),
        **options,
    }
    return Evidence(run, before=sms[:before], accepted=sms, refused=frozenset(refused), report=report, **given)


def line(message, state="accepted", sms_id=None):
    return Line(message, state, sms_id)


KEPT = [
    evidence([[ANN, BOB]], [ANN, BOB], [line(ANN, sms_id="sms-1"), line(BOB, sms_id="sms-2")]),
    evidence([[ANN, ANN]], [ANN, ANN], [line(ANN, sms_id="sms-1"), line(ANN, sms_id="sms-2")]),
    evidence([[ANN]], [ANN, ANN], risk_taken=True, ended="crash"),
    evidence([[ANN, ANN_AGAIN]], [ANN, ANN_AGAIN], ended="crash"),
    evidence([[ANN]], [], [line(ANN, "unconfirmed")], skips=True),
    evidence([[ANN]], [ANN], [line(ANN, "unconfirmed")], skips=True, shown=False),
    evidence([[ANN]], [ANN], [line(ANN)], shown=False),
    evidence([[ANN]], [ANN], [line(ANN, "unconfirmed")], ended="failure", error="UnavailableError: the list"),
    evidence([[ANN]], [], [line(ANN, "rejected")], refused=[ANN]),
    evidence([[ANN], [ANN_AGAIN]], [ANN], [line(ANN_AGAIN, "suppressed"), line(None, sms_id="sms-1")], before=1),
    evidence([[ANN], [ANN_AGAIN]], [], [line(ANN_AGAIN, "suppressed"), line(None, "unconfirmed")], skips=True),
    evidence([[ANN], [BOB]], [ANN], before=1, ended="failure", error="the rows changed: nothing was sent"),
    evidence([[ANN]], [ANN], before=1, damaged=True, ended="failure"),
    evidence([[ANN], [BOB]], [ANN], before=1, suppressed=frozenset([ANN[0]]), ended="failure"),
    evidence([[]], [], [line(ANN, "suppressed")], suppressed=frozenset([ANN[0]])),
    evidence([[ANN]], [ANN], before=1, finished=True),
]

BROKEN = {
    "no_text_arrives_twice": [evidence([[ANN]], [ANN, ANN]), evidence([[ANN], [ANN]], [ANN, ANN])],
    "no_number_gets_two_versions": [evidence([[ANN], [ANN_AGAIN], [ANN]], [ANN, ANN_AGAIN])],
    "nobody_is_texted_who_is_not_to_be": [evidence([[]], [ANN], suppressed=frozenset([ANN[0]]))],
    "success_leaves_nobody_out": [
        evidence([[ANN]], [], [line(ANN, "planned")]),
        evidence([[ANN]], [], [line(ANN, "unconfirmed")]),
        evidence([[ANN], [ANN_AGAIN]], [], [line(ANN_AGAIN, "suppressed")]),
    ],
    "what_is_called_accepted_was_accepted": [
        evidence([[ANN]], [], [line(ANN)]),
        evidence([[ANN, BOB]], [ANN, BOB], [line(ANN, sms_id="sms-2"), line(BOB, sms_id="sms-1")]),
        evidence([[ANN]], [ANN], [line(ANN, sms_id="another's")]),
        evidence([[ANN]], [ANN], [line(None, sms_id="another's")]),
        evidence([[ANN, ANN]], [ANN, ANN], [line(ANN, sms_id="sms-1"), line(ANN, sms_id="sms-1")]),
    ],
    "what_is_called_unsent_was_not_sent": [
        evidence([[ANN]], [ANN], [line(ANN, "planned")], ended="failure"),
        evidence([[ANN]], [ANN], [line(ANN, "rejected")], refused=[ANN]),
    ],
    "what_is_called_rejected_was_turned_down": [evidence([[ANN, BOB]], [], [line(ANN, "rejected")], refused=[BOB])],
    "nothing_accepted_is_forgotten": [
        evidence([[ANN], [ANN_AGAIN]], [ANN], [line(ANN_AGAIN, "suppressed")]),
        evidence([[ANN]], [ANN, ANN], [line(ANN, sms_id="sms-1")]),
    ],
    "what_the_list_shows_is_known": [
        evidence([[ANN]], [ANN], [line(ANN, "unconfirmed")], ended="failure", error="UnconfirmedError: 1 message"),
        evidence([[ANN]], [ANN], [line(ANN)]),
    ],
    "counts_add_up": [
        evidence([[ANN]], [], [], counts={"rows": 2, "gone": 0, "accepted": 1}),
        evidence(
            [[ANN]],
            [],
            [line(ANN, "rejected")],
            counts=dict.fromkeys(("rejected", "unconfirmed", "planned", "suppressed", "gone"), 0)
            | {"rows": 1, "accepted": 1},
        ),
    ],
    "changed_rows_send_nothing_unless_asked_to": [evidence([[ANN], [ANN, BOB]], [ANN, BOB], before=1)],
    "a_damaged_journal_sends_nothing": [
        evidence([[ANN, BOB]], [ANN, BOB], before=1, damaged=True, ended="failure"),
        evidence([[ANN]], [ANN], before=1, damaged=True),
    ],
    "a_finished_task_sends_nothing": [
        evidence([[ANN, BOB]], [ANN, BOB], before=1, finished=True),
        evidence([[ANN]], [ANN], before=1, finished=True, ended="failure"),
    ],
    "a_failure_has_words": [
        evidence([[ANN]], ended="confused"),
        evidence([[ANN]], [ANN], ended="failure", error="nothing was sent"),
    ],
}


@pytest.mark.parametrize("case", KEPT, ids=range(len(KEPT)))
@pytest.mark.parametrize("kept", promise.TRY_PROMISES, ids=lambda one: one.__name__)
def test_a_promise_is_kept(kept, case):
    kept(case)


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in BROKEN.items() for case in cases], ids=lambda one: str(one)[:40]
)
def test_a_promise_is_broken(name, case):
    with pytest.raises(BrokenPromiseError):
        getattr(promise, name)(case)


def test_each_promise_can_be_broken():
    assert set(BROKEN) == {one.__name__ for one in promise.TRY_PROMISES}


@pytest.mark.parametrize(
    ("last", "sent", "refused"),
    [
        (Report("failure", "still in doubt"), [ANN, BOB], []),
        (Report("success"), [ANN], []),
        (Report("success", counts={"unconfirmed": 1}, lines=[line(BOB, "unconfirmed")]), [ANN], []),
    ],
)
def test_a_campaign_that_does_not_come_to_its_end_is_seen(last, sent, refused):
    with pytest.raises(BrokenPromiseError):
        promise.everything_arrives_in_the_end(Run(1, [Counter([ANN, BOB])]), accepted(*sent), frozenset(refused), last)


@pytest.mark.parametrize(
    ("last", "sent", "refused"),
    [
        (Report("success"), [ANN, BOB], []),
        (Report("success"), [ANN], [BOB]),
        (Report("success"), [ANN_AGAIN, BOB], []),
        (Report("success", counts={"unconfirmed": 1}), [ANN], []),
    ],
)
def test_a_campaign_that_comes_to_its_end_is_seen(last, sent, refused):
    promise.everything_arrives_in_the_end(Run(1, [Counter([ANN, BOB])]), accepted(*sent), frozenset(refused), last)
