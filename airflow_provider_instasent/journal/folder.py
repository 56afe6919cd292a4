# SPDX-License-Identifier: Apache-2.0
"""What a journal needs of a folder, whether it is on this machine or on any object storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow_provider_instasent.api.files import local_path
from airflow_provider_instasent.journal.local_folder import LocalFolder
from airflow_provider_instasent.journal.object_folder import ObjectFolder

if TYPE_CHECKING:
    from collections.abc import Callable


class StoragePath(Protocol):
    """What `pathlib.Path` and Airflow's `ObjectStoragePath` share, and all that the journal needs of them.

    One of the latter that is not on this machine also has `fs`, an fsspec file system, and `path`, its path there.
    """

    def __truediv__(self, name: str) -> Any:
        """Return the path of something inside."""


class Folder(Protocol):
    """A directory of its own for one journal; whatever is created in it is for its owner alone.

    :cvar remote: whether each write is a request that may take tens of milliseconds
    """

    remote: ClassVar[bool]

    def names(self) -> list[str]:
        """Return the names of all that is in it now, sorted; none where it does not exist yet."""

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        :raises FileNotFoundError: where it is not there
        """

    def create(self, name: str, content: bytes, ready: Callable[[], None] = ...) -> None:
        """Create a file whole, or not at all, and never over another one.

        :param ready: called when all that is left to do is to let the file appear
        :raises FileExistsError: where the name is taken
        :raises NotImplementedError: where the file system has no such thing; also `OSError`, `TypeError`, `ValueError`
        """

    def write_last_line(self, name: str, line: bytes) -> None:
        """Let a line be the last one of a file that is there; what was in it before may stay or go.

        A process that is killed loses nothing of it; a machine may, unlike what was created.
        """

    def delete(self, name: str) -> None:
        """Delete a file."""


def folder_at(path: StoragePath) -> Folder:
    """Return the folder at a path.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`; need not exist
    """
    local = local_path(path)
    if local is not None:
        return LocalFolder(local)
    remote: Any = path
    return ObjectFolder(remote.fs, remote.path)
