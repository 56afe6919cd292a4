# SPDX-License-Identifier: Apache-2.0
"""What a message is known by for ever: the keyed digest of its content, and the clientId made of it.

Digests of phone numbers are soon guessed through, so each here is keyed: by random bits that only the journal holds, or
where there is no journal by the connection's token and the run. Whoever lacks those learns nothing of a number.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from typing import Final

from airflow_provider_instasent.api.encoding import composed

MAX_CLIENT_ID: Final = 40
"""Characters of a clientId (confirmed)."""

SECRET_BYTES: Final = 16
"""Random bytes that key the digests of a campaign."""

NUMBER_BYTES: Final = 10
KEY_BYTES: Final = 15
"""Bytes of a message's key; the first `NUMBER_BYTES` are the same for all messages to one number."""

_CLIENT_ID_BYTES: Final = 18
_GENERATED_PREFIX: Final = "ia-"
_generated = re.compile(r"ia-[0-9a-f]{36}").fullmatch


def new_secret() -> bytes:
    """Return random bytes to key digests with."""
    return os.urandom(SECRET_BYTES)


def secret_of_run(token: str, *run: str) -> bytes:
    """Return what keys the digests of a send that has no journal.

    :param token: the connection's
    :param run: what tells this send from others, such as its DAG run and its campaign
    """
    return blake2b(_framed(run), digest_size=SECRET_BYTES, key=blake2b(token.encode()).digest()).digest()


class MessageKeys:
    """Makes the keys of a campaign's messages: the same for every try, order and version of this package.

    :param secret: what keys the digests; the same for every try
    """

    def __init__(self, secret: bytes) -> None:
        self._number = blake2b(digest_size=NUMBER_BYTES, key=secret, person=b"number")
        self._content = blake2b(digest_size=KEY_BYTES - NUMBER_BYTES, key=secret, person=b"content")
        self._client_id = blake2b(digest_size=_CLIENT_ID_BYTES, key=secret, person=b"clientId")

    def key(self, sender: str, to: str, text: str, occurrence: int = 0) -> bytes:
        """Return the bytes a message is known by.

        The first ones are the same for all messages to one number, so that a journal, which holds no numbers, can
        still tell whether a number has been written to.

        :param sender: the API's `from`, in any normal form
        :param to: the number in E.164
        :param text: the text, in any normal form
        :param occurrence: 0 for the first message with this content, 1 for the second …
        """
        number, content = self._number.copy(), self._content.copy()
        number.update(to.encode())
        content.update(_framed((composed(sender), to, composed(text), str(occurrence))))
        return number.digest() + content.digest()

    def client_id(self, key: bytes) -> str:
        """Return the clientId of a message: `ia-` and 36 hexadecimal digits.

        :param key: the message's
        """
        digest = self._client_id.copy()
        digest.update(key)
        return _GENERATED_PREFIX + digest.hexdigest()


def number_of(key: bytes) -> bytes:
    """Return the part of a key that all messages of its campaign to the same number share."""
    return key[:NUMBER_BYTES]


def is_generated(client_id: str) -> bool:
    """Tell whether a clientId has the form of those made here, rather than by a user."""
    return _generated(client_id) is not None


def _framed(parts: tuple[str, ...]) -> bytes:
    # Its length before each part: two messages never read alike, whatever characters they hold.
    return b"".join([b"%d:%b" % (len(part), part) for part in map(str.encode, parts)])
