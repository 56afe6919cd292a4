# SPDX-License-Identifier: Apache-2.0
"""A folder of a journal on an object storage, or on any other file system that fsspec reaches."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable


class ObjectFolder:
    """See :class:`~airflow_provider_instasent.journal.folder.Folder`.

    Files are created by one request that the storage refuses where the name is taken: fsspec's `pipe_file` with
    `mode="create"`, a conditional PUT on S3 and Azure, a precondition on Google's storage. What a file system makes of
    it is tried out before it is relied upon (:mod:`~airflow_provider_instasent.journal.exclusive_probe`).

    :param file_system: of fsspec
    :param path: of the folder, as the file system writes it
    """

    remote: ClassVar[bool] = True

    def __init__(self, file_system: Any, path: str) -> None:
        self._file_system = file_system
        self._path = path.rstrip("/")

    def names(self) -> list[str]:
        """Return the names of all that is in it now, sorted; none where it does not exist yet."""
        # fsspec remembers listings, in which what another process has written since is missing.
        self._file_system.invalidate_cache(self._path)
        try:
            found = self._file_system.ls(self._path, detail=False)
        except (FileNotFoundError, NotADirectoryError):  # object storages know no empty directories
            return []
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        content: bytes = self._file_system.cat_file(self._at(name))
        return content

    def create(self, name: str, content: bytes, ready: Callable[[], None] = lambda: None) -> None:
        """Create a file whole, or not at all, and never over another one."""
        try:
            self._create(name, content, ready)
        except FileNotFoundError:
            self._make()
            self._create(name, content, ready)

    def _make(self) -> None:
        """Make the directory, which object storages do not need, but not a bucket: its name may be mistyped.

        :raises FileNotFoundError: where the bucket does not exist
        """
        bucket = self._path.partition("/")[0]  # empty where the path is absolute, and so in no bucket
        if bucket and not self._file_system.exists(bucket):
            raise FileNotFoundError(bucket)
        self._file_system.makedirs(self._path, exist_ok=True)

    def _create(self, name: str, content: bytes, ready: Callable[[], None]) -> None:
        if self._file_system.pipe_file.__module__ == "fsspec.spec":
            raise NotImplementedError("fsspec's own looks whether the file is there, and then writes it")
        ready()
        try:
            self._file_system.pipe_file(self._at(name), content, mode="create")
        except OSError as error:
            if _is_failed_precondition(error):
                raise FileExistsError(name) from error
            raise

    def write_last_line(self, name: str, line: bytes) -> None:
        """Let a line be the last one of a file: the only one."""
        self._file_system.pipe_file(self._at(name), line)

    def delete(self, name: str) -> None:
        """Delete a file."""
        self._file_system.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"


def _is_failed_precondition(error: OSError) -> bool:
    """Whether S3 answered 412: the one condition that is set is that the name is free.

    s3fs takes it for that only where the answer names the condition, as Amazon's does; those of other servers do not.

    :param error: by s3fs, made of botocore's, which has the answer
    """
    response = getattr(error.__cause__, "response", None)
    metadata = response.get("ResponseMetadata") if isinstance(response, dict) else None
    return isinstance(metadata, dict) and metadata.get("HTTPStatusCode") == HTTPStatus.PRECONDITION_FAILED
