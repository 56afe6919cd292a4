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
    UNACCOUNTED,
    attribute,
)
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.sandbox.bulk_errors import Rejection, shaped
from airflow_provider_instasent.sandbox.settings import BulkErrors

ACCEPTED, REJECTED, UNCONFIRMED = MessageState.ACCEPTED, MessageState.REJECTED, MessageState.UNCONFIRMED
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

    @property
    def entities(self):
        shown = [index for index in self.order if self.faults[index] is None and not self.missing[index]]
        return [entity(self.messages[index], f"id-{index}", self.fields) for index in shown]

    @property
    def errors(self):
        rejections = [
            Rejection(index, self.messages[index].payload(), fault)
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
    )


def contents(messages):
    return [(message.to, message.text) for message in messages]


@given(scenes())
@example(Scene([sms(1), sms(2)], [None, TWO_FAULTS], [True, False], frozenset({"to"}), [0, 1], "list_of_strings"))
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
    # Where no entity names its message, position is all there is.
    if any(entity.keys() & {"clientId", "to", "normalizedTo"} for entity in scene.entities):
        keys = contents(scene.messages)
        for outcome in outcomes:
            if outcome.id is not None:
                assert keys[outcome.position] == keys[int(outcome.id.removeprefix("id-"))]


@given(scenes())
def test_no_reason_repeats_a_text_or_a_number(scene):
    for outcome in attribute(scene.messages, scene.entities, scene.errors):
        assert (outcome.reason is None) == (outcome.state is ACCEPTED)
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

    assert [outcome.id for outcome in attribute(messages, [{"id": "a"}, {"id": "b"}], None)] == ["a", "b"]
    assert states(messages, [{"id": "a"}], None) == [UNCONFIRMED, UNCONFIRMED]
    assert states(messages, [{"id": "a"}, {"id": "b"}], ["something"]) == [UNCONFIRMED, UNCONFIRMED]


def test_what_nothing_accounts_for_is_unconfirmed_and_says_so():
    first, second = attribute([sms(1), sms(2, client_id="mine")], [{"id": "a", "to": "+34600000001"}], [])

    assert (first.state, second.state, second.reason, second.client_id) == (ACCEPTED, UNCONFIRMED, UNACCOUNTED, "mine")


def test_an_index_that_counts_from_one_rejects_no_accepted_message():
    messages = [sms(1, "a"), sms(1, "b"), sms(2)]
    entities = [entity(messages[1], "one", ("to", "text")), entity(messages[2], "two", ("to",))]

    assert states(messages, entities, [{"index": 1, "errors": NO_NUMBER}]) == [UNCONFIRMED, ACCEPTED, ACCEPTED]


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
    errors = [{"index": 2, "message": "a"}, {"index": 2, "message": "b"}]

    assert states(messages, [entity(messages[0], "zero")], errors) == [ACCEPTED, UNCONFIRMED, REJECTED]


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
