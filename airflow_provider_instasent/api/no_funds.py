# SPDX-License-Identifier: Apache-2.0
"""Whether an error of the API means that the account has no funds, in whatever words.

What is turned down for want of funds is sent once there are some, so it must not be taken for a message that the API
rejects. How an item of a bulk answer says so is unknown (confirmed: 402 for a whole call, and the status `unpaid`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final

from airflow_provider_instasent.api.message import API_FIELDS

_FUNDS: Final = r"(?:funds?|balance|credits?|money|saldo|fondos?|creditos?|dinero)\b"
_OUT_OF_FUNDS: Final = re.compile(
    r"\b(?:"
    + "|".join(
        (
            rf"(?:insufficient|not enough|insuficientes?)(?: \w+){{0,2}} {_FUNDS}",
            rf"{_FUNDS}(?: \w+){{0,4}} (?:insufficient|insuficientes?|exhausted|depleted|exceeded|agotad[oa]s?)\b",
            rf"{_FUNDS}(?: \w+){{0,2}} (?:too low|used up|run out|ran out)\b",
            rf"{_FUNDS} (?:is |are |does |do )?not (?:enough|sufficient|suffice)\b",
            rf"{_FUNDS} no (?:es |son )?suficientes?\b",
            rf"(?:out of|lack of|want of|no|no more|low) (?:available |remaining )?{_FUNDS}(?! (?:card|note))",
            rf"(?:sin|falta de)(?: \w+)? {_FUNDS}",
            rf"no (?:hay|tienen?|tienes|quedan?|dispone de|cuenta con)(?: \w+){{0,2}} {_FUNDS}",
            rf"(?:exceeds?|exceeded|supera)(?: \w+){{0,2}} {_FUNDS}",
            r"(?:payment required|unpaid|impagad[oa]|top up)\b",
            r"recarg(?:a|ue|ar)(?: \w+)? (?:saldo|cuenta)\b",
        )
    )
    + ")"
)

_CODES: Final = frozenset({"code", "status", "statuscode", "httpstatus", "errorcode"})
_PAYMENT_REQUIRED: Final = "402"
_LONGEST: Final = 1_000
_MOST_NESTED: Final = 8
_MOST_ITEMS: Final = 1_000


def says_no_funds(said: Any, own: Collection[str] = ()) -> bool:
    """Tell whether an error means that the account has no funds.

    What is said of a field of the message is not about the account. Nor is prose any evidence where a value of the
    request reads like it, for an error may repeat that.

    :param said: the error, of whatever shape
    :param own: the strings of the request
    """
    return _says(said, _MOST_NESTED) and (_has_code(said, _MOST_NESTED) or not any(map(_reads_so, own)))


def _says(said: Any, levels: int) -> bool:
    if isinstance(said, str):
        return _reads_so(said)
    if not levels:
        return False
    if isinstance(said, Mapping):
        return any(
            _is_code(name, value)
            or _says(value, levels - 1)
            or (isinstance(value, str) and _reads_so(f"{name} {value}"))
            or (
                isinstance(value, list)
                and any(isinstance(one, str) and _reads_so(f"{name} {one}") for one in value[:_MOST_ITEMS])
            )
            for name, value in islice(said.items(), _MOST_ITEMS)
            if name not in API_FIELDS
        )
    return isinstance(said, list) and any(_says(one, levels - 1) for one in said[:_MOST_ITEMS])


def _has_code(said: Any, levels: int) -> bool:
    if not levels or not isinstance(said, Mapping | list):
        return False
    if isinstance(said, list):
        return any(_has_code(one, levels - 1) for one in said[:_MOST_ITEMS])
    return any(
        _is_code(name, value) or _has_code(value, levels - 1) for name, value in said.items() if name not in API_FIELDS
    )


def _is_code(name: Any, value: Any) -> bool:
    """Tell whether a field of an error is the status or code for "payment required"."""
    if str(name).replace("_", "").lower() not in _CODES or not isinstance(value, str | int):
        return False
    return str(value).strip().lower() in {_PAYMENT_REQUIRED, "unpaid"}


def _reads_so(text: str) -> bool:
    """Tell whether words, or a name made of them, say that there are no funds."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text[:_LONGEST])
    plain = "".join(one for one in unicodedata.normalize("NFKD", apart.lower()) if not unicodedata.combining(one))
    return _OUT_OF_FUNDS.search(" ".join(re.findall(r"[a-z0-9]+", plain))) is not None
