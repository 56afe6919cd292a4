# SPDX-License-Identifier: Apache-2.0
"""What a row is: a mapping, or one that cannot be read; of a file it knows its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]


class FileRow(dict[str, Any]):
    """A row of a file of lines.

    :ivar line: the number of the line on which it begins, from 1
    """

    __slots__ = ("line",)
    line: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read.

    :param reason: what is wrong with it, without its values
    :param line: of the file, from 1; None where it comes from no file of lines
    """

    reason: str
    line: int | None = None


Row = Values | BadRow


def on_line(row: Row) -> str:
    """Return on which line of its file a row begins, for the end of an error; nothing where it has none.

    :param row: any row
    """
    line = getattr(row, "line", None) if isinstance(row, FileRow | BadRow) else None
    return "" if line is None else f" (line {line})"
