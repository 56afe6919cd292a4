# SPDX-License-Identifier: Apache-2.0
"""A segment of a journal as text: a header, records, and a trailer with the digest of both.

The header says which campaign and which number, and repeats the digest of the segment before it. So foreign, damaged
and missing content is told from good content.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT = 2

NO_SEGMENT = ""
"""What the first segment repeats, there being none before it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A segment as the next one knows it.

    :param digest: of its content
    :param by: the try that wrote it; empty where the store lets no two tries write
    """

    digest: str
    by: str


@dataclass(frozen=True, slots=True)
class Segments:
    """One segment, or the copy of several.

    :param after: the digest of the segment before
    :param chain: the segments that are in it, in order
    :param records: theirs
    """

    after: str
    chain: tuple[Link, ...]
    records: list[str]


def digest_of(campaign_id: str) -> str:
    """Return the name under which a journal knows its campaign: 20 hexadecimal digits."""
    return hashlib.blake2b(campaign_id.encode(), digest_size=10).hexdigest()


def damaged(what: str) -> JournalCorruptError:
    """Return the error of a journal that is not as it was written.

    :param what: what is wrong, as a clause
    """
    return JournalCorruptError(
        f"the journal is damaged: {what}. Nothing was sent by this try. Restore what is lost, from a backup for one, "
        "and clear the task; or start a new campaign (a new DAG run, or another `campaign_id`) knowing that earlier "
        "messages of this one may then be sent again."
    )


def foreign_campaign(where: str) -> JournalForeignError:
    """Return the error of something that belongs to another campaign.

    :param where: such as `journal segment 1`
    """
    return JournalForeignError(
        f"{where} belongs to another campaign: nothing was sent. Did `campaign_id` change between tries? "
        "Put the former one back, or give the new campaign its own DAG run or `journal_path`."
    )


def encode(campaign: str, number: int, records: Iterable[str], *, after: str, by: str) -> tuple[str, Link]:
    """Return a segment's text, and how the next one knows it.

    :param campaign: the campaign's digest
    :param number: the segment's number, from 1
    :param records: one line of JSON each
    :param after: the digest of the segment before, or `NO_SEGMENT`
    :param by: names this try; no other one has it
    """
    text, digest = _enclose(_header(campaign, number, after, by), records)
    return text, Link(digest, by)


def encode_copy(campaign: str, first: int, segments: Sequence[Segments]) -> str:
    """Return the text of a copy of several segments.

    :param first: the number of the first
    """
    chain = [[link.digest, link.by] for segment in segments for link in segment.chain]
    header = {"journal": FORMAT, "campaign": campaign, "segment": first, "after": segments[0].after, "copies": chain}
    return _enclose(json.dumps(header), (record for segment in segments for record in segment.records))[0]


def decode(campaign: str, number: int, text: str) -> Segments:
    """Return what is in a segment's text, or in that of a copy.

    :param number: of the segment, or of the first
    :raises JournalCorruptError: where it is not what was written
    :raises JournalForeignError: where it belongs to another campaign, or to another version of this package
    """
    where = f"journal segment {number}"
    lines = text.splitlines(keepends=True)
    header = _mapping(lines[0] if lines else "")
    check_format(where, header)
    digest = _digest("".join(lines[:-1]).encode()).hexdigest()
    try:
        intact = _mapping(lines[-1])["end"] == digest and header["segment"] == number
        owner, after = header["campaign"], header["after"]
        copies = header["copies"] if "copies" in header else [[digest, header["by"]]]
        chain = tuple(Link(one, by) for one, by in copies)
    except (IndexError, KeyError, TypeError, ValueError):
        intact = False
    if not intact:
        raise damaged(f"segment {number} is not what was written, or not all of it")
    if owner != campaign:
        raise foreign_campaign(where)
    return Segments(after, chain, [line.rstrip("\n") for line in lines[1:-1]])


def check_format(where: str, header: dict[str, Any]) -> None:
    """Refuse what another version of this package wrote.

    :param header: what says so under `journal`
    :raises JournalForeignError: where it is such
    """
    version = header.get("journal")
    if isinstance(version, int) and version != FORMAT:
        other = "an earlier" if version < FORMAT else "a later"
        raise JournalForeignError(
            f"{where} was written by {other} version of this provider (format {version}, this version reads {FORMAT}): "
            "nothing was sent. Finish this campaign with that version, or start a new one (a new DAG run, or another "
            "`campaign_id`) knowing that earlier messages of this one may then be sent again."
        )


def unpack(value: Any, number: int) -> str:
    """Return a segment's text from what :meth:`PackedText.with_added` made of it.

    :raises JournalCorruptError: where it is something else
    """
    with suppress(TypeError, ValueError, zlib.error):
        return zlib.decompress(base64.b64decode(value, validate=True)).decode()
    raise damaged(f"key {number} holds something else than a segment")


class PackedText:
    """A segment's text, compressed as it grows: each addition costs its own size, not that of the whole.

    :param campaign: the campaign's digest
    :param number: the segment's number, from 1
    :param after: the digest of the segment before, or `NO_SEGMENT`
    """

    def __init__(self, campaign: str, number: int, after: str) -> None:
        # Keys and ids are nearly random: the short matches that are not looked for then cost more than they save.
        self._deflate = zlib.compressobj(memLevel=9, strategy=zlib.Z_FILTERED)
        self._digest = _digest(b"")
        self._packed = b""
        self.empty = True
        self._take(_lines([_header(campaign, number, after, "")]).encode())

    @property
    def digest(self) -> str:
        """What the next segment repeats."""
        return self._digest.hexdigest()

    def add(self, records: Iterable[str]) -> None:
        """Add records for good."""
        self.empty = False
        self._take(_lines(records).encode())

    def with_added(self, records: Iterable[str]) -> str:
        """Return the whole segment with these records at its end, which are not kept."""
        deflate, digest = self._deflate.copy(), self._digest.copy()
        text = _lines(records).encode()
        digest.update(text)
        packed = deflate.compress(text + _trailer(digest.hexdigest()).encode()) + deflate.flush()
        return base64.b64encode(self._packed + packed).decode()

    def _take(self, text: bytes) -> None:
        self._digest.update(text)
        self._packed += self._deflate.compress(text)


def _enclose(header: str, records: Iterable[str]) -> tuple[str, str]:
    text = _lines([header, *records])
    digest = _digest(text.encode()).hexdigest()
    return text + _trailer(digest), digest


def _mapping(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _header(campaign: str, number: int, after: str, by: str) -> str:
    return json.dumps({"journal": FORMAT, "campaign": campaign, "segment": number, "after": after, "by": by})


def _trailer(digest: str) -> str:
    return json.dumps({"end": digest}) + "\n"


def _digest(text: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(text, digest_size=16)
