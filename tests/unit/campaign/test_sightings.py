# SPDX-License-Identifier: Apache-2.0
"""A message is found when it is there and only when it is ours, and what cannot be told is a doubt, not an absence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sms_list import HOUR, NOW, World, content, ours, wanted

from airflow_provider_instasent.api.client_ids import MessageKeys
from airflow_provider_instasent.api.errors import UnconfirmedError
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.campaign.findings import Doubt
from airflow_provider_instasent.campaign.search import CLOCK_SLACK
from airflow_provider_instasent.campaign.unconfirmed import refuse_unless_whole
from airflow_provider_instasent.journal.roster import Listed
from airflow_provider_instasent.journal.worker_clock import Moment

OTHERS = MessageKeys(b"another campaign")


# --- by clientId ---


def test_somebody_elses_client_id_is_never_ours():
    world = World(echo=True)
    world.accept(client_id="theirs")
    world.accept(client_id=OTHERS.client_id(OTHERS.key("Acme", "+34600000001", "hello")))
    assert world.look(wanted()) == {}


@pytest.mark.parametrize("theirs", ["theirs", OTHERS.client_id(OTHERS.key("Acme", "+34600000001", "hello"))])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_sms_with_a_foreign_client_id_is_not_attributed_by_its_content(order, theirs):
    """The same text to the same person, a moment ago, sent by somebody else; where ours are echoed and where not."""
    world = World(echo=True, order=order)
    world.accept(client_id=theirs)
    findings = world.findings(wanted())
    assert (dict(findings.found), dict(findings.doubted), findings.whole) == ({}, {}, True)
    sms_id = world.accept(clientId=None)
    assert world.look(wanted()) == {wanted().key: sms_id}


def test_where_ours_are_echoed_an_sms_without_a_client_id_is_a_doubt():
    """It may have been typed into the dashboard; it may be ours, where the API echoes some clientIds and some not."""
    for proof in ("found", "given", "known", "of the campaign"):
        world = World(echo=True)
        world.accept(client_id=None)
        other = world.accept("another", client_id="mine" if proof == "given" else ours("another"))
        looked_for = [wanted()]
        if proof in {"found", "given"}:
            looked_for.append(wanted("another", client_id="mine" if proof == "given" else None))
        findings = world.findings(*looked_for, known_ids={other} if proof == "known" else frozenset())
        assert wanted().key not in findings.found
        assert findings.doubted == {wanted().key: Doubt.NOT_ECHOED}


@pytest.mark.parametrize("known", [True, False])
def test_a_foreign_client_id_says_nothing_about_ours(known):
    """Another product gives its SMS clientIds, and the API shows those; ours it does not show."""
    world = World(echo=False)
    world.accept("something else", clientId="theirs")
    others = {world.accept("accepted before")} if known else frozenset()
    sms_id = world.accept()
    assert world.look(wanted(), known_ids=others) == {wanted().key: sms_id}


def test_a_generated_client_id_is_found_whatever_the_clock_says():
    world = World(tells_created=False, tells_date=False)
    sms_id = world.accept(client_id=ours())
    assert world.look(wanted()) == {wanted().key: sms_id}


def test_a_text_that_the_api_changed_is_found_by_client_id():
    world = World()
    sms_id = world.accept("HELLO?", client_id=ours())
    assert world.look(wanted()) == {wanted().key: sms_id}


def test_a_client_id_of_the_user_is_found():
    world = World()
    sms_id = world.accept(client_id="order-42")
    assert world.look(wanted(client_id="order-42")) == {wanted().key: sms_id}


def test_a_client_id_of_the_user_that_was_used_for_another_text_is_not_this_message():
    world = World()
    world.accept("an older text", client_id="order-42")
    assert world.look(wanted(client_id="order-42")) == {}


@pytest.mark.parametrize("skew", [0.0, HOUR, -HOUR])
def test_a_client_id_of_the_user_that_was_used_before_is_not_this_message(skew):
    world = World(skew=skew)
    world.accept(client_id="order-42", at=NOW - CLOCK_SLACK - 5)
    assert world.look(wanted(client_id="order-42")) == {}
    sms_id = world.accept(client_id="order-42", at=NOW)
    assert world.look(wanted(client_id="order-42")) == {wanted().key: sms_id}


def test_two_texts_in_doubt_under_one_client_id_of_the_user_are_told_apart():
    world = World()
    sms_id = world.accept("first", client_id="order-42")
    first, second = (wanted(text, client_id="order-42") for text in ("first", "second"))
    assert world.look(first, second) == {first.key: sms_id}
    assert world.look(second, first) == {first.key: sms_id}
    assert world.findings(first, second).doubted == {}


def test_a_client_id_of_the_user_in_our_form_is_still_the_users():
    world = World()
    world.accept(client_id=ours("something else"))
    message = Listed(0, content("something else"), "mine", Moment(NOW, ahead=0.0), MessageState.UNCONFIRMED)
    assert world.look(message) == {}


# --- by content ---


@pytest.mark.parametrize(
    "change",
    [{"text": "hello "}, {"to": "+34600000002"}, {"from": "Acme2"}, {"from": None}, {"to": None}, {"text": None}],
)
def test_another_content_is_another_message(change):
    world = World(echo=False)
    world.accept(**change)
    assert world.look(wanted()) == {}


@pytest.mark.parametrize("spelling", [{"to": "34600000001"}, {"to": None, "normalizedTo": "34600000001"}])
def test_a_number_is_known_in_another_spelling(spelling):
    world = World(echo=False)
    world.accept(**spelling)
    assert len(world.look(wanted())) == 1


@pytest.mark.parametrize("skew", [0.0, HOUR, -HOUR])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_older_identical_sms_is_not_ours(skew, order):
    """The same reminder went out yesterday, and an hour ago; ours did not."""
    world = World(echo=False, order=order, skew=skew)
    for at in (NOW - 24 * HOUR, NOW - HOUR, NOW - CLOCK_SLACK - 2):
        world.accept(at=at)
    assert world.look(wanted()) == {}
    sms_id = world.accept(at=NOW + 2)
    world.now += 3
    assert world.look(wanted()) == {wanted().key: sms_id}


def test_without_a_date_header_a_server_an_hour_behind_is_not_believed():
    world = World(echo=False, skew=-HOUR, tells_date=False)
    world.accept()
    assert world.look(wanted()) == {}


@pytest.mark.parametrize("created", [None, "just now", "2027-01-15", "1970-01-01T00:00:00Z", (NOW + 3 * HOUR), -5])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_identical_sms_that_does_not_tell_its_time_is_a_doubt(order, created):
    """It can neither be claimed nor is the message absent. A moment that is still to come tells nothing either."""
    world = World(echo=False, order=order)
    world.accept("another")
    world.accept(createdAt=created)
    findings = world.findings(wanted(), wanted("another"), wanted("a third"))
    assert findings.found.keys() == {wanted("another").key}
    assert findings.doubted == {wanted().key: Doubt.UNDATED}
    assert findings.whole


def test_a_moment_far_ahead_tells_nothing_though_the_server_does_not_tell_its_clock():
    world = World(echo=False, tells_date=False)
    world.accept(createdAt=NOW + 48 * HOUR)
    assert world.findings(wanted()).doubted == {wanted().key: Doubt.UNDATED}


@pytest.mark.parametrize("ahead", [-12, -5, 0, 2, 14])
def test_a_time_without_a_zone_may_be_that_of_any_place(ahead):
    world = World(echo=False)
    world.accept(createdAt=datetime.fromtimestamp(NOW + ahead * HOUR, UTC).strftime("%Y-%m-%d %H:%M:%S"))
    findings = world.findings(wanted())
    assert (findings.found.keys() | findings.doubted.keys()) == {wanted().key}


def test_a_time_without_a_zone_of_two_days_ago_is_older_in_any_place():
    world = World(echo=False)
    world.accept(createdAt=datetime.fromtimestamp(NOW - 48 * HOUR, UTC).strftime("%Y-%m-%d %H:%M:%S"))
    findings = world.findings(wanted())
    assert (dict(findings.found), dict(findings.doubted)) == ({}, {})


def test_of_two_identical_sms_of_which_one_does_not_tell_its_time_none_is_claimed():
    world = World(echo=False)
    world.accept()
    world.accept(createdAt=None)
    findings = world.findings(wanted())
    assert (dict(findings.found), findings.doubted) == ({}, {wanted().key: Doubt.UNDATED})


def test_a_message_is_seen_behind_others_that_seem_to_be_older_than_it_may_be():
    """The SMS that came after it claim to be two minutes old: that is within what a list may be out of order."""
    world = World(echo=False)
    sms_id = world.accept(at=NOW, off=-100.0)
    for number in range(45):
        world.accept("other", at=NOW + 1 + number / 20, off=-137.0)
    for number in range(100):
        world.accept("older", at=NOW - HOUR - 100 * number)
    world.now += 5
    assert world.look(wanted()) == {wanted().key: sms_id}


def test_a_doubt_of_which_a_later_look_finds_nothing_is_gone():
    world = World(echo=False, lag=2.0)
    world.accept(hidden=["text"])
    sleep = world.sleep

    def sleep_and_show(seconds):
        sleep(seconds)
        if len(world.slept) > 2:
            world.entities[0]["text"] = "something else"

    world.sleep = sleep_and_show
    findings = world.findings(wanted(), grace=30.0)
    assert (dict(findings.found), dict(findings.doubted)) == ({}, {})


def test_a_doubt_is_about_what_is_in_doubt():
    world = World(echo=False, tells_created=False)
    world.accept()
    accepted = replace(wanted(), state=MessageState.ACCEPTED)
    assert world.findings(accepted).doubted == {}


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (-2 * HOUR, "older"),
        (-HOUR - 130.0, "older"),
        (-HOUR, "doubt"),
        (-130.0, "doubt"),
        (-110.0, "ours"),
        (0.0, "ours"),
    ],
)
def test_where_a_moment_is_not_known_exactly_what_lies_between_is_a_doubt(at, said):
    """An intent of another try: the worker's clock was set by an hour since, or it was not."""
    world = World(echo=False)
    sms_id = world.accept(at=NOW + at)
    message = replace(wanted(), moment=Moment(NOW, ahead=-HOUR))
    findings = world.findings(message)
    assert {key: entity["id"] for key, entity in findings.found.items()} == (
        {message.key: sms_id} if said == "ours" else {}
    )
    assert findings.doubted == ({message.key: Doubt.UNCERTAIN} if said == "doubt" else {})


def test_a_moment_of_which_nothing_is_known_claims_nothing():
    world = World(echo=False)
    world.accept()
    message = replace(wanted(), moment=Moment(NOW))
    findings = world.findings(message)
    assert (dict(findings.found), findings.doubted) == ({}, {message.key: Doubt.UNCERTAIN})


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("where", [1, 7, 15, 28])
def test_an_old_moment_in_the_midst_of_new_ones_is_not_believed(order, where):
    """The lost message itself claims to be a day old, between SMS of this minute."""
    world = World(echo=False, order=order)
    for number in range(30):
        off = -24 * HOUR if number == where else 0.0
        world.accept("hello" if number == where else "other", at=NOW + number / 10, off=off)
    for number in range(30):
        world.accept("older", at=NOW - HOUR - 100 * number)
    world.now += 5
    findings = world.findings(wanted())
    assert (dict(findings.found), findings.doubted) == ({}, {wanted().key: Doubt.MISPLACED})


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_new_moment_in_the_midst_of_old_ones_is_not_believed(order):
    """Yesterday's identical SMS claims to be of this minute; today's never left."""
    world = World(echo=False, order=order)
    for number in range(60):
        place = number == 20
        world.accept("hello" if place else "other", at=NOW - 10 * number, off=10.0 * number if place else 0.0)
    findings = world.findings(wanted())
    assert (dict(findings.found), findings.doubted) == ({}, {wanted().key: Doubt.MISPLACED})


@pytest.mark.parametrize("off", [0.0, -HOUR])
@pytest.mark.parametrize("behind", [(0,), (0, 1), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("per_page", [3, 10, 100])
def test_where_moments_contradict_each_other_none_is_believed(per_page, behind, off):
    """Of every five SMS some are an hour behind, so nothing tells whether one of an hour ago is."""
    world = World(echo=False, per_page=per_page)
    for number in range(60):
        world.accept("other", at=NOW - number, off=-HOUR if number % 5 in behind else 0.0)
    world.accept(at=NOW + 1, off=off)
    world.now += 2
    findings = world.findings(wanted(), wanted("not there"))
    assert (dict(findings.found), findings.doubted) == ({}, {wanted().key: Doubt.MISPLACED})


@pytest.mark.parametrize("missing", ["from", "text", "to"])
@pytest.mark.parametrize("at", [NOW, NOW - HOUR, None])
def test_an_sms_that_does_not_tell_what_it_is_may_be_any(missing, at):
    """Of an SMS only the `id` is sure to be told: what cannot be compared cannot be ruled out."""
    world = World(echo=False)
    world.accept(hidden=[missing, *(["createdAt"] if at is None else [])], at=at or NOW)
    other = replace(wanted(), key=content(to="+34600000002"))
    findings = world.findings(wanted(), other)
    doubted = [] if at == NOW - HOUR else [wanted(), other] if missing == "to" else [wanted()]
    assert findings.doubted == {one.key: Doubt.BLANK for one in doubted}


@pytest.mark.parametrize(
    ("hours", "doubted"), [(-20, False), (-11, True), (-1, True), (0, True), (1, True), (11, True)]
)
def test_a_time_without_a_zone_proves_neither_that_it_is_ours_nor_mostly_that_it_is_not(hours, doubted):
    world = World(echo=False)
    world.accept(createdAt=datetime.fromtimestamp(NOW + hours * HOUR, tz=UTC).replace(tzinfo=None).isoformat())
    findings = world.findings(wanted())
    assert (dict(findings.found), findings.whole) == ({}, True)
    assert findings.doubted == ({wanted().key: Doubt.NO_ZONE} if doubted else {})


@pytest.mark.parametrize("shown", [{"to": "600000001"}, {"to": None}, {"to": "+34600000001"}, {"to": "34600000001"}])
def test_a_number_is_known_by_either_of_its_forms(shown):
    world = World(echo=False)
    sms_id = world.accept(**{"normalizedTo": "34600000001", **shown})
    assert world.look(wanted()) == {wanted().key: sms_id}
    world.entities[0]["normalizedTo"] = "+34600000002"
    assert world.look(wanted()) == ({wanted().key: sms_id} if "34" in (shown["to"] or "") else {})


@pytest.mark.parametrize("missing", ["from", "text"])
@pytest.mark.parametrize(("normalized", "is_doubted"), [("+34600000001", True), ("34600000001", True), ("+1", False)])
def test_an_sms_that_does_not_tell_what_it_is_goes_to_either_of_its_numbers(missing, normalized, is_doubted):
    world = World(echo=False)
    world.accept(hidden=[missing], to="600000001", normalizedTo=normalized)
    other = replace(wanted(), key=content(to="+34600000002"))
    assert world.findings(wanted(), other).doubted == ({wanted().key: Doubt.BLANK} if is_doubted else {})


def test_a_list_of_bare_ids_tells_nothing_of_any_message():
    world = World(echo=False, tells_created=False)
    world.accept(hidden=["from", "to", "text"])
    messages = wanted(), wanted("another")
    assert world.findings(*messages).doubted == dict.fromkeys((one.key for one in messages), Doubt.BLANK)


@pytest.mark.parametrize("created", [None, NOW - 200])
def test_a_client_id_of_the_user_whose_time_is_not_told_is_a_doubt(created):
    """The user may have used it before for the same text."""
    message = replace(wanted(client_id="order-42"), moment=Moment(NOW, ahead=-HOUR))
    world = World()
    sms_id = world.accept(client_id="order-42", createdAt=created)
    findings = world.findings(message)
    assert (dict(findings.found), list(findings.doubted)) == ({}, [message.key])
    sms_id = world.accept(client_id="order-42")
    assert world.look(message) == {message.key: sms_id}


@pytest.mark.parametrize(
    ("change", "is_doubted"),
    [
        ({"text": "HELLO?"}, True),
        ({"text": "HELLO?", "createdAt": None}, True),
        ({"from": "Acme2"}, True),
        ({"to": None}, True),
        ({"to": "600000001"}, True),
        ({"to": "600000001", "normalizedTo": "+34600000002"}, False),
        ({"text": "HELLO?", "off": -HOUR}, False),
        ({"text": "HELLO?", "to": "+34600000002"}, False),
        ({"text": "HELLO?", "client_id": "order-43"}, False),
    ],
)
def test_a_client_id_of_the_user_with_another_text_to_the_same_number_is_a_doubt(change, is_doubted):
    """It may have been used for that text before; or the API lists another text than was sent."""
    message = wanted(client_id="order-42")
    world = World()
    world.accept(**{"client_id": "order-42", **change})
    findings = world.findings(message)
    assert findings.doubted == ({message.key: Doubt.ALTERED} if is_doubted else {})
    assert not findings.found


def test_each_of_identical_messages_gets_an_sms_that_is_not_older():
    """Intended ten minutes apart; two SMS of the first one's time cannot be both."""
    for times, found, early in (
        ((-590, 5), 2, 0),
        ((-590, 5), 2, 1),
        ((-590, -580), 0, 0),
        ((5, 6), 2, 1),
    ):
        first, second = wanted(occurrence=early, since=NOW - 600), wanted(occurrence=1 - early)
        world = World(echo=False)
        for at in times:
            world.accept(at=NOW + at)
        world.now += 10
        findings = world.findings(second, first, occurrences=2)
        assert len(findings.found) == found
        assert findings.doubted == ({} if found else dict.fromkeys((first.key, second.key), Doubt.AMBIGUOUS))
        if found and times[0] == -590:
            assert findings.found[first.key]["id"] == "sms-0"


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_identical_messages_are_claimed_only_if_as_many_are_found(count, order):
    messages = [wanted(occurrence=number) for number in range(count)]
    for listed in range(count + 2):
        world = World(echo=False, order=order, per_page=2)
        ids = {world.accept(at=NOW + number) for number in range(listed)}
        world.now += 10
        found = world.look(*messages, occurrences=count)
        if listed == count:
            assert found.keys() == {message.key for message in messages}
            assert set(found.values()) == ids
        else:
            assert found == {}
            doubted = world.findings(*messages, occurrences=count).doubted
            assert len(doubted) == (count if listed else 0)


def test_ids_that_are_known_are_other_messages():
    world = World(echo=False)
    known, ids = world.accept(), {world.accept()}
    assert set(world.look(wanted(occurrence=1), occurrences=2, known_ids={known}).values()) == ids


def test_identical_messages_that_are_echoed_are_told_apart():
    world = World()
    first, second = (world.accept(client_id=ours(occurrence=number)) for number in range(2))
    messages = [wanted(occurrence=number) for number in range(3)]
    assert world.look(*messages, occurrences=3) == {messages[0].key: first, messages[1].key: second}


def test_a_list_that_is_not_read_to_the_edge_proves_no_count():
    world = World(echo=False)
    world.accept(at=NOW + 60)
    for number in range(40):
        world.accept(f"other {number}", at=NOW + 50 - number / 10)
    world.now += 70
    assert world.look(wanted(), max_pages=2) == {}
    assert world.look(wanted(), max_pages=20) != {}


def test_a_warning_about_lookalikes_names_nobody(caplog):
    world = World(echo=False)
    world.accept("a secret")
    world.accept("a secret")
    assert world.look(wanted("a secret")) == {}
    assert "1 of them may have been accepted" in caplog.text
    assert "which is which cannot be told" in caplog.text
    assert "secret" not in caplog.text
    assert "34600000001" not in caplog.text


# --- every world ---


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_what_is_found_was_accepted_and_what_is_neither_found_nor_in_doubt_was_not(data):
    """Whatever the list does: no SMS is claimed that is not ours, none twice, and none of ours passes for absent."""
    echo = data.draw(st.sampled_from(["all", "none", "theirs", "some"]), "echo")
    world = World(
        order=data.draw(st.sampled_from(["newest", "oldest"]), "order"),
        per_page=data.draw(st.sampled_from([1, 3, 10, 100]), "per page"),
        skew=data.draw(st.sampled_from([0.0, HOUR, -HOUR, 90.0]), "skew"),
        repeats=data.draw(st.booleans(), "repeats"),
        lag=data.draw(st.sampled_from([0.0, 0.0, 5.0, 45.0]), "lag"),
    )
    jitter = data.draw(st.sampled_from([0.0, 2.0, 50.0]), "jitter")

    def accept(text: str, at: float, client_id: str, *, shown: bool, kinds=("undated", "blank")) -> str:
        hidden = [] if shown else ["clientId"]
        kind = data.draw(st.sampled_from(["dated"] * 8 + list(kinds)), "kind")
        hidden += {"undated": ["createdAt"], "blank": ["text"]}.get(kind, [])
        off = data.draw(st.floats(-jitter, jitter), "off") - (HOUR if kind == "behind" else 0.0)
        return world.accept(text, at=at, client_id=client_id, off=off, hidden=hidden)

    texts = data.draw(st.lists(st.sampled_from("aaabbc"), min_size=1, max_size=6), "texts")
    for number, text in enumerate(data.draw(st.lists(st.sampled_from("abcd"), max_size=8), "older")):
        accept(text, NOW - CLOCK_SLACK - 60 - 100 * number, f"older-{number}", shown=echo in {"all", "theirs"})
    for number in range(data.draw(st.integers(0, 25), "fillers")):
        shown = echo in {"all", "theirs"}
        accept("filler", NOW + number / 7, f"filler-{number}", shown=shown, kinds=("undated", "blank", "behind"))
    messages = [wanted(text, texts[:place].count(text)) for place, text in enumerate(texts)]
    truth: dict[bytes, str] = {}
    for place in sorted(data.draw(st.sets(st.integers(0, len(texts) - 1)), "accepted")):
        text = texts[place]
        shown = echo == "all" or (echo == "some" and data.draw(st.booleans(), "shown"))
        client_id = ours(text, texts[:place].count(text))
        truth[messages[place].key] = accept(text, NOW + place, client_id, shown=shown)
    world.now += 10

    findings = world.findings(*messages, occurrences=len(texts), grace=30.0)

    found = {key: entity["id"] for key, entity in findings.found.items()}
    assert len(set(found.values())) == len(found)
    assert set(found.values()) <= set(truth.values())
    assert not found.keys() & findings.doubted.keys()
    assert findings.whole
    if world.lag <= 5.0:
        assert truth.keys() <= found.keys() | findings.doubted.keys()
    else:
        assert found == {}
    if echo == "all" and world.lag <= 5.0:
        assert found == truth


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize(
    ("created", "doubt"),
    [
        ("Fri, 15 Jan 2027 08:00:00 GMT", None),
        ("1800000000.0", None),
        ({"date": "2027-01-15 03:00:00.000000", "timezone_type": 3, "timezone": "America/New_York"}, None),
        ({"date": "2027-01-15 03:00:00.000000"}, Doubt.NO_ZONE),
        ("Fri Jan 15 03:00:00 EST 2027", Doubt.NO_ZONE),
        ([2027, 1, 15, 3, 0], Doubt.NO_ZONE),
        ("15/01/2027 03:00", Doubt.UNDATED),
        ("2027-01-15 03:00:00 AM", Doubt.UNDATED),
        ({"on": "2027-01-15T08:00:00Z"}, Doubt.UNDATED),
    ],
)
def test_a_lost_message_is_found_or_in_doubt_in_whatever_form_its_time_is(order, created, doubt):
    world = World(echo=False, order=order)
    sms_id = world.accept(createdAt=created)
    findings = world.findings(wanted())
    assert {key: one["id"] for key, one in findings.found.items()} == ({} if doubt else {wanted().key: sms_id})
    assert findings.doubted == ({wanted().key: doubt} if doubt else {})


@pytest.mark.parametrize("created", [None, "27/11/2026 13:00", "2027-01-15 08:00:00"])
def test_a_list_that_does_not_tell_where_to_stop_is_read_so_far_and_no_farther(created):
    """What is not found is then no absence, and it is said why."""
    world = World(echo=False)
    for number in range(100):
        world.accept(f"another {number}", createdAt=created)
    findings = world.findings(wanted(), max_pages=5)
    assert (findings.whole, findings.timeless, world.reads) == (False, True, 5)
    with pytest.raises(UnconfirmedError, match="cannot be read or has no zone"):
        refuse_unless_whole(findings, 1)
