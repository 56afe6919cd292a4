# SPDX-License-Identifier: Apache-2.0
"""A segment of a journal as text: a header (which campaign, which number), records, and a trailer (a digest).

So foreign and damaged content is told from good content.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1


def digest_of(campaign_id: str) -> str:
    """Return the name under which a journal knows its campaign: 20 hexadecimal digits."""
    return hashlib.blake2b(campaign_id.encode(), digest_size=10).hexdigest()


def encode(campaign: str, number: int, records: Iterable[str]) -> str:
    """Return a segment's text.

    :param campaign: the campaign's digest
    :param number: the segment's number, from 1
    :param records: one line of JSON each
    """
    text = _lines([_header(campaign, number), *records])
    return text + _trailer(_digest(text.encode()))


def decode(campaign: str, number: int, text: str) -> list[str]:
    """Return a segment's records.

    :raises JournalCorruptError: where it is not what was written
    :raises JournalForeignError: where it belongs to another campaign
    """
    where = f"journal segment {number}"
    lines = text.splitlines(keepends=True)
    try:
        header, trailer = json.loads(lines[0]), json.loads(lines[-1])
        intact = trailer["end"] == _digest("".join(lines[:-1]).encode()).hexdigest() and header["segment"] == number
        version, owner = header["journal"], header["campaign"]
    except (IndexError, KeyError, TypeError, ValueError):
        intact, version, owner = False, None, None
    if not intact:
        raise JournalCorruptError(
            f"{where} is damaged or incomplete: nothing was sent. Restore it, or start a new campaign "
            "(`campaign_id`) knowing that earlier messages of this one may be sent again."
        )
    if version != FORMAT:
        raise JournalForeignError(f"{where} was written in format {version}, this version reads {FORMAT}")
    if owner != campaign:
        raise JournalForeignError(
            f"{where} belongs to another campaign: nothing was sent. Did `campaign_id` change between tries? "
            "Put the former one back, or give the new campaign its own DAG run or `journal_path`."
        )
    return [line.rstrip("\n") for line in lines[1:-1]]


def unpack(value: Any, number: int) -> str:
    """Return a segment's text from what :meth:`PackedText.with_added` made of it.

    :raises JournalCorruptError: where it is something else
    """
    try:
        return zlib.decompress(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, TypeError, ValueError, zlib.error) as error:
        raise JournalCorruptError(f"journal key {number} holds something else than a journal") from error


class PackedText:
    """A segment's text, compressed as it grows: each addition costs its own size, not that of the whole.

    :param campaign: the campaign's digest
    :param number: the segment's number, from 1
    """

    def __init__(self, campaign: str, number: int) -> None:
        self._deflate = zlib.compressobj()
        self._digest = _digest(b"")
        self._packed = b""
        self.empty = True
        self._take(_lines([_header(campaign, number)]).encode())

    def add(self, records: Iterable[str]) -> None:
        """Add records for good."""
        self.empty = False
        self._take(_lines(records).encode())

    def with_added(self, records: Iterable[str]) -> str:
        """Return the whole segment with these records at its end, which are not kept."""
        deflate, digest = self._deflate.copy(), self._digest.copy()
        text = _lines(records).encode()
        digest.update(text)
        packed = deflate.compress(text + _trailer(digest).encode()) + deflate.flush()
        return base64.b64encode(self._packed + packed).decode()

    def _take(self, text: bytes) -> None:
        self._digest.update(text)
        self._packed += self._deflate.compress(text)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _header(campaign: str, number: int) -> str:
    return json.dumps({"journal": FORMAT, "campaign": campaign, "segment": number})


def _trailer(digest: hashlib.blake2b) -> str:
    return json.dumps({"end": digest.hexdigest()}) + "\n"


def _digest(text: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(text, digest_size=8)
