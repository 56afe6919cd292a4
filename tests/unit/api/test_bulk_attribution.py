# SPDX-License-Identifier: Apache-2.0
"""Who was accepted, who was rejected, who is unaccounted for: for every shape a bulk answer may have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_instasent.api.bulk_attribution import (
    BY_ORDER,
    UNACCOUNTED,
    attribute,
    named_rejections,
)
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.sandbox.bulk_errors import Rejection, shaped
from airflow_provider_instasent.sandbox.settings import BulkErrors

ACCEPTED, REJECTED, UNCONFIRMED = MessageState.ACCEPTED, MessageState.REJECTED, MessageState.UNCONFIRMED
PLANNED = MessageState.PLANNED
SHAPES = get_args(BulkErrors)
NO_NUMBER = {"to": ["This number cannot be reached."]}
TWO_FAULTS = {"to": ["This number cannot be reached."], "text": ["This value should not be blank."]}
REPEATED = {"clientId": ["This value is already used."]}
NAMES = ("clientId", "to", "normalizedTo", "text")


def sms(number, text="hello", client_id=None):
    return Sms(to=f"+3460000000{number}", text=text, sender="Tests", client_id=client_id)


def entity(message, identifier, fields=("clientId", "to", "text")):
    full = {**message.payload(), "normalizedTo": message.to[1:], "status": "enqueued"}
    return {"id": identifier, **{name: full[name] for name in fields if name in full}}


def states(messages, entities, errors):
    return [outcome.state for outcome in attribute(messages, entities, errors)]


@dataclass(frozen=True)
class Scene:
    """What an API decided about a request, and how it says so."""

    messages: list
    faults: list
    missing: list
    fields: frozenset
    order: list
    shape: str
    base: int = 0

    @property
    def entities(self):
        shown = [index for index in self.order if self.faults[index] is None and not self.missing[index]]
        return [entity(self.messages[index], f"id-{index}", self.fields) for index in shown]

    @property
    def errors(self):
        rejections = [
            Rejection(index + self.base, self.messages[index].payload(), fault)
            for index, fault in enumerate(self.faults)
            if fault is not None
        ]
        return shaped(self.shape, rejections).get("errors")


@st.composite
def scenes(draw):
    client_ids = st.sampled_from([None, None, "0", "1", "2", "order-7", "+34600000001", "to", "already used"])
    message = st.builds(sms, st.integers(1, 3), st.sampled_from(["hello", "world"]), client_ids)
    messages = draw(st.lists(message, min_size=1, max_size=6))
    size = len(messages)

    def one_each(strategy):
        return draw(st.lists(strategy, min_size=size, max_size=size))

    return Scene(
        messages,
        one_each(st.sampled_from([None, None, NO_NUMBER, TWO_FAULTS, REPEATED])),
        one_each(st.sampled_from([False, False, False, True])),
        draw(st.frozensets(st.sampled_from(NAMES))),
        draw(st.permutations(range(size))),
        draw(st.sampled_from(SHAPES)),
        draw(st.sampled_from([0, 1])),
    )


def contents(messages):
    return [(message.to, message.text) for message in messages]


@given(scenes())
@example(Scene([sms(1), sms(2)], [None, TWO_FAULTS], [True, False], frozenset({"to"}), [0, 1], "list_of_strings"))
@example(
    Scene(
        [sms(1), sms(2), sms(3)],
        [NO_NUMBER, None, None],
        [False, True, False],
        frozenset({"to"}),
        [0, 1, 2],
        "list_with_index",
        1,
    )
)
@example(
    Scene([sms(1, client_id="1"), sms(2)], [None, NO_NUMBER], [True, False], frozenset(), [0, 1], "object_by_index")
)
def test_no_accepted_message_is_called_rejected_nor_the_other_way_round(scene):
    outcomes = attribute(scene.messages, scene.entities, scene.errors)

    assert [outcome.position for outcome in outcomes] == list(range(len(scene.messages)))
    assert {outcome.state for outcome in outcomes} <= {ACCEPTED, REJECTED, UNCONFIRMED}
    # Equal messages are interchangeable, hence counts by content.
    keys = contents(scene.messages)
    said = Counter((key, outcome.state) for key, outcome in zip(keys, outcomes, strict=True))
    true = Counter((key, REJECTED if fault else ACCEPTED) for key, fault in zip(keys, scene.faults, strict=True))
    for (key, state), times in said.items():
        if state is not UNCONFIRMED:
            assert times <= true[key, state]


@given(scenes())
def test_an_id_belongs_to_a_message_with_that_content_and_to_one_only(scene):
    outcomes = attribute(scene.messages, scene.entities, scene.errors)

    ids = [outcome.id for outcome in outcomes if outcome.state is ACCEPTED]
    assert len(ids) == len(set(ids))
    assert {outcome.id for outcome in outcomes if outcome.state is not ACCEPTED} <= {None}
    keys = contents(scene.messages)
    for outcome in outcomes:
        if outcome.id is not None:
            owner = keys[int(outcome.id.removeprefix("id-"))]
            # Where no entity alone names its message, position is all there is, as long as what it shows agrees.
            if outcome.reason == BY_ORDER:
                assert not scene.fields & {"to", "normalizedTo"} or owner[0] == keys[outcome.position][0]
                assert "text" not in scene.fields or owner[1] == keys[outcome.position][1]
            else:
                assert owner == keys[outcome.position]


@given(scenes())
def test_no_reason_repeats_a_text_or_a_number(scene):
    for outcome in attribute(scene.messages, scene.entities, scene.errors):
        assert outcome.reason in (None, BY_ORDER) if outcome.state is ACCEPTED else outcome.reason
        for secret in ("hello", "world", "3460000000"):
            assert secret not in (outcome.reason or "")


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "missing"])
@pytest.mark.parametrize("echo", [True, False])
def test_one_rejected_of_three_is_found_in_every_shape(shape, echo):
    messages = [sms(number, client_id=f"order-{number}") for number in (1, 2, 3)]
    fields = frozenset(NAMES if echo else {"to", "text"})
    for wrong in range(3):
        faults = [NO_NUMBER if index == wrong else None for index in range(3)]
        scene = Scene(messages, faults, [False] * 3, fields, [2, 0, 1], shape)

        outcomes = attribute(messages, scene.entities, scene.errors)

        assert [outcome.state for outcome in outcomes].index(REJECTED) == wrong
        assert [outcome.id for outcome in outcomes] == [None if fault else f"id-{i}" for i, fault in enumerate(faults)]
        assert "This number cannot be reached." in outcomes[wrong].reason


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        *((shape, REJECTED) for shape in SHAPES if shape.startswith(("list_with", "object_by_index", "object_by_to"))),
        ("object_by_client_id", REJECTED),
        ("list_of_fields", REJECTED),
        ("unattributed", REJECTED),
        ("list_of_strings", UNCONFIRMED),
        ("object_by_field", UNCONFIRMED),
        ("missing", UNCONFIRMED),
    ],
)
def test_two_rejected_of_three(shape, expected):
    messages = [sms(number, client_id=f"order-{number}") for number in (1, 2, 3)]
    scene = Scene(messages, [TWO_FAULTS, None, NO_NUMBER], [False] * 3, frozenset(NAMES), [0, 1, 2], shape)

    assert states(messages, scene.entities, scene.errors) == [expected, ACCEPTED, expected]


@pytest.mark.parametrize("shape", ["list_of_fields", "unattributed", "list_of_strings", "object_by_field"])
def test_nameless_errors_beside_a_missing_item_reject_nobody(shape):
    messages = [sms(1), sms(2)]
    scene = Scene(messages, [None, TWO_FAULTS], [True, False], frozenset(NAMES), [0, 1], shape)

    assert states(messages, scene.entities, scene.errors) == [UNCONFIRMED, UNCONFIRMED]


def test_entities_in_another_order_are_found_by_client_id_number_and_text():
    messages = [sms(1, "a"), sms(1, "b"), sms(2, client_id="mine"), sms(3)]
    entities = [
        entity(messages[3], "three", ("normalizedTo",)),
        entity(messages[2], "two", ("clientId",)),
        entity(messages[1], "one", ("to", "text")),
        entity(messages[0], "zero", ("to", "text")),
    ]

    assert [outcome.id for outcome in attribute(messages, entities, [])] == ["zero", "one", "two", "three"]


def test_nameless_entities_are_taken_by_position_only_where_all_were_accepted():
    messages = [sms(1), sms(2)]

    outcomes = attribute(messages, [{"id": "a"}, {"id": "b"}], None)
    assert [(outcome.id, outcome.reason) for outcome in outcomes] == [("a", BY_ORDER), ("b", BY_ORDER)]
    assert states(messages, [{"id": "a"}], None) == [UNCONFIRMED, UNCONFIRMED]
    assert states(messages, [{"id": "a"}, {"id": "b"}], ["something"]) == [UNCONFIRMED, UNCONFIRMED]


def test_an_error_that_names_an_accepted_message_spoils_what_is_told_by_number():
    """What names nobody would else be about the only one that is left."""
    messages = [sms(1, client_id="one"), sms(2, client_id="two")]
    nameless = {"errors": {"to": ["This number cannot be reached."]}}

    assert states(messages, [entity(messages[0], "a")], [nameless]) == [ACCEPTED, REJECTED]
    assert states(messages, [entity(messages[0], "a")], [{"clientId": "one", **nameless}, nameless]) == [
        ACCEPTED,
        UNCONFIRMED,
    ]


def test_an_id_that_was_attributed_is_not_given_to_another_message_by_order():
    """Two texts that differ in their case alone: each would agree with the other's entity."""
    messages = [sms(1, "Hello"), sms(1, "hello")]
    entities = [entity(messages[1], "b", ("to", "text")), {"id": "a"}]

    assert [(outcome.id, outcome.state) for outcome in attribute(messages, entities, [])] == [
        (None, UNCONFIRMED),
        ("b", ACCEPTED),
    ]


def test_entities_that_show_only_a_number_to_which_several_go_are_taken_by_position_where_each_agrees():
    messages = [sms(1, "a"), sms(1, "a"), sms(1, "b"), sms(2)]
    entities = [entity(message, str(place), ("to",)) for place, message in enumerate(messages)]

    told = attribute(messages[:3], entities[:3], [])
    assert [(outcome.id, outcome.reason) for outcome in told] == [(name, BY_ORDER) for name in "012"]
    told = attribute(messages, entities, [])
    assert [(outcome.id, outcome.reason) for outcome in told] == [*((name, BY_ORDER) for name in "012"), ("3", None)]
    elsewhere = [entities[3], *entities[:3]]  # one that can be told shows that they are in another order
    assert states(messages, elsewhere, []) == [UNCONFIRMED, UNCONFIRMED, UNCONFIRMED, ACCEPTED]
    foreign = {**entities[2], "to": "+34600000009"}
    theirs = {**entities[2], "clientId": "another's"}
    for other in (foreign, theirs):
        assert states(messages[:3], [*entities[:2], other], []) == [UNCONFIRMED] * 3


def test_what_nothing_accounts_for_is_unconfirmed_and_says_so():
    first, second = attribute([sms(1), sms(2, client_id="mine")], [{"id": "a", "to": "+34600000001"}], [])

    assert (first.state, second.state, second.reason, second.client_id) == (ACCEPTED, UNCONFIRMED, UNACCOUNTED, "mine")


def test_an_index_that_counts_from_one_rejects_no_accepted_message():
    messages = [sms(1, "a"), sms(1, "b"), sms(2)]
    entities = [entity(messages[1], "one", ("to", "text")), entity(messages[2], "two", ("to",))]

    # It cannot mean the second message, so the API counts from 1.
    assert states(messages, entities, [{"index": 1, "errors": NO_NUMBER}]) == [REJECTED, ACCEPTED, ACCEPTED]


@pytest.mark.parametrize(
    "errors",
    [
        [{"index": 2}],
        [{"position": "2"}],
        [{"item": 2}],
        {"2": NO_NUMBER},
        [{"index": 2, "position": 1}],
        [{"index": 1}, {"index": 1}],
        [{"index": 2, "clientId": "of somebody else"}],
    ],
    ids=str,
)
def test_an_index_alone_that_nothing_confirms_rejects_nobody(errors):
    messages = [sms(number) for number in range(1, 6)]

    assert states(messages, [], errors) == [UNCONFIRMED] * 5
    assert named_rejections(messages, {"errors": errors}) == {}


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("name", ["index", "position", "item", "row", None])
@pytest.mark.parametrize("wrong", [{0, 3}, {2, 4}, {1}, {0, 1, 2, 3, 4}])
def test_indexes_count_as_the_accepted_messages_tell(base, name, wrong):
    messages = [sms(number) for number in range(1, 6)]
    entities = [entity(message, f"id-{place}", ("to",)) for place, message in enumerate(messages) if place not in wrong]
    if name is None:
        errors = {str(place + base): NO_NUMBER for place in wrong}
    else:
        errors = [{name: str(place + base), "errors": NO_NUMBER} for place in wrong]

    expected = [REJECTED if place in wrong else ACCEPTED for place in range(5)]
    assert states(messages, entities, errors) == expected


def test_an_index_from_one_among_a_hundred_rejects_no_innocents():
    messages = [Sms(f"+34600000{number:03}", "hello", "Tests") for number in range(100)]
    errors = [{"index": place + 1, "errors": NO_NUMBER} for place in range(2, 100)]
    accepted = [{"id": "a", "to": messages[0].to}, {"id": "b", "to": messages[1].to}]

    assert states(messages, accepted, errors) == [ACCEPTED] * 2 + [REJECTED] * 98
    assert set(named_rejections(messages, {"errors": errors})) == set(range(2, 100))


def test_an_index_that_can_only_mean_accepted_messages_tells_nothing_of_the_others():
    messages = [sms(1), sms(2), sms(3)]
    entities = [entity(messages[0], "zero"), entity(messages[1], "one")]

    assert states(messages, entities, [{"index": 1, "message": "no"}]) == [ACCEPTED, ACCEPTED, UNCONFIRMED]
    assert states(messages, entities, [{"index": 700, "message": "no"}]) == [ACCEPTED, ACCEPTED, REJECTED]


def test_two_nameless_errors_about_the_only_message_left_over_are_its_rejection():
    messages = [sms(1), sms(2)]

    found = attribute(messages, [entity(messages[0], "zero")], ["no such number", "no text"])

    assert [outcome.state for outcome in found] == [ACCEPTED, REJECTED]
    assert found[1].reason == "no such number, no text"


def test_two_errors_with_one_index_are_not_about_two_messages():
    messages = [sms(1), sms(2), sms(3)]
    errors = [{"index": 2, "message": "no"}, {"index": 2, "message": "no text"}]

    assert states(messages, [entity(messages[0], "zero")], errors) == [ACCEPTED, UNCONFIRMED, UNCONFIRMED]


def test_more_errors_than_any_request_can_have_tell_nothing():
    messages = [sms(1), sms(2)]

    assert states(messages, [entity(messages[0], "zero")], ["no"] * 100_000) == [ACCEPTED, UNCONFIRMED]
    assert named_rejections(messages, {"errors": [{"index": 0}] * 100_000}) == {}


def test_an_index_that_the_number_contradicts_counts_for_nothing():
    messages = [sms(1), sms(2), sms(3)]

    found = states(messages, [], [{"index": 1, "to": messages[0].to, "message": "no"}])

    assert found == [REJECTED, UNCONFIRMED, UNCONFIRMED]


@pytest.mark.parametrize(
    "errors",
    ["something went wrong", 7, {"": []}, [None], [[]], [{"index": True}], [{"index": 9}], {"9" * 5000: "no"}],
)
def test_strange_errors_reject_nobody_while_two_are_left_over(errors):
    assert states([sms(1), sms(2), sms(3)], [], errors) == [UNCONFIRMED] * 3


def test_several_errors_about_one_message_are_one_rejection():
    messages = [sms(1), sms(2), sms(3)]
    errors = [{"to": messages[2].to, "message": "a"}, {"to": messages[2].to, "message": "b"}]

    assert states(messages, [entity(messages[0], "zero")], errors) == [ACCEPTED, UNCONFIRMED, REJECTED]


FIVE = [sms(number, f"text {number}") for number in range(1, 6)]
ALIKE = [sms(number) for number in range(1, 6)]


def test_an_id_is_claimed_once():
    assert states(FIVE, [{"id": "same"}] * 5, []) == [UNCONFIRMED] * 5
    assert states(FIVE, [entity(message, "same") for message in FIVE], []) == [ACCEPTED] + [UNCONFIRMED] * 4
    assert states(FIVE, [{"id": f"id-{min(place, 3)}"} for place in range(5)], []) == [UNCONFIRMED] * 5


@pytest.mark.parametrize("odd", [{"id": None}, {"id": None, "to": FIVE[1].to}])
def test_an_entity_without_an_id_keeps_the_answer_from_adding_up(odd):
    entities = [entity(FIVE[0], "zero"), odd, *(entity(message, message.to) for message in FIVE[3:])]

    assert states(FIVE, entities, ["no"]) == [ACCEPTED, UNCONFIRMED, UNCONFIRMED, ACCEPTED, ACCEPTED]
    assert states(FIVE, [{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}, {"id": None}], []) == [UNCONFIRMED] * 5


@pytest.mark.parametrize("errors", [[], ["no"], None])
def test_entities_with_a_text_alone_are_found_by_it_in_any_order(errors):
    shown = [{"id": f"id-{place}", "text": f" text  {place + 1}"} for place in (3, 0, 4, 2, 1)]

    found = attribute(FIVE, shown, errors)

    assert [(outcome.id, outcome.reason) for outcome in found] == [(f"id-{place}", None) for place in range(5)]


def test_entities_that_show_another_order_are_not_taken_by_it():
    shown = [{"id": f"id-{place}", "text": text} for place, text in enumerate(["b", "a", "a"])]
    messages = [sms(1, "a"), sms(2, "a"), sms(3, "b")]

    assert [outcome.id for outcome in attribute(messages, shown, [])] == [None, None, "id-0"]
    assert states(messages, shown, []) == [UNCONFIRMED, UNCONFIRMED, ACCEPTED]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, ACCEPTED),
        ({"text": "hello"}, ACCEPTED),
        ({"from": "TESTS"}, ACCEPTED),
        ({"text": None, "from": 7}, ACCEPTED),
        ({"text": "another"}, UNCONFIRMED),
        ({"from": "Other"}, UNCONFIRMED),
    ],
    ids=str,
)
def test_position_counts_where_no_field_of_any_entity_contradicts(fields, state):
    shown = [{"id": f"id-{place}"} for place in range(5)]
    shown[3].update(fields)

    assert states(ALIKE, shown, []) == [state] * 5


NO_FUNDS = {"message": "Insufficient funds"}


@pytest.mark.parametrize("name", ["clientId", "to", "index"])
def test_what_is_turned_down_for_want_of_funds_stays_planned(name):
    messages = [sms(number, client_id=f"order-{number}") for number in range(1, 5)]
    names = {"clientId": messages[2].client_id, "to": messages[2].to, "index": 2}
    errors = [{name: names[name], **NO_FUNDS}, {"to": messages[3].to, "errors": NO_NUMBER}]

    found = attribute(messages, [entity(message, message.to) for message in messages[:2]], errors)

    assert [outcome.state for outcome in found] == [ACCEPTED, ACCEPTED, PLANNED, REJECTED]
    assert (found[2].reason, found[2].id, found[2].client_id) == ("Insufficient funds", None, "order-3")


@pytest.mark.parametrize(
    ("errors", "state"),
    [([NO_FUNDS] * 3, PLANNED), ([NO_FUNDS, {"code": 402}, {"message": "bad"}], PLANNED), (["no funds"], UNCONFIRMED)],
)
def test_nameless_errors_for_want_of_funds_count_where_their_number_settles_it(errors, state):
    assert states(FIVE, [entity(message, message.to) for message in FIVE[:2]], errors) == [ACCEPTED] * 2 + [state] * 3


def test_a_sender_or_a_text_that_speaks_of_funds_is_rejected_like_any_other():
    messages = [Sms("+34600000001", "No funds? Insufficient balance?", "NoFunds"), sms(2)]
    errors = [{"to": messages[0].to, "message": "'No funds? Insufficient balance?' is no good"}]

    assert states(messages, [entity(messages[1], "one")], errors) == [REJECTED, ACCEPTED]


def test_an_entity_listed_twice_settles_one_message():
    messages = [sms(1), sms(2)]
    twice = [entity(messages[0], "zero"), entity(messages[0], "zero")]

    assert states(messages, twice, [{"oops": "?"}]) == [ACCEPTED, UNCONFIRMED]


def test_an_outcome_at_another_place_is_the_same_in_all_else():
    values = {"state": ACCEPTED, "id": "1", "client_id": "c", "status": "sent", "reason": "r", "client_id_taken": True}
    outcome = MessageOutcome(3, **values)
    assert set(MessageOutcome.__dataclass_fields__) == {"position", *values}
    assert outcome.at(7) == MessageOutcome(7, **values)
    assert outcome.at(3) is outcome
