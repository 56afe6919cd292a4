# SPDX-License-Identifier: Apache-2.0
"""A folder of a journal in this machine's own file system, readable by its owner only."""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_DIRECTORY_MODE, _FILE_MODE = 0o700, 0o600


class LocalFolder:
    """See :class:`~airflow_provider_instasent.journal.folder.Folder`. File names appear by hard links.

    :param path: where it is; made when something is created in it
    """

    remote: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._exists = False

    def names(self) -> list[str]:
        """Return the names of all that is in it now, sorted; none where it does not exist yet."""
        try:
            return sorted(path.name for path in self._path.iterdir())
        except FileNotFoundError:
            return []

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return (self._path / name).read_bytes()

    def create(self, name: str, content: bytes, ready: Callable[[], None] = lambda: None) -> None:
        """Create a file whole, or not at all, and never over another one.

        :raises OSError: where there are no hard links: nothing else makes a name appear with its whole content
        """
        with self._draft(name, content) as draft:
            ready()
            os.link(draft, self._path / name)
        self._sync()

    def write_last_line(self, name: str, line: bytes) -> None:
        """Let a line be the last one of a file that is there: append it."""
        descriptor = os.open(self._path / name, os.O_WRONLY | os.O_APPEND)
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)

    def delete(self, name: str) -> None:
        """Delete a file."""
        (self._path / name).unlink()

    @contextmanager
    def _draft(self, name: str, content: bytes) -> Iterator[Path]:
        """Write a file under a name that means nothing; it is gone afterwards."""
        self._make()
        draft = self._path / f".{name}.{uuid.uuid4().hex}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with open(descriptor, "wb") as stream:  # noqa: PTH123 - a path cannot open it with a mode of its own
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _make(self) -> None:
        """Make the directory and those above it that are missing; what is there already stays as it is."""
        if self._exists:
            return
        missing = [path for path in (self._path, *self._path.parents) if not path.exists()]
        for path in reversed(missing):
            with suppress(FileExistsError):  # another try may be as far
                path.mkdir(mode=_DIRECTORY_MODE)
        self._exists = True

    def _sync(self) -> None:
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            with suppress(OSError):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
