# SPDX-License-Identifier: Apache-2.0
"""Results as Markdown; each section of the document is replaced when it is measured anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Bar:
    """A number to hold.

    :param what: in words
    :param bar: the bar, in words
    :param measured: the number, in words
    :param held: whether it holds
    """

    what: str
    bar: str
    measured: str
    held: bool


@dataclass(frozen=True)
class Section:
    """What one benchmark found.

    :param title: heading
    :param text: how it was measured
    :param header: of the table
    :param rows: of the table
    :param bars: what had to be held
    :param more: further tables, each a header and its rows
    """

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[Bar] = field(default_factory=tuple)
    more: Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]] = field(default_factory=tuple)

    def markdown(self) -> str:
        """The section as Markdown."""
        parts = [f"## {self.title}", self.text]
        if self.rows:
            parts.append(table(self.header, self.rows))
        parts += [table(header, rows) for header, rows in self.more]
        if self.bars:
            held = [(bar.what, bar.bar, bar.measured, "yes" if bar.held else "**no**") for bar in self.bars]
            parts.append(table(("to hold", "bar", "measured", "held"), held))
        return "\n\n".join(parts)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def update(document: Path, name: str, markdown: str, command: str = "make bench") -> None:
    """Replace a section of a document, or add it at the end.

    :param document: the Markdown file
    :param name: between which marks it stands
    :param markdown: its new content
    :param command: which writes it
    """
    text = document.read_text() if document.exists() else ""
    begin, end = f"<!-- {name}: written by `{command}` -->", f"<!-- end of {name} -->"
    block = f"{begin}\n{markdown}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    found = pattern.search(text)
    before, after = (text[: found.start()], text[found.end() :]) if found else (f"{text.rstrip()}\n\n", "\n")
    text = before + block + after
    document.parent.mkdir(exist_ok=True)
    document.write_text(text.lstrip())
