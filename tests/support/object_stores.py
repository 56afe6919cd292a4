# SPDX-License-Identifier: Apache-2.0
"""Object storages in memory, as fsspec shows them, each with its own idea of creating a file exclusively."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem

EXCLUSIVE = "exclusive"
LOOKS = "looks"
LAST_WINS = "last wins"
OVERWRITES = "overwrites"
WITHOUT = "without"
UNREACHABLE = "unreachable"


class Store(AbstractFileSystem):
    """What several processes share, each of which would have a file system like this one.

    :param creation: what mode `create` does: `EXCLUSIVE`, as conditional writes do; look whether the file is there and
        write it after a while (`LOOKS`); tell all but one that it is there, and keep what the last of them wrote
        (`LAST_WINS`); `OVERWRITES`; or there is no such mode (`WITHOUT`), or no network (`UNREACHABLE`)
    :param delay: seconds between a look and the write
    :param answers_lost: creations that take place and are answered as if the file had been there before, as a client
        sees it that repeats a request whose answer was lost
    """

    cachable = False
    protocol = "objects"

    def __init__(self, creation: str = EXCLUSIVE, delay: float = 0.0, answers_lost: int = 0) -> None:
        super().__init__()
        self.creation = creation
        self.delay = delay
        self.answers_lost = answers_lost
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.listed: dict[str, list[str]] = {}

    def ls(self, path: str, detail: bool = True, **_: Any) -> Any:
        """List a prefix; remembers what it found, as those of the large clouds do."""
        prefix = f"{path.rstrip('/')}/"
        if prefix not in self.listed:
            self.requests.append(("list", path))
            with self.lock:
                rests = {name.removeprefix(prefix) for name in self.objects if name.startswith(prefix)}
            self.listed[prefix] = sorted({prefix + rest.split("/")[0] for rest in rests})
        if not self.listed[prefix]:
            raise FileNotFoundError(path)
        assert not detail
        return self.listed[prefix]

    def exists(self, path: str, **_: Any) -> bool:
        return any(name == path or name.startswith(f"{path}/") for name in self.objects)

    def invalidate_cache(self, path: str | None = None) -> None:
        self.listed.clear()

    def cat_file(self, path: str, *_: Any, **__: Any) -> bytes:
        self.requests.append(("get", path))
        with self.lock:
            if path not in self.objects:
                raise FileNotFoundError(path)
            return self.objects[path]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        if mode == "create":
            self.commit(path, value)
        else:
            self.put(path, value)

    def rm_file(self, path: str) -> None:
        self.requests.append(("delete", path))
        with self.lock:
            del self.objects[path]

    def put(self, path: str, value: bytes) -> None:
        """Write an object, whatever is there."""
        self.requests.append(("put", path))
        with self.lock:
            self.objects[path] = value

    def commit(self, path: str, value: bytes) -> None:
        """Create a file, in this store's way."""
        if self.creation == WITHOUT:
            raise NotImplementedError("create")
        if self.creation == UNREACHABLE:
            raise ConnectionResetError
        taken = path in self.objects
        if self.creation == EXCLUSIVE:
            with self.lock:
                taken = path in self.objects
                if not taken:
                    self.objects[path] = value
        elif self.creation != LOOKS or not taken:
            time.sleep(self.delay)
            taken = self.creation == LAST_WINS and path in self.objects
            self.objects[path] = value
        self.requests.append(("put", path))
        if not taken and self.answers_lost:
            self.answers_lost -= 1
            taken = True
        if taken:
            raise FileExistsError(path)


@dataclass
class ObjectPath:
    """A path of a store, with what Airflow's `ObjectStoragePath` offers of it."""

    fs: Store
    path: str
    protocol: str = "objects"

    def __truediv__(self, name: str) -> ObjectPath:
        return ObjectPath(self.fs, f"{self.path}/{name}")
