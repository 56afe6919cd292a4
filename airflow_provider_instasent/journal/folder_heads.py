# SPDX-License-Identifier: Apache-2.0
"""How far a journal in a folder goes at least: what tells its end from what was lost behind it.

Each try that writes keeps a file of its own, made before its first segment; after each one, its last line says so.
Nobody else writes it, so a superseded try that is still alive cannot take back what a later one has said.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_instasent.journal.segment_format import FORMAT, Link, check_format, damaged, foreign_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_instasent.journal.folder import Folder

_NAME = re.compile(r"head-([0-9a-f]{32})\.json")


class Head(NamedTuple):
    """What a try says of the journal.

    :param segments: there are at least so many
    :param digest: of the last of these
    """

    segments: int
    digest: str


def file_name(by: str) -> str:
    """Return the name of a try's file.

    :param by: names the try
    """
    return f"head-{by}.json"


def tries_among(names: Iterable[str]) -> set[str]:
    """Return the tries whose files are among these names."""
    return {match[1] for name in names if (match := _NAME.fullmatch(name))}


def read_head(folder: Folder, campaign: str, by: str) -> Head:
    """Return what a try says.

    :param campaign: the campaign's digest
    :raises JournalCorruptError: where it is not what was written
    :raises JournalForeignError: where it belongs to another campaign or version
    """
    name = file_name(by)
    try:
        last_whole_line = folder.read(name).decode().split("\n")[-2]  # a process may die while it writes one
        content = dict(json.loads(last_whole_line))
        check_format(name, content)
        head, owner = Head(int(content["segments"]), str(content["digest"])), content["campaign"]
        sound = content["by"] == by
    except (IndexError, KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise damaged(f"its file {name}, which tells how far it goes, is not what was written")
    if owner != campaign:
        raise foreign_campaign(name)
    return head


class OwnHead:
    """The file of this try.

    :param folder: of the journal
    :param campaign: the campaign's digest
    :param by: names this try
    """

    def __init__(self, folder: Folder, campaign: str, by: str) -> None:
        self._folder = folder
        self._campaign = campaign
        self._by = by
        self._begun = False
        self._writing: _Writing | None = None

    def begin(self, segments: int, digest: str) -> None:
        """Make the file, where this is not done yet: before this try's first segment."""
        if not self._begun:
            with suppress(FileExistsError):  # this try's own: a request whose answer was lost was repeated
                self._folder.create(file_name(self._by), self._line(segments, digest))
            self._begun = True

    def advance(self, segments: int, link: Link) -> None:
        """Say that a segment is there, once it is.

        Where a write takes long, nobody waits for this one, save the write of the segment after the next.

        :raises Exception: why the file could not be written, now or the last time
        """
        self.finish()
        line = self._line(segments, link.digest)
        if not self._folder.remote:
            self._folder.write_last_line(file_name(self._by), line)
            return
        self._writing = _Writing(lambda: self._folder.write_last_line(file_name(self._by), line))
        self._writing.start()

    def finish(self) -> None:
        """Wait for what is being written.

        :raises Exception: why it could not be
        """
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.finish()

    def _line(self, segments: int, digest: str) -> bytes:
        head = {"journal": FORMAT, "campaign": self._campaign, "by": self._by, "segments": segments, "digest": digest}
        return f"{json.dumps(head)}\n".encode()


class _Writing(threading.Thread):
    """One write under way."""

    def __init__(self, write: Callable[[], None]) -> None:
        super().__init__(name="instasent-journal-head", daemon=True)
        self._write = write
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._write()
        except BaseException as error:  # noqa: BLE001 - whoever waits must learn of it
            self._error = error

    def finish(self) -> None:
        self.join()
        if self._error is not None:
            raise self._error
