# SPDX-License-Identifier: Apache-2.0
"""Files on `pathlib.Path` and Airflow's `ObjectStoragePath` alike."""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.numbers import mask

if TYPE_CHECKING:
    from collections.abc import Iterator


_LOCAL_PROTOCOLS = frozenset({"", "file", "local"})


_CREDENTIALS = re.compile(r"(?<=://)[^/?#]*:[^/?#]*@")
"""A user name with a password in front of a host; a name alone may be that of an Airflow connection."""

_WEB_CREDENTIALS = re.compile(r"(?<=^http://)[^/?#]*@|(?<=^https://)[^/?#]*@", re.IGNORECASE)
_NUMBER = re.compile(r"\+\d{6,}")
_LONGEST_PATH = 300


def shown_path(path: Any) -> str:
    """Return a path as its author wrote it, fit for logs and errors: without what signs somebody in.

    :param path: a string, a `pathlib.Path` or an `ObjectStoragePath`
    """
    text = " ".join(str(path).split())
    if "://" in text:
        text = _WEB_CREDENTIALS.sub("", _CREDENTIALS.sub("", text))
        text = re.split(r"[?#]", text, maxsplit=1)[0]  # where a signed URL has its signature
    text = _NUMBER.sub(lambda found: mask(found.group()), text)
    return text if len(text) <= _LONGEST_PATH else text[: _LONGEST_PATH - 1] + "…"


def local_path(path: Any) -> Path | None:
    """Return a path of this machine's own file system, or None where it is on an object storage.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    """
    protocol = getattr(path, "protocol", None)
    if protocol is None:
        return path if isinstance(path, Path) else None
    # An `ObjectStoragePath`; on Airflow 2.11 it calls itself a `pathlib.Path`, wherever it leads.
    return Path(path.path) if protocol in _LOCAL_PROTOCOLS else None


@contextmanager
def replacing(path: Any) -> Iterator[Any]:
    """Open a file for writing that appears whole or not at all.

    A local one is written beside and renamed; one on an object storage is uploaded once it is complete.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :raises OSError: where it cannot be written
    """
    local = local_path(path)
    if local is None:
        with tempfile.TemporaryFile() as draft:
            yield draft
            draft.seek(0)
            with path.open("wb") as stream:
                shutil.copyfileobj(draft, stream)
        return
    local.parent.mkdir(parents=True, exist_ok=True)
    beside = local.with_name(f".{local.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(local)
    finally:
        beside.unlink(missing_ok=True)


def lines_of(path: Any) -> Iterator[bytes]:
    """Yield the lines of a file.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :raises OSError: where it cannot be read
    """
    # Airflow wraps the files of object storages in something that can be read but not iterated over.
    with io.BufferedReader(path.open("rb")) as stream:
        yield from stream
