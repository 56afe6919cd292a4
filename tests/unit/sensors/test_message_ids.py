# SPDX-License-Identifier: Apache-2.0
"""What users hand to `message_ids`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from airflow_provider_instasent.sensors.message_ids import ids_of

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
        (["a", None], r"`message_ids`\[1\] is None"),
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
