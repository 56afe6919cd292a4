# SPDX-License-Identifier: Apache-2.0
"""How many parts a text is billed as.

An SMS holds 160 septets of the GSM 03.38 alphabet or 70 UTF-16 code units (confirmed); a longer text goes out
in parts of 153 or 67 (inferred, from 3GPP TS 23.040). A character of the extension table takes two septets,
one beyond U+FFFF two code units, and neither pair is split over two parts.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = "\f^{}\\[~]|€"
_ESCAPE: Final = "\x1b"

_only_basic = re.compile(f"[{re.escape(_BASIC)}]*").fullmatch
_only_gsm = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*").fullmatch
_two_septets = re.compile(f"([{re.escape(_EXTENSION)}])")
_two_units = re.compile("[\U00010000-\U0010ffff]")
_SURROGATES: Final = "\ud800\udc00"


@dataclass(frozen=True, slots=True)
class TextSize:
    """What a text takes to send.

    :param encoding: the alphabet it goes out in
    :param units: septets (GSM-7) or UTF-16 code units (UCS-2), headers of parts not counted
    :param parts: SMS billed
    """

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def composed(text: str) -> str:
    """Return a text in normal form C: `ñ` as one character rather than as `n` and a tilde, which looks the same.

    A decomposed letter is no GSM-7 and takes several parts, and two spellings of one text would be two messages.

    :param text: a text or a sender
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def count(text: str, *, allow_unicode: bool) -> TextSize:
    """Return the size of a text.

    Without `allow_unicode` a text beyond GSM-7 is probably transliterated by the server (inferred), so each
    such character is counted as one septet: an estimate, since a replacement may be longer or shorter.

    :param text: the message text
    :param allow_unicode: whether the message asks for UCS-2 where the text needs it
    """
    if _only_basic(text):
        units = len(text)
        return TextSize("GSM-7", units, 1 if units <= 160 else -(-units // 153))  # noqa: PLR2004 - as the module says
    if allow_unicode and not _only_gsm(text):
        stream = _two_units.sub(_SURROGATES, text)
        return TextSize("UCS-2", len(stream), _parts(stream, _SURROGATES[0], 70, 67))
    # An escape character in the text itself must not be taken for the first half of a pair.
    stream = _two_septets.sub(rf"{_ESCAPE}\1", text.replace(_ESCAPE, " "))
    return TextSize("GSM-7", len(stream), _parts(stream, _ESCAPE, 160, 153))


def _parts(stream: str, first_half: str, single: int, part: int) -> int:
    """Count the parts of a stream of units in which `first_half` is never the last unit of a part."""
    units = len(stream)
    if units <= single:
        return 1
    parts, start = 0, 0
    while start < units:
        end = start + part
        if end < units and stream[end - 1] == first_half:
            end -= 1
        start = end
        parts += 1
    return parts
