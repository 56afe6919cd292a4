# SPDX-License-Identifier: Apache-2.0
"""What a cell may hold beside the digits of one phone number."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.number_cells import ExponentFloat, looks_like_number, number_of_cell


class Index:
    """A whole number of another library."""

    def __index__(self):
        return 600000001


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("+34600000001", "+34600000001"),
        ("0034600000001", "+34600000001"),
        ("00 34 600-000-001", "+34600000001"),
        ('="0612345678"', "0612345678"),
        ("1.800.555.1234", "18005551234"),
        ("070-123 45 67", "0701234567"),
        ("06-12345678", "0612345678"),
        ("06 01 02 03 04", "0601020304"),
        ("600 000001", "600000001"),
        ("+33 6.12.34.56.00", "+33612345600"),
        ("600000001", "600000001"),
        ("123456", "123456"),
        ("+123456789012345", "+123456789012345"),
        ("  +34 600 000 001\n", "+34600000001"),
        ("+34-600-000-001", "+34600000001"),
        ("06.12.34.56.78", "0612345678"),
        ("600.000001", "600000001"),
        ("600.000.001", "600000001"),
        ("(0151) 123-4567", "01511234567"),
        ("(+34) 600 000 001", "+34600000001"),
        ("+44 (0)20 7946 0018", "+4402079460018"),
        ("'+34600000001", "+34600000001"),
        ("' 600000001", "600000001"),
        ("tel:+34-600-000-001", "+34600000001"),
        ("TEL: 600000001", "600000001"),
        ("\u202a+34\u00a0600\u2009000\u202f001\u202c", "+34600000001"),
        ("\u200b+34600000001\ufeff", "+34600000001"),
        ("+34\u2011600\u2013000\u2212001", "+34600000001"),
        ("+\u0663\u0664\u0666\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661", "+34600000001"),
        ("\uff0b\uff13\uff14600000001", "+34600000001"),
        (600000001, "600000001"),
        (600000001.0, "600000001"),
        (Decimal(600000001), "600000001"),
        (Index(), "600000001"),
    ],
)
def test_one_number(cell, number):
    assert number_of_cell(cell) == number


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("6OO OOO OO1", "letters"),
        ("hello", "letters"),
        ("+34 600 000 001 ext. 12", "letters"),
        ("+34600000001x2", "letters"),
        ("whatsapp:+34600000001", "letters"),
        ("3.46E+10", "exponent"),
        ("3,4600000001e10", "exponent"),
        ("393331234567.00", "decimal"),
        ("393331234567,00", "decimal"),
        ("393331234567.0", "decimal"),
        ("393331234567.000000", "decimal"),
        ("393331234567,5", "decimal"),
        ("+34 600 000 001.00", "decimal"),
        ("600.5", "decimal"),
        ("0151 1234567/8", "is not a phone number"),
        ("+34600000001;600000002", "is not a phone number"),
        ("+34600000001, +34600000002", "is not a phone number"),
        ("0151 1234567 (2)", "is not a phone number"),
        ("600001\n600002", "is not a phone number"),
        ("600001\t600002", "is not a phone number"),
        ("-34600000001", "is not a phone number"),
        ("++34600000001", "is not a phone number"),
        ("34+600000001", "is not a phone number"),
        ("#31#600000001", "is not a phone number"),
        ("*600000001", "is not a phone number"),
        ('="+34600000001', "is not a phone number"),
        ("(2) 0151 12345678", "is not a phone number"),
        ("(2)0151 12345678", "is not a phone number"),
        ("1) 0151 12345678", "is not a phone number"),
        ("1. 0151 12345678", "is not a phone number"),
        ("12) 0151 12345678", "is not a phone number"),
        ("0151 1234567) 8", "is not a phone number"),
        ("(0151 12345678", "is not a phone number"),
        ("600000.000", "decimal"),
        ("+034600000001", "no country code that exists"),
        ("+0034600000001", "no country code that exists"),
        ("+(0)34 600 000 001", "no country code that exists"),
        ("3- 0301 234567", "is not a phone number"),
        ("3 0301 234567", "is not a phone number"),
        ("1 (0151) 1234567", "is not a phone number"),
        ("1.(0151) 1234567", "is not a phone number"),
        ("100. 0151 1234567", "is not a phone number"),
        ("+39 333.123.4567.00", "is not a phone number"),
        ("39333123456-00", "is not a phone number"),
        ("0151 1234567-8", "is not a phone number"),
        ("0151.1234567.00", "is not a phone number"),
        ("0151 12345678 00", "is not a phone number"),
        ("+49 89 1234567 - 12", "is not a phone number"),
        ("60000000\u00b9", "is not a phone number"),
        ("600000001\x00", "is not a phone number"),
        ("600 000 001 600 000 002", "18 digits"),
        ("6" * 300, "300 digits"),
        ("+34 60", "4 digits"),
        ("001234", "4 digits"),
        ("", "empty"),
        (" \u200b ", "empty"),
        ("'", "empty"),
        ("tel:", "empty"),
        (None, "missing"),
        (float("nan"), "missing"),
        (Decimal("NaN"), "missing"),
        (True, "not bool"),
        (b"+34600000001", "not bytes"),
        (["+34600000001"], "not list"),
        ({"to": "+34600000001"}, "not dict"),
        (600000001.5, "decimal"),
        (float("inf"), "decimal"),
        (3.46e10, "lost digits"),
        (3.93331e11, "lost digits"),
        (1.234567890123456e15, "lost digits"),
        (ExponentFloat(34600000001), "decimal"),
        (Decimal("3.46E+10"), "decimal"),
        (Decimal("34600000001.00"), "decimal"),
        (Decimal("Infinity"), "decimal"),
        (-600000001, "positive"),
        (0, "positive"),
        (12345, "5 digits"),
        (10**15, "more than 15 digits"),
        pytest.param(10**5000, "more than 15 digits", id="huge"),
        (np.zeros(2), "not ndarray"),
    ],
)
def test_what_is_no_number_is_refused_without_being_shown(cell, said):
    with pytest.raises(InvalidMessageError, match=said) as caught:
        number_of_cell(cell)
    assert caught.value.field == "to"
    shown = "".join(filter(str.isdigit, str(caught.value)))
    digits = "" if isinstance(cell, int) and cell > 10**99 else "".join(filter(str.isdigit, str(cell)))
    assert len(digits) < 6 or digits not in shown


@pytest.mark.parametrize("text", ["+34600000001", "600 000 001", "'600000001", "6OO 000 001 1", "0151 1234567/8"])
def test_what_looks_like_a_number(text):
    assert looks_like_number(text)


@pytest.mark.parametrize("text", ["", "to", "phone_2", "Ana", "Gran Via 12345, 28013 Madrid", "please call 1234567"])
def test_what_does_not(text):
    assert not looks_like_number(text)
