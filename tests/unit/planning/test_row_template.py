# SPDX-License-Identifier: Apache-2.0

"""The row template: the same text in every try, and nothing of a row in an error."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.errors import ConfigurationError, InvalidMessageError
from airflow_provider_instasent.planning.row_template import RowTemplate

CONTEXT = {"params": {"shop": "Acme"}, "run_id": "manual__1"}


def render(source, **row):
    return RowTemplate(source, CONTEXT).render(row)


@pytest.mark.parametrize(
    ("source", "row", "text"),
    [
        ("Hello {{ row.name }}", {"name": "Ana"}, "Hello Ana"),
        ("{{ row['first name'] }}", {"first name": "Ana"}, "Ana"),
        ("{{ row.items }} {{ row.keys }}", {"items": 3, "keys": "k"}, "3 k"),
        ("{{ row.name | upper }}{% if row.n > 1 %}s{% endif %}", {"name": "a", "n": 2}, "As"),
        ("{{ params.shop }} {{ run_id }}", {}, "Acme manual__1"),
        ("{{ row.name or 'you' }}", {"name": None}, "you"),
        ("{{ row.name }}", {"name": "{{ run_id }}{% raw %}<b>&"}, "{{ run_id }}{% raw %}<b>&"),
        ("50 % & more", {}, "50 % & more"),
    ],
)
def test_what_it_renders(source, row, text):
    assert render(source, **row) == text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ row.nmae }}", "names what is not there: nmae"),
        ("{{ row['nmae'] }}", "fails for this row|names what is not there"),
        ("{{ nmae }}", "names what is not there: nmae"),
        ("{{ ti.xcom_pull() }}", "names what is not there: ti"),
        ("{{ var.value.x }}", "names what is not there: var"),
        ("{{ conn.x }}", "names what is not there: conn"),
        ("{{ range(9) }}", "names what is not there: range"),
        ("{{ lipsum() }}", "names what is not there: lipsum"),
        ("{{ params[row.name] }}", "names what is not there; the columns are: name, zero, nothing$"),
        ("{{ row.name + 1 }}", r"fails for this row \(TypeError\)"),
        ("{{ 1 // row.zero }}", r"fails for this row \(ZeroDivisionError\)"),
        ("{{ row.name.__class__.__mro__ }}", "fails for this row|names what is not there"),
        ("{{ row }}", "inserts a columns, which is no text"),
        ("{{ row.name.upper }}", "inserts a function, which is no text"),
        (
            "Hello {{ row.nothing }}",
            "uses a value that is missing in this row: nothing; leave such rows out, or say what",
        ),
    ],
)
def test_what_it_refuses_without_showing_the_row(source, words):
    with pytest.raises(InvalidMessageError, match=words) as caught:
        render(source, name="Secret", zero=0, nothing=None)
    assert "Secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "source", ["{{ row.name", "{% if %}", "{{ [1, 2] | random }}", "{{ row.name | no_such_filter }}"]
)
def test_what_is_no_template(source):
    with pytest.raises(ConfigurationError, match="`text` is no template"):
        RowTemplate(source, CONTEXT)
