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


def line_of(row: Row) -> int | None:
    """Return on which line of its file a row begins, from 1; None where it comes from no file of lines.

    :param row: any row
    """
    return getattr(row, "line", None) if isinstance(row, FileRow | BadRow) else None


def on_line(line: int | None) -> str:
    """Return a row's line for an error, behind what tells which row it is; nothing where it has none.

    :param line: of its file, from 1
    """
    return "" if line is None else f" (line {line})"
