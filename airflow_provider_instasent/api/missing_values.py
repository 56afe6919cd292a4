# SPDX-License-Identifier: Apache-2.0
"""What stands for a value that is not there: None, and what spreadsheets, data frames and databases have for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

MISSING_IN_FILES = frozenset({"\\N", "<NA>", "NaN", "nan", "NaT", "NULL", "null", "None"})
"""What databases and data frames write into a file for a value that is not there."""

_PRINTED = frozenset(map(str.lower, MISSING_IN_FILES))


def is_printed_missing(text: str) -> bool:
    """Tell whether a text is what a template, a spreadsheet or a data frame prints for a value that is not there.

    :param text: a whole text, sender, id or path
    """
    return text.strip().lower() in _PRINTED


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for one that is not there: None, NaN (of float, Decimal, numpy), NaT or pandas' NA.

    :param value: of a row
    """
    if value is None or isinstance(value, str):
        return value is None
    if isinstance(value, Decimal):
        return value.is_nan()
    try:
        return bool(value != value)  # noqa: PLR0124 - this is how all of them are alike
    except TypeError:  # pandas' NA compares to something that is neither true nor false
        return type(value).__name__ == "NAType"
    except ValueError:  # an array is none, whatever it holds
        return False
