# SPDX-License-Identifier: Apache-2.0
"""The JSON of an answer as data: what no storage of ours could hold is replaced, and nothing in it is without a bound.

Every word of the API passes here before anything else sees it. So neither SQLite, a journal, XCom nor a log meets half
of a surrogate pair, a NUL, a number that is none, a string of megabytes, or objects nested a thousand levels deep.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

MOST_NESTED: Final = 32
"""Levels of objects and lists that are kept; an answer of the documented shapes has five."""

LONGEST_STRING: Final = 262_144
"""Characters of a string that are kept."""

REPLACEMENT: Final = "\ufffd"
_LEFT_OUT: Final = "…"
_NESTING: Final[frozenset[Any]] = frozenset({dict, list})

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")


def decoded(body: bytes) -> Any:
    """Return the value of a JSON body, fit to be kept and passed on.

    :param body: as it came (confirmed: UTF-8)
    :raises ValueError: where it is not JSON
    """
    encoding = json.detect_encoding(body)
    try:
        value = json.loads(
            body.decode(encoding, "surrogatepass"), parse_constant=lambda _name: None, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    if len(body) > LONGEST_STRING or not encoding.startswith("utf-8") or _is_suspect(body):
        return _tamed(value, MOST_NESTED)
    # An answer as usual: only its depth is still to be bounded.
    if value.__class__ in _NESTING:
        _flatten(value, MOST_NESTED - 1)
    return value


def storable(text: str) -> str:
    """Return a text in which what no storage can hold is replaced, as in an answer."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def _finite(digits: str) -> float | None:
    """Read a number; None where it is beyond any float, for infinity is no JSON."""
    number = float(digits)
    return number if math.isfinite(number) else None


def _is_suspect(body: bytes) -> bool:
    """Tell whether a body in UTF-8 may hold what cannot be stored; looking for one byte costs next to nothing."""
    return (b"\\" in body or b"\xed" in body) and _SUSPECT.search(body) is not None


def _flatten(value: Any, levels: int) -> None:
    """Leave out, in place, what is nested more than so many levels below an object or a list."""
    is_object = value.__class__ is dict
    if _NESTING.isdisjoint(map(type, value.values() if is_object else value)):
        return
    for key, one in value.items() if is_object else enumerate(value):
        if one.__class__ in _NESTING:
            if levels:
                _flatten(one, levels - 1)
            else:
                value[key] = _LEFT_OUT


def _tamed(value: Any, levels: int) -> Any:
    """Return a value whose strings can be stored, whose depth is bounded and whose strings are."""
    kind = value.__class__
    if kind is str:
        text = value if len(value) <= LONGEST_STRING else value[: LONGEST_STRING - 1] + _LEFT_OUT
        return text if text.isascii() and text.isprintable() else storable(text)
    if kind not in _NESTING:
        return value
    if not levels:
        return _LEFT_OUT
    if kind is list:
        return [_tamed(one, levels - 1) for one in value]
    return {_tamed(key, 1): _tamed(one, levels - 1) for key, one in value.items()}
