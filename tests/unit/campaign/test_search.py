# SPDX-License-Identifier: Apache-2.0
"""A message is found when it is there and only when it is ours: a simulated list with every habit it may have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.campaign import KEYS

from airflow_provider_instasent.api.client_ids import MessageKeys
from airflow_provider_instasent.api.errors import (
    AuthenticationError,
    NotSentError,
    RateLimitedError,
    UnavailableError,
)
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.timestamps import created_at
from airflow_provider_instasent.campaign.search import CLOCK_SLACK, Search, search_list
from airflow_provider_instasent.journal.roster import Listed
from airflow_provider_instasent.journal.worker_clock import Moment

OTHERS = MessageKeys(b"another campaign")
NOW = 1_800_000_000.0
HOUR = 3600.0


@dataclass
class World:
    """A server with a list, and our clock.

    :ivar skew: how far the server's clock is ahead of ours
    :ivar lag: age at which an SMS is listed
    :ivar failing: raised by the next looks, one each
    """

    echo: bool = True
    order: str = "newest"
    per_page: int = 10
    skew: float = 0.0
    lag: float = 0.0
    tells_created: bool = True
    tells_date: bool = True
    repeats: bool = False
    now: float = NOW
    failing: list[Exception | None] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0
    slept: list[float] = field(default_factory=list)

    def accept(self, text: str = "hello", *, at: float = NOW, client_id: str | None = None, **fields: Any) -> str:
        """Let the server accept an SMS at a moment of our clock; return its id."""
        sms_id = f"sms-{len(self.entities)}"
        created = datetime.fromtimestamp(int(at + self.skew), tz=UTC).isoformat()
        entity = {"id": sms_id, "from": "Acme", "to": "+34600000001", "text": text, "_at": at, **fields}
        if self.tells_created:
            entity["createdAt"] = created
        if self.echo:
            entity["clientId"] = client_id
        self.entities.append(entity)
        return sms_id

    def page(self, number: int, _size: int = 100) -> Page:
        self.reads += 1
        if number == 1 and self.failing and (failure := self.failing.pop(0)) is not None:
            raise failure
        listed = sorted((one for one in self.entities if self.now - one["_at"] >= self.lag), key=lambda one: one["_at"])
        if self.order == "newest":
            listed.reverse()
        pages = [listed[start : start + self.per_page] for start in range(0, len(listed), self.per_page)]
        chosen = pages[number - 1] if number <= len(pages) else pages[-1] if self.repeats and pages else []
        public = [{name: value for name, value in one.items() if name != "_at"} for one in chosen]
        return Page(public, float(int(self.now + self.skew)) if self.tells_date else None)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds

    def look(self, *wanted: Listed, grace: float = 0.0, max_pages: int = 200, **options: Any) -> dict[bytes, str]:
        """Look for messages; return the ids found by key."""
        search = Search(KEYS, {one.key: one for one in wanted}, **options)
        findings = search_list(
            search, self.page, until=self.now + grace, clock=lambda: self.now, sleep=self.sleep, max_pages=max_pages
        )
        return {key: entity["id"] for key, entity in findings.found.items()}


def content(text: str = "hello", occurrence: int = 0, to: str = "+34600000001", sender: str = "Acme") -> bytes:
    return KEYS.key(sender, to, text, occurrence)


def wanted(text: str = "hello", occurrence: int = 0, since: float = NOW, client_id: str | None = None) -> Listed:
    return Listed(0, content(text, occurrence), client_id, Moment(since, ahead=0.0), MessageState.UNCONFIRMED)


def ours(text: str = "hello", occurrence: int = 0) -> str:
    return KEYS.client_id(content(text, occurrence))


# --- one message ---


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("skew", [0.0, HOUR, -HOUR])
@pytest.mark.parametrize("others", [0, 5, 10, 95])
def test_a_message_is_found_among_others(echo, order, repeats, skew, others):
    world = World(echo, order, skew=skew, repeats=repeats)
    for number in range(others):
        world.accept(f"other {number}", at=NOW - 7 * number, client_id=f"other-{number}")
    sms_id = world.accept(at=NOW + 1, client_id=ours())
    world.now += 5
    assert world.look(wanted()) == {wanted().key: sms_id}


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_what_was_not_accepted_is_not_found(echo, order):
    world = World(echo, order)
    for number in range(30):
        world.accept(f"other {number}", at=NOW - number, client_id=f"other-{number}")
    assert world.look(wanted()) == {}


@pytest.mark.parametrize("echo", [True, False])
def test_a_lagging_list_is_looked_at_until_the_grace_is_over(echo):
    for grace, found in ((30.0, True), (20.0, False)):
        world = World(echo, lag=25.0)
        world.accept(at=NOW, client_id=ours())
        assert bool(world.look(wanted(), grace=grace)) is found
        assert sum(world.slept) <= grace
        assert max(world.slept) <= 10.0
        assert len(world.slept) < 10


def test_the_last_look_is_at_the_end_of_the_grace():
    world = World(lag=17.0)
    world.accept(client_id=ours())
    assert world.look(wanted(), grace=17.0)
    assert world.now == NOW + 17.0


def test_at_least_one_look_is_made():
    world = World()
    world.accept(client_id=ours())
    assert world.look(wanted(), grace=-100.0)
    assert world.slept == []


# --- by clientId ---


def test_somebody_elses_client_id_is_never_ours():
    world = World(echo=True)
    world.accept(client_id="theirs")
    world.accept(client_id=OTHERS.client_id(OTHERS.key("Acme", "+34600000001", "hello")))
    assert world.look(wanted()) == {}


def test_where_client_ids_are_echoed_an_sms_without_one_is_somebody_elses():
    """The same text to the same person, typed into the dashboard a moment ago: ours has a clientId, this has none."""
    world = World(echo=True)
    world.accept(client_id=None)
    world.accept("something else", client_id="theirs")
    assert world.look(wanted()) == {}


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


def test_without_its_time_an_sms_is_not_claimed_by_content():
    world = World(echo=False, tells_created=False)
    world.accept()
    assert world.look(wanted()) == {}


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


def test_ids_that_are_known_are_other_messages():
    world = World(echo=False)
    known, ids = world.accept(), {world.accept()}
    assert set(world.look(wanted(occurrence=1), occurrences=2, known_ids={known}).values()) == ids


def test_identical_messages_that_are_echoed_are_told_apart():
    world = World()
    first, second = (world.accept(client_id=ours(occurrence=number)) for number in range(2))
    messages = [wanted(occurrence=number) for number in range(3)]
    assert world.look(*messages, occurrences=3) == {messages[0].key: first, messages[1].key: second}


def test_identical_messages_that_appear_one_by_one_are_awaited():
    world = World(echo=False, lag=5.0)
    world.accept(at=NOW)
    world.accept(at=NOW + 8)
    assert len(world.look(wanted(), wanted(occurrence=1), occurrences=2, grace=30.0)) == 2


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
    assert "2 SMS like 1 unconfirmed ones were found" in caplog.text
    assert "secret" not in caplog.text
    assert "34600000001" not in caplog.text


# --- looks that fail ---


@pytest.mark.parametrize("error", [UnavailableError("503"), NotSentError("down"), RateLimitedError("429")])
def test_a_look_that_fails_is_made_again(error):
    world = World(failing=[error, error])
    sms_id = world.accept(client_id=ours())
    assert world.look(wanted(), grace=20.0) == {wanted().key: sms_id}


def test_the_last_look_must_not_fail():
    error = UnavailableError("503")
    world = World(failing=[None, *[error] * 50])
    with pytest.raises(UnavailableError):
        world.look(wanted(), grace=20.0)
    assert world.now >= NOW + 20


def test_a_token_that_is_refused_ends_the_look_at_once():
    world = World(failing=[AuthenticationError("401")])
    with pytest.raises(AuthenticationError):
        world.look(wanted(), grace=20.0)
    assert world.slept == []


def test_what_an_earlier_look_found_is_not_forgotten():
    world = World(lag=4.0)
    first = world.accept("first", at=NOW - 10, client_id=ours("first"))
    second = world.accept("second", at=NOW, client_id=ours("second"))
    world.failing = [None, UnavailableError("503")]
    messages = wanted("first"), wanted("second")
    assert world.look(*messages, grace=30.0) == {messages[0].key: first, messages[1].key: second}


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("tells_created", [True, False])
def test_a_look_is_bounded(echo, order, tells_created):
    world = World(echo, order, tells_created=tells_created)
    for number in range(2_000):
        world.accept(f"other {number}", at=NOW + number / 100, client_id=f"other-{number}")
    world.look(wanted(), max_pages=20)
    assert world.reads <= 20


# --- every world ---


@settings(max_examples=400, deadline=None)
@given(
    echo=st.booleans(),
    order=st.sampled_from(["newest", "oldest"]),
    per_page=st.sampled_from([1, 3, 10, 100]),
    skew=st.sampled_from([0.0, HOUR, -HOUR, 90.0]),
    repeats=st.booleans(),
    lag=st.sampled_from([0.0, 5.0, 45.0]),
    texts=st.lists(st.sampled_from("aaabbc"), min_size=1, max_size=6),
    accepted=st.sets(st.integers(0, 5)),
    older=st.lists(st.sampled_from("abcd"), max_size=8),
    fillers=st.integers(0, 25),
)
def test_what_is_found_was_accepted_and_is_ours(
    *, echo, order, per_page, skew, repeats, lag, texts, accepted, older, fillers
):
    """Whatever the list does, no SMS is claimed that is not ours, and none twice; with no lag all are found."""
    world = World(echo, order, per_page, skew=skew, repeats=repeats, lag=lag)
    for number, text in enumerate(older):
        world.accept(text, at=NOW - CLOCK_SLACK - 3 - 100 * number, client_id=f"older-{number}")
    for number in range(fillers):
        world.accept("filler", at=NOW + number / 7, client_id=f"filler-{number}")
    messages = [wanted(text, texts[:place].count(text)) for place, text in enumerate(texts)]
    truth: dict[bytes, str] = {}
    for place in sorted(accepted & set(range(len(texts)))):
        text = texts[place]
        truth[messages[place].key] = world.accept(text, at=NOW + place, client_id=ours(text, texts[:place].count(text)))
    world.now += 10
    found = world.look(*messages, occurrences=len(texts), grace=30.0)
    assert len(set(found.values())) == len(found)
    assert set(found.values()) <= set(truth.values())
    if lag <= 5.0:
        whole = {
            text for text in texts if all(m.key in truth for m, t in zip(messages, texts, strict=True) if t == text)
        }
        if echo:
            assert found == truth
        else:
            complete = {m.key for m, t in zip(messages, texts, strict=True) if t in whole}
            assert found.keys() == complete
    else:
        assert found == {}


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2027-01-15T08:00:00+00:00", NOW),
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T09:00:00+01:00", NOW),
        (" 2027-01-15 08:00:00 ", NOW),
        (NOW, NOW),
        (int(NOW), NOW),
        (True, None),
        (None, None),
        ("", None),
        ("yesterday", None),
        ({"date": "2027-01-15"}, None),
    ],
)
def test_the_time_of_an_sms(value, moment):
    assert created_at({"id": "1", "createdAt": value}) == moment
