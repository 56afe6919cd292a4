# SPDX-License-Identifier: Apache-2.0
"""What users hand to `message_ids`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from airflow_provider_instasent.compat import AirflowFailException, AirflowSkipException
from airflow_provider_instasent.sensors.message_ids import NothingSentError, ids_of, ids_to_wait_for

SENT = {"id": "a", "client_id": "x", "status": "enqueued", "parts": 1, "state": "accepted"}


class Lazy(Sequence):
    """Airflow's lazy sequence of mapped results, which pays for each call."""

    def __init__(self, items, *, slices=True):
        self.items, self.slices, self.calls = items, slices, 0

    def __len__(self):
        raise AssertionError("a length costs a call of its own")

    def __getitem__(self, key):
        self.calls += 1
        if isinstance(key, slice) and not self.slices:
            raise TypeError("only single items")
        return self.items[key]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("a", ["a"]),
        (" a ", ["a"]),
        (7, ["7"]),
        (SENT, ["a"]),
        (["a", SENT, "b", 3, "a"], ["a", "b", "3"]),
        (("a", "b"), ["a", "b"]),
        ([], []),
        ((), []),
        ({"message_ids": ["a", "b"], "accepted": 2}, ["a", "b"]),
        ([{"message_ids": ["a"]}, {"message_ids": []}, SENT], ["a"]),
        ([["a"], ["b"]], ["a", "b"]),
        ((part for part in ("a", "b")), ["a", "b"]),
        ({"a": 1}.keys(), ["a"]),
        (["a", None], ["a"]),
        ([None, SENT, None], ["a"]),
        ([None, {"message_ids": ["a", "b"]}, ["None", "c"]], ["a", "b", "c"]),
    ],
)
def test_ids(value, ids):
    assert ids_of(value) == ids


def test_lazy_results_are_read_in_one_slice():
    lazy = Lazy([SENT, {"id": "b"}])
    assert ids_of(lazy) == ["a", "b"]
    assert lazy.calls == 1
    assert ids_of(Lazy(["a", "b"], slices=False)) == ["a", "b"]


@pytest.mark.parametrize("value", ["['a', 'b']", ' {"id": "a"}', ["a", "[1]"]])
def test_a_rendered_list_is_refused_with_the_fix(value):
    with pytest.raises(ValueError, match=r"`message_ids`.*`\.output`.*render_template_as_native_obj=True"):
        ids_of(value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "`message_ids` is None"),
        ("None", "`message_ids` is None"),
        ("", "`message_ids` is None or empty"),
        ([None], r"`message_ids`\[0\] is None"),
        ([[], [None, "None"]], r"`message_ids`\[1\]\[0\] is None"),
        ({"id": None, "state": "unconfirmed"}, r"without an id \(state: unconfirmed\)"),
        (["a", {"id": None}], r"`message_ids`\[1\] is a send result without an id"),
        ({"message_ids": ["a", None]}, r"`message_ids`\.message_ids\[1\]"),
        ({"message_ids": ["a"], "accepted": 2}, "lists 1 of its 2 accepted"),
        ({"status": "sent"}, "neither `id` nor `message_ids`"),
        (True, "is a bool"),
        (1.5, "is a float"),
        (b"a", "is a bytes"),
        (object(), "is a object"),
    ],
)
def test_what_is_no_id_is_named_by_its_position(value, says):
    with pytest.raises(ValueError, match=says):
        ids_of(value)


def sensor(message_ids, trigger_rule):
    return SimpleNamespace(message_ids=message_ids, trigger_rule=trigger_rule, log=logging.getLogger("sensor"))


def test_what_skipped_tasks_left_is_left_out_and_said(caplog):
    assert ids_to_wait_for(sensor([None, "a", None], "all_done")) == ["a"]
    (said,) = caplog.messages
    assert "2 times None beside 1 ids, first at [0]" in said
    assert ids_to_wait_for(sensor(["a", "b"], "all_done")) == ["a", "b"]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("value", [None, [None], [None, [None]], "None"])
@pytest.mark.parametrize("rule", ["none_failed", "none_failed_min_one_success", "all_skipped"])
def test_nothing_but_skipped_tasks_is_a_skip_where_none_can_have_failed(value, rule):
    with pytest.raises(AirflowSkipException, match="nothing was sent upstream"):
        ids_to_wait_for(sensor(value, rule))


@pytest.mark.parametrize("rule", ["all_success", "all_done", "one_success", "always"])
def test_else_it_is_an_error_and_no_retry_mends_it(rule):
    with pytest.raises(NothingSentError) as caught:
        ids_to_wait_for(sensor([None], rule))
    assert isinstance(caught.value, AirflowFailException)
