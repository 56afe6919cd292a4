# SPDX-License-Identifier: Apache-2.0
"""Try out whether a folder lets only one of several writers create a file, before a journal relies on it.

A file system that looks whether the file is there and then writes it passes any test of one writer after the other.
So several write the same name at one time: each goes as far as it can, and all take the last step together.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_instasent.journal.errors import JournalStoreError

if TYPE_CHECKING:
    from airflow_provider_instasent.journal.folder import Folder

WRITERS, ROUNDS = 3, 3


def refuse_where_creation_is_not_exclusive(folder: Folder) -> None:
    """Raise where two tries could both write what only one may.

    :raises JournalStoreError: where a file can be created twice, or not at all
    """
    for _ in range(ROUNDS):
        name = f"probe-{uuid.uuid4().hex}"
        try:
            _let_one_win(folder, name)
        finally:
            with suppress(Exception):  # one that stays is passed over
                folder.delete(name)


def _let_one_win(folder: Folder, name: str) -> None:
    together = threading.Barrier(WRITERS)
    writers = [_Writer(folder, name, together) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    winners = [writer for writer in writers if writer.error is None]
    if not winners:
        raise _cannot_create([writer.error for writer in writers])
    if len(winners) > 1 or folder.read(name) != winners[0].content:
        raise _overwrites()
    try:
        folder.create(name, b"late")
    except FileExistsError:  # the error by which another live try is recognised
        return
    raise _overwrites()


class _Writer(threading.Thread):
    """Creates the file together with the others.

    :ivar error: why it could not; None where it did
    """

    def __init__(self, folder: Folder, name: str, together: threading.Barrier) -> None:
        super().__init__(name="instasent-journal-probe", daemon=True)
        self._folder = folder
        self._file = name
        self._together = together
        self._arrived = False
        self.content = uuid.uuid4().bytes
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._folder.create(self._file, self.content, self._arrive)
        except Exception as error:  # noqa: BLE001 - an object storage raises what it likes
            self.error = error
        finally:
            self._arrive()  # the others wait for one that came no further, too

    def _arrive(self) -> None:
        if not self._arrived:
            self._arrived = True
            self._together.wait()


def _cannot_create(errors: list[Exception | None]) -> Exception:
    """Return what to raise where nobody could create the file.

    :param errors: of the writers
    """
    error = next(one for one in errors if one is not None)
    unable = isinstance(error, NotImplementedError | OSError | TypeError | ValueError)
    if not unable or isinstance(error, ConnectionError | FileExistsError | TimeoutError):
        return (
            error  # the network's, or an answer was lost and the request repeated: the next try may meet no such thing
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        why = "is in no place that exists or can be made (is the bucket's name right?): nothing was sent."
    else:
        why = (
            f"cannot create a file whole and exclusively ({type(error).__name__}): nothing was sent. Use a file system "
            "with hard links, or an object storage by its URL rather than mounted."
        )
    refusal = JournalStoreError(f"`journal_path` {why}")
    refusal.__cause__ = error
    return refusal


def _overwrites() -> JournalStoreError:
    return JournalStoreError(
        "`journal_path` lets two writers create the same file, so it cannot keep two tries apart: nothing was sent. "
        "Use a file system with exclusive creation (local, or an object storage with conditional writes)."
    )
