# SPDX-License-Identifier: Apache-2.0
"""A list is read to its end, each entity once."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.pages import Page, Pages


def page(*ids):
    return Page([{"id": str(identifier)} for identifier in ids], None)


@pytest.mark.parametrize(
    ("shown", "taken"),
    [
        ([page(1, 2), page(3), page()], [[1, 2], [3], []]),
        ([page(1, 2), page(1, 2)], [[1, 2], []]),
        ([page(1, 2), page(2, 3), page(3)], [[1, 2], [3], []]),
        ([page()], [[]]),
    ],
)
def test_a_list_ends_at_a_page_that_shows_nothing_new(shown, taken):
    pages = Pages()

    assert [[int(entity["id"]) for entity in pages.new(one)] for one in shown] == taken
