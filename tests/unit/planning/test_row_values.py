# SPDX-License-Identifier: Apache-2.0
"""What of a row's values a template prints, and what it takes for missing."""

from __future__ import annotations

from collections import UserDict, UserString, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.planning.row_template import RowTemplate

MISSING = [None, float("nan"), Decimal("NaN"), np.float64("nan"), np.datetime64("NaT"), pd.NaT, pd.NA]
WAYS_TO_PRINT = [
    "{{ row.x }}",
    "{{ row['x'] }}",
    "{{ 'Hi ' ~ row.x }}",
    "{{ row.x | string }}",
    "{{ row.x | upper }}",
    "{{ '%s' | format(row.x) }}",
    "{{ '%r' | format(row.x) }}",
    "{{ '{}'.format(row.x) }}",
    "{{ '{x}'.format(x=row.x) }}",
    "{{ ['Hi', row.x] | join(' ') }}",
]


class Shop(str, Enum):  # noqa: UP042 - such print otherwise than StrEnum
    ACME = "Acme"


class Count(Enum):
    ONE = 1


def render(source, **row):
    return RowTemplate(source, {"params": {}}).render(row)


@pytest.mark.parametrize("source", WAYS_TO_PRINT)
@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_a_missing_value_is_never_printed(value, source):
    with pytest.raises(InvalidMessageError, match="uses a value that is missing in this row: x; leave such rows out"):
        render(source, x=value)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ row.x | default('you') }}", "you"),
        ("{{ row['x'] | d('you') }}", "you"),
        ("{{ row.x or 'you' }}", "you"),
        ("{% if row.x %}{{ row.x }}{% else %}you{% endif %}", "you"),
        ("{{ 'you' if row.x is none else row.x }}", "you"),
        ("{{ 'you' if row.x is undefined else row.x }}", "you"),
        ("{{ 'you' if row.x == none else row.x }}", "you"),
        ("{{ 'you' if row.x not in ['a'] }}", "you"),
        ("{% if row.x is not none and row.x is defined %}{{ row.x }}{% endif %}you", "you"),
    ],
)
@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_a_missing_value_is_undefined_false_and_none(value, source, text):
    assert render(source, x=value) == text


@pytest.mark.parametrize(
    "source", ["{{ row.x + 1 }}", "{% if row.x > 1 %}{% endif %}", "{{ row.x.y }}", "{{ row.x[0] }}"]
)
def test_nothing_else_can_be_done_with_it(source):
    with pytest.raises(InvalidMessageError, match="missing in this row"):
        render(source, x=float("nan"))


@pytest.mark.parametrize("value", [[None, "a"], (pd.NaT,), {"k": float("nan")}])
def test_a_missing_value_inside_another_is_not_printed_either(value):
    source = "{{ row.x.k }}" if isinstance(value, dict) else "{{ row.x | join(', ') }}"
    with pytest.raises(InvalidMessageError, match="missing in this row: x"):
        render(source, x=value)


@pytest.mark.parametrize("source", WAYS_TO_PRINT[:-1])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"Ana", "bytes"),
        (bytearray(b"Ana"), "bytes"),
        pytest.param(memoryview(b"Ana"), "bytes", id="memoryview"),
        (deque(["Ana"]), "a list"),
        (np.array(["Ana"]), "a list"),
        (pd.Series(["Ana"]), "a list"),
        (UserDict(name="Ana"), "a mapping"),
        (np.float32("inf"), "an infinite number"),
        (1 + 0j, "a complex"),
        (pd.Interval(1, 2), "a interval"),
        (timedelta(seconds=-5), "a timedelta"),
        (["Ana"], "a list"),
        (("Ana",), "a list"),
        ({"name": "Ana"}, "a mapping"),
        ({"Ana"}, "a list"),
        (float("inf"), "an infinite number"),
        (float("-inf"), "an infinite number"),
        (Decimal("Infinity"), "an infinite number"),
    ],
    ids=repr,
)
def test_what_is_no_text_number_date_or_bool_is_a_bad_row(value, kind, source):
    with pytest.raises(InvalidMessageError, match=f"inserts {kind}, which is no text, number or date") as caught:
        render(source, x=value)
    assert "Ana" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nan", "nan"),
        ("", ""),
        (True, "True"),
        (0, "0"),
        (12.5, "12.5"),
        (3.0, "3"),
        (-1234.0, "-1234"),
        (Shop.ACME, "Acme"),
        (Count.ONE, "1"),
        (Fraction(1, 3), "1/3"),
        (UserString("Ana"), "Ana"),
        (Markup("A & B"), "A & B"),
        (np.str_("Ana"), "Ana"),
        (np.datetime64("2026-11-27T08:00"), "2026-11-27 08:00:00"),
        (np.float32(0.1), "0.1"),
        (np.float32(1e16), "10000000000000000"),
        (np.float16(2), "2"),
        (np.bool_(1), "True"),
        (1e16, "10000000000000000"),
        (1e22, "10000000000000000000000"),
        (-1.5e-7, "-0.00000015"),
        (Decimal("12.50"), "12.50"),
        (Decimal("0E-8"), "0.00000000"),
        (Decimal("1E+3"), "1000"),
        (np.float64(1e-7), "0.0000001"),
        (np.int64(3), "3"),
        (np.float32(0.5), "0.5"),
        (date(2026, 11, 27), "2026-11-27"),
        (datetime(2026, 11, 27, tzinfo=UTC), "2026-11-27 00:00:00+00:00"),
        (pd.Timestamp("2026-11-27"), "2026-11-27 00:00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
    ids=repr,
)
def test_texts_numbers_dates_and_bools_are_printed_as_people_write_them(value, text):
    assert render("{{ row.x }}", x=value) == text
    assert render("{{ '' ~ row.x }}", x=value) == text


def test_a_result_of_arithmetic_is_written_out_too():
    assert render("{{ row.x / 10 }} {{ row.y * 10 }}", x=1e-6, y=Decimal("0E-9")) == "0.0000001 0.000000000"


@pytest.mark.parametrize("source", ["{{ row.l[0:1] ~ '' }}", "{{ row.l[:1] }}", "{{ row.c }}"])
def test_a_part_of_a_list_and_a_complex_number_are_no_text_either(source):
    with pytest.raises(InvalidMessageError, match="which is no text"):
        render(source, l=["Ana"], c=1 + 0j)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'Items: ' ~ (row.l | sort) }}",
        "{{ row.l | map('upper') | list | string }}",
        "{{ '%s' | format(row.d.items() | list) }}",
        "{{ '%s' % (row.d | dictsort) }}",
        "{{ (row.l + row.l) ~ '' }}",
        "{{ row.d.copy() ~ '' }}",
        "{{ row.s.encode() ~ '' }}",
        "{{ (row.x * 1e308) ~ '' }}",
        "{{ '%s' | format(row.n | float) }}",
    ],
)
def test_what_is_made_of_values_is_printed_no_more_than_they_are(source):
    with pytest.raises(InvalidMessageError, match="which is no text") as caught:
        render(source, l=["b", "a"], d={"k": "Ana"}, s="Ana", x=1e10, n="nan")
    assert "Ana" not in str(caught.value)


def test_numbers_that_are_made_of_others_are_written_out_too():
    source = "{{ (row.x * 2) ~ ' EUR' }} {{ (row.y | round) ~ '' }} {{ row.y * 2 }} {{ '%.2f' | format(row.y) }}"
    assert render(source, x=1e16, y=3.0) == "20000000000000000 EUR 3 6 3.00"


def test_what_is_looked_into_is_used_as_ever():
    row = {"b": b"Ana", "l": ["a", {"k": (1, 2)}], "d": {"name": "Ana"}}
    source = "{{ row.b.decode() }} {{ row.l[0] }} {{ row.l[1].k | sum }} {{ row.d.name }} {{ row.l | length }}"
    assert render(source, **row) == "Ana a 3 Ana 2"
