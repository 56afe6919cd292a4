# SPDX-License-Identifier: Apache-2.0
"""How a text goes out and how many parts it is billed as: the oracle that the package's own counting is tested by.

C: 160 GSM-7 or 70 UCS-2 characters in one part. I: parts of 153 and 67 in longer texts, an extension
character counts two and is never split over parts, nor is a surrogate pair (3GPP TS 23.038 and 23.040).
I: without ``allowUnicode`` a text outside GSM-7 is transliterated.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_SINGLE, GSM_MULTIPLE, UCS2_SINGLE, UCS2_MULTIPLE = 160, 153, 70, 67
EXTENSION = "\f^{}\\[~]|€"

_ONLY_BASIC = re.compile(f"[{re.escape(BASIC)}]*")
_ONLY_GSM = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*")
_EXTENDED = re.compile(f"[{re.escape(EXTENSION)}]")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a text becomes on the air.

    :param delivered: the text as delivered
    :param unicode: UCS-2 rather than GSM-7
    :param characters: its length in septets (GSM-7) or 16-bit units (UCS-2)
    :param parts: the number of SMS it is billed as
    """

    delivered: str
    unicode: bool
    characters: int
    parts: int


@lru_cache(maxsize=1024)
def count(text: str, allow_unicode: bool) -> Counted:
    """Count a text's parts.

    :param text: the text, not empty
    :param allow_unicode: whether it may go out as UCS-2
    """
    if _ONLY_BASIC.fullmatch(text):
        parts = 1 if len(text) <= GSM_SINGLE else -(-len(text) // GSM_MULTIPLE)
        return Counted(text, unicode=False, characters=len(text), parts=parts)
    if not _ONLY_GSM.fullmatch(text) and allow_unicode:
        widths = [2 if character > "\uffff" else 1 for character in text]
        return Counted(text, unicode=True, characters=sum(widths), parts=_parts(widths, UCS2_SINGLE, UCS2_MULTIPLE))
    delivered = transliterate(text)
    widths = [2 if _EXTENDED.match(character) else 1 for character in delivered]
    return Counted(delivered, unicode=False, characters=sum(widths), parts=_parts(widths, GSM_SINGLE, GSM_MULTIPLE))


def transliterate(text: str) -> str:
    """The nearest GSM-7 text: accents dropped, the rest a question mark (I; the real table is U).

    :param text: any text
    """
    return "".join(_gsm(character) for character in text)


def _gsm(character: str) -> str:
    if _ONLY_GSM.fullmatch(character):
        return character
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", character) if not unicodedata.combining(mark))
    return plain if plain and _ONLY_GSM.fullmatch(plain) else "?"


def _parts(widths: list[int], single: int, multiple: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > multiple:
            parts, used = parts + 1, 0
        used += width
    return parts
