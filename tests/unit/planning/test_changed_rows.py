# SPDX-License-Identifier: Apache-2.0
"""Rows that change between tries: two messages to one number go out only if one plan held both when the first left."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.campaign import SECRET, Segments, accepted

from airflow_provider_instasent.api.counters import NO_COUNTERS
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings, SendSettings
from airflow_provider_instasent.campaign.campaign_try import CampaignTry
from airflow_provider_instasent.campaign.earlier_tries import replay
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.stopping import Stop
from airflow_provider_instasent.planning.changed_rows import difference, fingerprint, is_present_plan, members
from airflow_provider_instasent.planning.choices import OnPlanChange
from airflow_provider_instasent.planning.plan import PlanSettings
from airflow_provider_instasent.planning.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Message = tuple[str, str]
"""A number and a text."""


@contextmanager
def planned(store: Segments, plan: Iterable[Message], **send: Any) -> Iterator[tuple[Spool, Journal, CampaignTry]]:
    """A try of a campaign whose rows are these messages, before it sends anything."""
    plan_settings = PlanSettings("c", sender="Acme")
    send_settings = SendSettings("c", on_plan_change=OnPlanChange.CONTINUE, run_secret=SECRET, **send)
    with Spool() as spool, Journal(store) as journal:
        earlier = replay(spool, journal, send_settings)
        for position, (number, text) in enumerate(plan):
            spool.add(position, spool.keys.key("Acme", number, text), Sms(number, text, "Acme"), 1)
        client: Any = SimpleNamespace(list_sms=None, settings=SimpleNamespace(counters=NO_COUNTERS))
        one = CampaignTry(
            client, journal, spool, earlier, settings=CampaignSettings(plan_settings, send_settings), stop=Stop()
        )
        one.prepare()
        yield spool, journal, one


def due(spool: Spool) -> list[Message]:
    return [(one.message.to, one.message.text) for one in spool.planned(-1, 1_000)]


def send(spool: Spool, journal: Journal, message: Message) -> None:
    """Let one of the planned messages be accepted."""
    (placed,) = [one for one in spool.planned(-1, 1_000) if (one.message.to, one.message.text) == message]
    chunk = journal.new_chunk()
    journal.intend_places(chunk, [(placed.place, 1)])[1].result()
    journal.settle(chunk, accepted([f"sms-{chunk}"])).result()


A, B = "+34600000001", "+34600000002"


def test_another_text_is_held_back_for_whom_has_one_and_goes_to_the_others():
    store = Segments()
    with planned(store, [(A, "old"), (B, "old")]) as (spool, journal, _):
        send(spool, journal, (A, "old"))
    with planned(store, [(A, "new"), (B, "new")]) as (spool, _, _):
        assert due(spool) == [(B, "new")]
        assert [row["position"] for row in spool.issues()] == [0]


def test_several_texts_of_one_plan_all_go_out():
    store = Segments()
    with planned(store, [(A, "one"), (A, "two")]) as (spool, journal, _):
        send(spool, journal, (A, "one"))
    with planned(store, [(A, "one"), (A, "two"), (B, "new")]) as (spool, _, _):
        assert due(spool) == [(A, "two"), (B, "new")]


def test_one_that_left_the_plan_and_comes_back_is_new():
    store = Segments()
    with planned(store, [(A, "one"), (A, "two")]):
        pass
    with planned(store, [(A, "one")]) as (spool, journal, _):
        send(spool, journal, (A, "one"))
    for _ in range(2):
        with planned(store, [(A, "one"), (A, "two")]) as (spool, _, _):
            assert due(spool) == []


def test_the_plan_of_a_try_that_is_held_back_is_noted_without_it():
    store = Segments()
    with planned(store, [(A, "old")]) as (spool, journal, _):
        send(spool, journal, (A, "old"))
    with planned(store, [(A, "new"), (B, "new")]) as (spool, _, _):
        assert is_present_plan(spool)
        assert members(spool) == [(1, 1)]
        assert spool.withheld == 1


def test_the_same_rows_are_the_same_plan_in_any_order():
    store = Segments()
    with planned(store, [(A, "one"), (B, "two")]) as (spool, _, _):
        one = fingerprint(spool)
    with planned(store, [(B, "two"), (A, "one")]) as (spool, _, _):
        assert fingerprint(spool) == one
        assert difference(spool).same == 2
        assert store.writes[-1][-1].startswith('{"n"')  # no second plan was noted
    assert sum('"plan"' in record for records in store.writes for record in records) == 1


@pytest.mark.parametrize("places", [[0, 1, 2, 3], [0, 2, 3], [1], [0, 3]])
def test_members_are_told_as_spans(places):
    store = Segments()
    messages = [(f"+3460000000{n}", "t") for n in range(4)]
    with planned(store, messages):
        pass
    with planned(store, [messages[n] for n in places]) as (spool, _, _):
        assert [first + n for first, count in members(spool) for n in range(count)] == places


_messages = st.tuples(st.sampled_from([A, B]), st.sampled_from("xyz"))
_plans = st.lists(st.tuples(st.sets(_messages, max_size=5), st.booleans(), st.integers(0, 3)), max_size=7)


@settings(max_examples=150, deadline=None, database=None)
@given(_plans)
def test_any_history_of_plans_gives_a_number_only_what_was_meant_together(history):
    """The oracle: each message that is sent was in every plan since any other one to its number was sent."""
    store = Segments()
    sent: dict[Message, int] = {}
    plans: list[set[Message]] = []
    for plan, noted, count in history:
        if not noted:  # it dies after listing, before it notes its plan
            die(store, sorted(plan))
            continue
        with planned(store, sorted(plan)) as (spool, journal, _):
            plans.append(plan)
            ready = due(spool)
            for message in plan - set(sent) - set(ready):
                others = [other for other in sent if other[0] == message[0]]
                assert any(not together(plans, sent[other], message) for other in others)  # held back for a reason
            for message in ready[:count]:
                others = [other for other in sent if other[0] == message[0]]
                assert message not in sent
                assert all(together(plans, sent[other], message) for other in others)
                send(spool, journal, message)
                sent[message] = len(plans) - 1


def together(plans: list[set[Message]], since: int, message: Message) -> bool:
    return all(message in plan for plan in plans[since:])


def die(store: Segments, plan: list[Message]) -> None:
    """List what a plan adds, and end before the plan is noted."""
    with Spool() as spool, Journal(store) as journal:
        replay(spool, journal, SendSettings("c", run_secret=SECRET))
        for position, (number, text) in enumerate(plan):
            spool.add(position, spool.keys.key("Acme", number, text), Sms(number, text, "Acme"), 1)
        new = spool.unlisted(-1, 1_000)
        if new:
            journal.enlist([key for _, key, _ in new], [None] * len(new))
        journal.enlist_members([(0, len(spool.roster) + len(new))] if new else [])
