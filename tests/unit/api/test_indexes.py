# SPDX-License-Identifier: Apache-2.0
"""An index is evidence only where the answer tells whether it counts from 0 or from 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.api.indexes import as_index, read_indexes

SIZE = 5


@pytest.mark.parametrize(
    ("found", "accepted", "base"),
    [
        ([(0, ())], (), 0),
        ([(5, ())], (), 1),
        ([(1, ())], (), None),
        ([(1, ()), (4, ())], (), None),
        ([(0, ()), (3, ())], (), 0),
        ([(5, ()), (3, ())], (), 1),
        ([(0, ()), (5, ())], (), None),
        ([(6, ())], (), None),
        ([(2, {2})], (), 0),
        ([(2, {1})], (), 1),
        ([(2, {1, 2})], (), None),
        ([(2, {4})], (), None),
        ([(2, {1}), (4, ())], (), 1),
        ([(2, {1}), (4, {4})], (), None),
        ([(2, ())], {1}, 0),
        ([(2, ())], {2}, 1),
        ([(2, ())], {1, 2}, None),
        ([(2, ())], {0, 3, 4}, None),
        ([(2, ()), (2, ())], {1}, None),
        ([(0, ()), (0, ())], (), None),
        ([(0, ()), (3, ()), (3, ())], (), 0),
        ([], (), None),
    ],
)
def test_where_counting_begins(found, accepted, base):
    indexes = read_indexes(found, SIZE, accepted)

    assert indexes.base == base
    for index, _ in found:
        once = [other for other, _ in found].count(index) == 1
        assert indexes.position(index) == (index - base if base is not None and once else None)


@pytest.mark.parametrize(
    ("found", "accepted", "contradicted"),
    [([(2, ())], {1, 2}, True), ([(6, ())], {1, 2}, False), ([(2, {4})], (), False), ([(2, ())], {2}, False)],
)
def test_an_index_that_can_only_mean_an_accepted_message_contradicts(found, accepted, contradicted):
    assert read_indexes(found, SIZE, accepted).contradicted is contradicted


@given(st.data(), st.integers(1, 8), st.sampled_from([0, 1]))
def test_an_index_is_never_read_as_another_than_the_api_meant(data, size, base):
    wrong = data.draw(st.sets(st.integers(0, size - 1), min_size=1))
    accepted = data.draw(st.sets(st.integers(0, size - 1)).map(lambda some: some - wrong))
    found = [(place + base, {place} if data.draw(st.booleans()) else set()) for place in wrong]

    indexes = read_indexes(found, size, accepted)

    assert {indexes.position(index) for index, _ in found} <= wrong | {None}
    assert indexes.base in (base, None)
    assert not indexes.contradicted


@pytest.mark.parametrize(
    ("value", "index"),
    [
        *((value, int(value)) for value in (0, 7, "7", "07", "9999")),
        *((value, None) for value in ("", "-1", -1, True, 1.0, "1.0", "²", "99999", 10**9, None, [], {}, "to")),
    ],
)
def test_what_reads_as_an_index(value, index):
    assert as_index(value) == index
