# SPDX-License-Identifier: Apache-2.0
"""Whether an error of the API says that a clientId was used before (unknown whether the API ever refuses one).

It is evidence that an earlier request was accepted, so only words that say so count: that a field does not exist, or
must be of some length, says nothing of the kind.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

_CLIENT_ID: Final = re.compile(r"\bclient ?(?:id|identifier)\b|\b(?:id|identificador) (?:de|del) cliente\b")
_OTHER_FIELD: Final = re.compile(r"(?:to|from|text|number|phone|recipient|sender|allow unicode)\b")
_USED: Final = (
    r"(?:used|use|exists?|taken|assigned|registered|recorded|stored|known|sent|accepted|processed|present|seen)\b"
)
_USED_ES: Final = r"(?:exist\w+|hay|uso|(?:usad|utilizad|registrad|asignad|enviad|emplead|procesad|ocupad)\w+)\b"
_TAKEN: Final = re.compile(
    r"\b(?:"
    + "|".join(
        (
            rf"already (?:\w+ ){{0,2}}{_USED}",
            rf"{_USED} already\b",
            r"in use\b",
            r"used (?:before|previously|once|in another|by another|for another)\b",
            r"(?:previously|formerly) (?:used|sent|accepted)\b",
            r"(?:has|have) been (?:used|taken)\b",
            r"(?:is|was) taken\b(?! into)",
            r"duplicated?\b",
            r"repeated\b",
            r"(?:id|value|it) exists\b(?! only)",
            rf"ya (?:\w+ ){{0,3}}{_USED_ES}",
            r"en uso\b",
            r"duplicad[oa]s?\b",
            r"repetid[oa]s?\b",
            r"(?:usad|utilizad)[oa]s? (?:antes|anteriormente|previamente)\b",
            r"(?:ha|han) sido (?:usad|utilizad)[oa]s?\b",
        )
    )
    + ")"
)
_NEGATED: Final = re.compile(r"\b(?:no|not|never|none|without|cannot|avoid\w*|prevent\w*|nunca|sin|evitar)\b")
_NOT_UNIQUE: Final = re.compile(
    r"\b(?:(?:is|are) not unique|non unique"
    r"|(?:must|should|has to|needs to) be unique(?! (?:and|of|with|string|identifier|id|value|key))"
    r"|(?:must|may|can|should) ?not be (?:repeated|reused|duplicated|used (?:again|twice))"
    r"|no es unic[oa]|(?:debe|tiene que|ha de) ser unic[oa](?! (?:y|de|con))"
    r"|no (?:se )?(?:puede|debe) (?:ser |estar )?(?:repeti|reutiliza|duplica)(?:d[oa]|r|rse))\b"
)
_NAMING: Final = frozenset({"field", "property", "propertypath", "path", "param", "parameter", "name"})
_LONGEST: Final = 2_000
_MOST_NESTED: Final = 16
_MOST_ITEMS: Final = 1_000


def says_client_id_taken(said: Any, levels: int = _MOST_NESTED) -> bool:
    """Tell whether an error says that the clientId was used before.

    :param said: the error, of whatever shape, without what only names the message that it is about
    :param levels: so many levels of it are looked at
    """
    if isinstance(said, str):
        return _prose_says_taken(said)
    if not levels:
        return False
    if isinstance(said, list):
        return any(says_client_id_taken(one, levels - 1) for one in said[:_MOST_ITEMS])
    if not isinstance(said, Mapping):
        return False
    if any(_is_client_id(value) for name, value in said.items() if _squeezed(name) in _NAMING):
        return any(_is_said(value, levels - 1) for value in said.values())
    return any(
        _is_said(value, levels - 1) if _is_client_id(name) else says_client_id_taken(value, levels - 1)
        for name, value in islice(said.items(), _MOST_ITEMS)
    )


def _is_said(said: Any, levels: int) -> bool:
    """Tell whether any words of what is said about the clientId say that it was used."""
    if isinstance(said, str):
        return any(map(_says_taken, _clauses(said)))
    if not levels:
        return False
    if isinstance(said, Mapping):
        said = list(said.values())
    return isinstance(said, list) and any(_is_said(one, levels - 1) for one in said)


def _prose_says_taken(said: str) -> bool:
    """Tell whether words that name the clientId say that it was used; a clause without a subject goes on about it."""
    is_subject = False
    for clause in _clauses(said):
        is_subject = bool(_CLIENT_ID.search(clause)) or (is_subject and not _OTHER_FIELD.match(clause))
        if is_subject and _says_taken(clause):
            return True
    return False


def _says_taken(clause: str) -> bool:
    if _NOT_UNIQUE.search(clause):
        return True
    return _TAKEN.search(clause) is not None and _NEGATED.search(clause) is None


def _clauses(said: str) -> list[str]:
    """Return the clauses of what was said, in plain small letters."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", said[:_LONGEST])
    plain = "".join(one for one in unicodedata.normalize("NFKD", apart.lower()) if not unicodedata.combining(one))
    clauses = [" ".join(re.findall(r"[a-z0-9]+", clause)) for clause in re.split(r"[:;,!?\n]|\.(?:\s|$)", plain)]
    return [clause for clause in clauses if clause]


def _is_client_id(name: Any) -> bool:
    return isinstance(name, str) and _squeezed(name) in {"clientid", "clientidentifier"}


def _squeezed(name: Any) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())
