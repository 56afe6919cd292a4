# SPDX-License-Identifier: Apache-2.0
"""A place for a journal whose files or keys a test takes away, puts back and exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.campaign import Values
from support.object_stores import ObjectPath, Store

from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

CAMPAIGN = "dag/run/task/-1"
KINDS = ("values", "path", "objects")


class Place:
    """A place that each try opens anew.

    :param kind: one of `KINDS`
    :param folder: an empty one
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self.values = Values()
        self.store = Store()

    def open(self, campaign: str = CAMPAIGN) -> Any:
        """The place as a new process finds it."""
        if self.kind == "values":
            return KeyValueSegments(self.values, campaign)
        return PathSegments(self._folder if self.kind == "path" else ObjectPath(self.store, "bucket/j"), campaign)

    def records(self, campaign: str = CAMPAIGN) -> list[str]:
        """What a new try reads."""
        return [record for records in self.open(campaign).read() for record in records]

    def write(self, *writes: list[str]) -> None:
        """What a try does that writes so often and ends."""
        store = self.open()
        list(store.read())
        for records in writes:
            store.append(records)
        store.close()

    def content(self) -> dict[str, Any]:
        """All that is kept, by name; in the order of segments."""
        if self.kind == "path":
            kept: dict[str, Any] = {
                str(path.relative_to(self._folder)): path.read_bytes() for path in self._folder.rglob("*.json*")
            }
        else:
            kept = dict(self.values.content if self.kind == "values" else self.store.objects)
        return dict(sorted(kept.items(), key=lambda item: (len(item[0]), item[0])))

    def segments(self) -> list[str]:
        """The names of the segments, in order."""
        return [name for name in self.content() if "head" not in name and "merged" not in name]

    def heads(self) -> list[str]:
        """The names of what tells how far the journal goes."""
        return [name for name in self.content() if "head" in name]

    def put(self, content: dict[str, Any]) -> None:
        """Write some of it anew."""
        if self.kind == "path":
            for name, value in content.items():
                (self._folder / name).write_bytes(value)
        else:
            (self.values.content if self.kind == "values" else self.store.objects).update(content)

    def lose(self, *names: str) -> None:
        """Take some of it away."""
        for name in names:
            if self.kind == "path":
                (self._folder / name).unlink()
            else:
                del (self.values.content if self.kind == "values" else self.store.objects)[name]


class ReadTogether:
    """A place that two live tries have read before either writes to it.

    :param segments: the place
    :param together: passed by each of them
    """

    def __init__(self, segments: Any, together: threading.Barrier) -> None:
        self._segments = segments
        self._together = together
        self.in_metadata_database = segments.in_metadata_database
        self.append, self.close = segments.append, segments.close

    def read(self) -> Iterator[list[str]]:
        yield from self._segments.read()
        self._together.wait(60)
