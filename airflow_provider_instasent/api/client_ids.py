# SPDX-License-Identifier: Apache-2.0
"""What a message is known by for ever: the digest of its content, and the clientId made of it."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

MAX_CLIENT_ID: Final = 40
"""Characters of a clientId (confirmed)."""

_KEY_BYTES: Final = 18
_NUMBER_BYTES: Final = 5
_GENERATED_PREFIX: Final = "ia-"
_generated = re.compile(r"ia-[0-9a-f]{36}").fullmatch


def content_key(campaign_id: str, sender: str, to: str, text: str, occurrence: int = 0) -> bytes:
    """Return the 18 bytes a message is known by: the same for every try, order and version of this package.

    The first five are the same for all messages of a campaign to one number, so that a journal, which holds no
    numbers, can still tell whether a number has been written to.

    :param campaign_id: what the message belongs to
    :param sender: the API's `from`
    :param to: the number in E.164
    :param text: the text
    :param occurrence: 0 for the first message with this content, 1 for the second …
    """
    number = _digest((campaign_id, to), _NUMBER_BYTES)
    return number + _digest((campaign_id, sender, to, text, str(occurrence)), _KEY_BYTES - _NUMBER_BYTES)


def number_of(key: bytes) -> bytes:
    """Return the part of a content key that all messages of its campaign to the same number share.

    :param key: a content key, or its beginning
    """
    return key[:_NUMBER_BYTES]


def _digest(parts: tuple[str, ...], size: int) -> bytes:
    # Its length before each part: two messages never read alike, whatever characters they hold.
    encoded = (part.encode() for part in parts)
    return blake2b(b"".join(b"%d:%b" % (len(part), part) for part in encoded), digest_size=size).digest()


def client_id_for(key: bytes) -> str:
    """Return the clientId of a content key: `ia-` and 36 hexadecimal digits."""
    return _GENERATED_PREFIX + key.hex()


def is_generated(client_id: str) -> bool:
    """Tell whether a clientId has the form of those made here, rather than by a user."""
    return _generated(client_id) is not None
