# SPDX-License-Identifier: Apache-2.0
"""Create a file whole, or not at all, and never over another one: on this machine or on any object storage."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_instasent.api.files import local_path

if TYPE_CHECKING:
    from pathlib import Path


class StoragePath(Protocol):
    """What `pathlib.Path` and Airflow's `ObjectStoragePath` share, and all that the journal needs of them."""

    @property
    def name(self) -> str:
        """Return the last part of the path."""

    def __truediv__(self, name: str) -> Any:
        """Return the path of something inside."""

    def mkdir(self, *, parents: bool = ..., exist_ok: bool = ...) -> None:
        """Create the directory."""

    def iterdir(self) -> Any:
        """List the directory."""

    def open(self, mode: str) -> Any:
        """Open the file."""

    def read_bytes(self) -> bytes:
        """Return the content of the file."""

    def unlink(self) -> None:
        """Delete the file."""


def create_exclusively(path: Any, content: bytes) -> None:
    """Create a file with this content, whole or not at all.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param content: what it will hold
    :raises FileExistsError: where the name is taken
    :raises OSError: where the file system has no hard links: nothing else makes a name appear with its whole content
    """
    local = local_path(path)
    if local is None:
        with path.open("xb") as stream:
            stream.write(content)
        return
    draft = local.with_name(f".{local.name}.{uuid.uuid4().hex}")
    try:
        _write_through(draft, content)
        os.link(draft, local)
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(local.parent)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
