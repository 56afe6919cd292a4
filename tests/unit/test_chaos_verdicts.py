# SPDX-License-Identifier: Apache-2.0

"""The judge of the chaos runs notices what it is there for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from chaos import tables
from chaos.scenarios import BULK_FAULTS, POINTS, Scenario, at_points, at_random
from chaos.verdicts import Verdict, compare

from airflow_provider_instasent.sandbox.faults import AFTER, BEFORE, Fault
from airflow_provider_instasent.sandbox.settings import Settings

NUMBERS = ["+34600000001", "+34600000002", "+34600000003"]


def judged(policy, sent, states, state="success", summary=None):
    """What the judge says; `states` is one a message, ids are those of the first acceptance."""
    ledger = [SimpleNamespace(id=f"id{place}", to=NUMBERS[n]) for place, n in enumerate(sent)]
    ids = {message.to: message.id for message in reversed(ledger)}
    lines = [
        {"position": n, "state": states[n], "id": ids.get(NUMBERS[n]) if states[n] == "accepted" else None}
        for n in range(len(states))
    ]
    counts = {name: states.count(name) for name in ("accepted", "unconfirmed")} | (summary or {})
    verdict = Verdict(Scenario("name", "point", "task", policy, "store"), "run", state)
    return compare(verdict, NUMBERS, ledger, counts, lines)


ALL = ["accepted"] * 3
ONE_UNKNOWN = ["accepted", "accepted", "unconfirmed"]


@pytest.mark.parametrize("policy", ["fail", "resend"])
def test_all_accepted_once_keeps_the_promise(policy):
    verdict = judged(policy, [0, 1, 2], ALL)

    assert (verdict.broken, verdict.accepted, verdict.twice, verdict.missing) == ([], 3, 0, 0)


@pytest.mark.parametrize("sent", [[0, 1], [0, 1, 2]])
def test_with_fail_what_is_reported_as_unconfirmed_may_or_may_not_have_arrived(sent):
    assert judged("fail", sent, ONE_UNKNOWN, "failed").broken == []


@pytest.mark.parametrize(
    ("policy", "sent", "states", "state", "complaint"),
    [
        ("fail", [0, 1, 2, 2], ALL, "success", "1 accepted twice"),
        ("resend", [0, 1, 1, 2], ALL, "success", "1 accepted twice"),
        ("fail", [0, 1], ["accepted", "accepted", "planned"], "failed", "1 missing"),
        ("fail", [0, 1, 2], ["accepted", "accepted", "planned"], "failed", "not all accounted for"),
        ("fail", [0, 1], ONE_UNKNOWN, "success", "success with"),
        ("resend", [0, 1], ONE_UNKNOWN, "success", "2 of 3 accepted"),
        ("resend", [0, 1, 2], ALL, "failed", "ended as failed"),
        ("fail", [0, 1, 2], ALL[:2], "success", "2 results for 3 rows"),
    ],
)
def test_a_broken_promise_is_noticed(policy, sent, states, state, complaint):
    assert complaint in "; ".join(judged(policy, sent, states, state).broken)


def test_a_summary_that_counts_otherwise_is_noticed():
    assert "the summary" in "; ".join(judged("fail", [0, 1, 2], ALL, summary={"accepted": 4}).broken)


def test_scenarios_are_the_same_for_a_seed_and_cover_every_fault_of_a_send():
    made = at_random(2 * len(BULK_FAULTS) * 2, 3)

    assert made == at_random(len(made), 3)
    assert made != at_random(len(made), 4)
    of_sends = (BEFORE | AFTER) - {"poll_fails"}
    assert {fault["name"] for fault in BULK_FAULTS} == of_sends
    assert {fault["name"] for scenario in made for fault in scenario.faults} == of_sends | {"poll_fails"}
    for scenario in made:
        Settings(**scenario.settings)
        assert all(Fault(**fault).probability for fault in scenario.faults)


def test_every_point_meets_both_kills_and_both_policies():
    made = at_points(list(POINTS), 2, 1)

    assert {(one.point, one.kill, one.policy) for one in made} == {
        (point, kill, policy) for point in POINTS for kill in ("task", "supervisor") for policy in ("fail", "resend")
    }


def test_tables_add_up():
    verdicts = [judged("fail", [0, 1, 2], ALL), judged("fail", [0, 1], ONE_UNKNOWN, "failed")]

    assert (
        tables.by_point(verdicts).splitlines()[-1] == "| point | task | fail | 2 | 0 | 6 | 5 | 0 | 0 | 1 | 0 | 0 | 0 |"
    )
