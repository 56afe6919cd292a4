# SPDX-License-Identifier: Apache-2.0
"""A message is known by the same id for ever, and the id tells nothing to whoever lacks what keys it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.campaign import KEYS, SECRET

from airflow_provider_instasent.api.client_ids import (
    KEY_BYTES,
    MAX_CLIENT_ID,
    NUMBER_BYTES,
    MessageKeys,
    is_generated,
    number_of,
    secret_of_run,
)

CONTENT = ("ACME", "+34600000001", "Hello")


@pytest.mark.parametrize(
    ("content", "client_id"),
    [
        (CONTENT, "ia-ada698e99f6ab8e04d6d4a4d51363ee18153"),
        ((*CONTENT, 1), "ia-874b099fefc3989c36651bd212da80eefc73"),
        (("ACME", "+34600000001", "Holá 😀\n"), "ia-fa28c9dc83ca2020f65c4314a833804ec7cf"),
    ],
)
def test_ids_never_change_between_versions(content, client_id):
    """A changed id would send a campaign twice after an upgrade between two tries: never edit these."""
    assert KEYS.client_id(KEYS.key(*content)) == client_id


def test_the_secret_of_a_run_never_changes_between_versions():
    assert secret_of_run("token", "dag/run/task/-1", "campaign").hex() == "30e0008fc4319f51d3878022772748e2"


def test_ids_fit_the_api_and_are_told_from_a_users():
    key = KEYS.key(*CONTENT)
    client_id = KEYS.client_id(key)
    assert len(key) == KEY_BYTES
    assert len(client_id) == 39 <= MAX_CLIENT_ID
    assert is_generated(client_id)
    for other in ["ia-", "order-1", client_id[:-1], client_id.upper(), client_id + "\n"]:
        assert not is_generated(other)


_part = st.text("a1:\x00é", max_size=3)
_content = st.tuples(_part, _part, _part, st.integers(0, 3))


@settings(max_examples=200, deadline=None, database=None)
@given(_content, _content)
def test_different_contents_have_different_keys(one, other):
    assert (KEYS.key(*one) == KEYS.key(*other)) == (one == other)


def test_contents_that_join_alike_are_told_apart():
    assert KEYS.key("b", "+1", "c") != KEYS.key("b+", "1", "c")
    assert KEYS.key("b", "+1", "c1") != KEYS.key("b", "+1", "c", 1)


def test_keys_of_one_number_begin_alike_within_a_campaign_only():
    number = number_of(KEYS.key(*CONTENT))
    assert len(number) == NUMBER_BYTES
    assert number == number_of(KEYS.key("Other", "+34600000001", "Another text", 3))
    assert number != number_of(KEYS.key("ACME", "+34600000002", "Hello"))
    assert number != number_of(MessageKeys(b"another campaign").key(*CONTENT))


@pytest.mark.parametrize("pair", [("+34600169054", "+34600782355"), ("+34611111111", "+34622222222")])
def test_numbers_that_once_collided_are_told_apart(pair):
    one, other = (number_of(KEYS.key("ACME", to, "Hello")) for to in pair)
    assert one != other


def test_an_id_tells_nothing_without_what_keys_it():
    """All numbers of a small country are soon tried: none of them may give the id that was seen."""
    seen = KEYS.client_id(KEYS.key(*CONTENT))
    for guess in (bytes(16), SECRET[::-1], secret_of_run("another token", "dag/run/task/-1")):
        keys = MessageKeys(guess)
        assert seen != keys.client_id(keys.key(*CONTENT))


@pytest.mark.parametrize(
    "other",
    [("token", "dag/run/task/-1", "other"), ("token", "dag/other/task/-1", "campaign"), ("other", "dag/run/task/-1")],
)
def test_two_runs_never_share_an_id(other):
    one, two = (
        MessageKeys(secret_of_run(token, *run)) for token, *run in [("token", "dag/run/task/-1", "campaign"), other]
    )
    assert one.client_id(one.key(*CONTENT)) != two.client_id(two.key(*CONTENT))
