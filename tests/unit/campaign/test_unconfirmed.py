# SPDX-License-Identifier: Apache-2.0
"""What is looked for and how long, and what becomes of a message that was not found."""

from __future__ import annotations

import pytest
from support.campaign import KEYS
from support.sms_list import World, wanted

from airflow_provider_instasent.api.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
    UnconfirmedError,
)
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.campaign.campaign_settings import SendSettings
from airflow_provider_instasent.campaign.findings import Doubt, Findings
from airflow_provider_instasent.campaign.unconfirmed import (
    MOST_RESENDS,
    Unconfirmed,
    proves_acceptance,
    refuse_unless_whole,
)
from airflow_provider_instasent.journal.worker_clock import WorkerClock
from airflow_provider_instasent.planning.choices import OnUnconfirmed

A, B = b"a" * 15, b"b" * 15


def found_nothing(*doubts: Doubt, whole: bool = True) -> Findings:
    return Findings({}, whole, dict(zip((A, B), doubts, strict=False)))


def unconfirmed(policy="resend", list_page=lambda _number, _size: Page([], None), world=None, **settings):
    """What finds out, with a clock that stands still but where it sleeps; returns it and what it slept."""
    world = world or World()
    clock = WorkerClock(lambda: world.now, lambda: world.steady)
    given = SendSettings("c", OnUnconfirmed.of(policy), **settings)
    return Unconfirmed(given, KEYS, list_page, clock, world.sleep), world.slept


@pytest.mark.parametrize(
    ("started", "requested", "seconds"), [(1_000.0, 0.0, 20.0), (990.0, 1_000.0, 20.0), (995.0, 990.0, 15.0)]
)
def test_a_look_lasts_for_the_grace_after_the_start_or_the_last_request(started, requested, seconds):
    looking, slept = unconfirmed(started_at=started, unconfirmed_grace=20.0)
    findings = looking.look([wanted()], requested)
    assert (dict(findings.found), findings.whole) == ({}, True)
    assert sum(slept) == seconds


@pytest.mark.parametrize("error", [UnavailableError("down", status=503), RateLimitedError("slow down", status=429)])
def test_a_list_that_cannot_be_read_is_told_with_its_status(error):
    def fail(_number, _size):
        raise error

    looking, _ = unconfirmed(list_page=fail, started_at=0.0)
    with pytest.raises(UnavailableError, match=r"2 unconfirmed.*cannot be read.*None of it was sent again") as told:
        looking.look([wanted(), wanted("another")], 0.0)
    assert told.value.status == error.status
    assert told.value.__cause__ is error


@pytest.mark.parametrize("policy", ["fail", "skip", "resend"])
@pytest.mark.parametrize(
    "refusal", [AuthenticationError("no scope", status=403), InvalidRequestError("no", status=400), NotFoundError("?")]
)
def test_a_list_that_refuses_to_be_read_ends_it_only_for_who_leaves_them_so(policy, refusal):
    def fail(_number, _size):
        raise refusal

    looking, _ = unconfirmed(policy, fail, started_at=0.0)
    if policy == "skip":
        findings = looking.look([wanted()], 0.0)
        assert (dict(findings.found), findings.whole, dict(findings.doubted)) == ({}, False, {})
        return
    with pytest.raises(type(refusal), match=r'1 unconfirmed.*refuses to be read.*on_unconfirmed="skip"') as told:
        looking.look([wanted()], 0.0)
    assert (told.value.status, told.value.__cause__) == (refusal.status, refusal)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_list_of_which_only_some_pages_can_be_read_proves_no_absence(order):
    """Many servers refuse what is more than 10,000 entities behind."""
    world = World(order=order, tells_created=False)
    for number in range(200):
        world.accept(f"other {number}")

    def page(number, size):
        if number > 5:
            raise InvalidRequestError("the result window is too large", status=400)
        return world.page(number, size)

    looking, _ = unconfirmed("resend", page, world)
    assert not looking.look([wanted()], 0.0).whole


@pytest.mark.parametrize(("occurrences", "found"), [({}, False), ({"occurrences": 2}, True)])
def test_copies_are_known_only_where_there_may_be_some(occurrences, found):
    """The second of two equal messages has a key of its own."""
    world = World(echo=False)
    world.accept()
    looking, _ = unconfirmed(list_page=world.page, world=world)
    second = wanted(occurrence=1)
    assert (second.key in looking.look([second], 0.0, **occurrences).found) is found


@pytest.mark.parametrize(("policy", "again"), [("resend", True), ("fail", False), ("skip", False)])
def test_only_who_accepts_the_risk_has_them_sent_again(policy, again):
    looking, _ = unconfirmed(policy)
    assert looking.are_resent is again
    assert looking.are_sent_again(found_nothing(), 3, 0) is again


def test_nothing_is_sent_again_where_nothing_is_left():
    looking, _ = unconfirmed()
    assert not looking.are_sent_again(found_nothing(Doubt.UNDATED, whole=False), 0, 0)


def test_one_try_sends_again_only_so_often():
    looking, _ = unconfirmed()
    assert [looking.are_sent_again(found_nothing(), 1, resends) for resends in (MOST_RESENDS - 1, MOST_RESENDS)] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("findings", "left", "words"),
    [
        (found_nothing(whole=False), 2, "2 unconfirmed: not found in what can be read of the list (at most 5000"),
        (found_nothing(Doubt.UNDATED, whole=False), 2, "2 unconfirmed: not found in what can be read of the list"),
        (found_nothing(Doubt.UNDATED), 1, f"1 unconfirmed: {Doubt.UNDATED}. So they may have been accepted"),
        (found_nothing(Doubt.UNDATED, Doubt.BLANK), 2, f"2 unconfirmed: {Doubt.UNDATED}, or the like. So they may"),
    ],
)
def test_a_look_that_proves_nothing_of_any_is_an_error(findings, left, words):
    looking, _ = unconfirmed()
    with pytest.raises(UnconfirmedError) as told:
        looking.are_sent_again(findings, left, 0)
    assert str(told.value).startswith(words)
    assert str(told.value).endswith('clear the task with on_unconfirmed="skip" to leave them so.')
    assert "None" not in str(told.value)


def test_those_in_no_doubt_are_sent_again_before_the_others_are_told():
    looking, _ = unconfirmed()
    assert looking.are_sent_again(found_nothing(Doubt.UNDATED), 2, 0)


@pytest.mark.parametrize(("findings", "left"), [(found_nothing(), 4), (found_nothing(whole=False), 0)])
def test_what_proves_absence_or_concerns_nobody_is_no_error(findings, left):
    refuse_unless_whole(findings, left)


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("in_doubt", [True, False])
@pytest.mark.parametrize("given", [None, "mine"])
def test_a_taken_client_id_proves_an_earlier_request_only_where_it_is_ours_and_there_was_one(taken, in_doubt, given):
    proven = proves_acceptance(client_id_taken=taken, in_doubt=in_doubt, given=given)
    assert proven is (taken and in_doubt and given is None)
