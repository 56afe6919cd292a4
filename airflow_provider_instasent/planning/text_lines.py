# SPDX-License-Identifier: Apache-2.0
"""The lines of a text file in whichever encoding it has: decided on its first block, and held to until its end.

UTF-8 proves itself, for hardly any other text is valid UTF-8, and UTF-16 by its byte order mark. An encoding of one
byte a character reads anything as something, so it is taken only where the user says so.
"""

from __future__ import annotations

import codecs
import io
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.planning.file_format import AUTO

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_BLOCK = 64 * 1024
"""Bytes on which is decided how a file is written."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BYTE_ORDER_MARK = "\ufeff"


class TextFile:
    """A text file whose encoding is known.

    :param stream: at its beginning
    :param name: the parameter it comes from, for errors
    :param encoding: what the user says, or `auto`
    :raises ConfigurationError: where it is in none that can be told, or not in the one it is said to be in
    """

    def __init__(self, stream: io.BufferedReader, name: str, encoding: str) -> None:
        self._stream = stream
        self._name = name
        block = stream.peek(FIRST_BLOCK)
        self.encoding = _encoding_of(block, name, encoding)
        self.beginning = _complete_lines(block, self.encoding)
        self._has_lines_of_bytes = self.encoding == "utf-8" or not self.encoding.startswith("utf")
        if b"\r" in block and b"\n" not in block:  # as Excel writes them on a Mac
            self._has_lines_of_bytes = False

    def __iter__(self) -> Iterator[str]:
        """Yield its lines, each with its end.

        :raises ConfigurationError: where one is not in this encoding
        """
        number = 0
        try:
            for number, line in enumerate(self._lines(), 1):
                yield line if number > 1 else line.removeprefix(_BYTE_ORDER_MARK)
        except UnicodeError:
            where = "on" if self._has_lines_of_bytes else "not before"
            raise ConfigurationError(
                f"`{self._name}` is not {self.encoding.upper()}, {where} line {number + 1}: save it as UTF-8, or say "
                'what it is in with `encoding`, such as "cp1252" for files of Windows'
            ) from None

    def _lines(self) -> Iterator[str]:
        if not self._has_lines_of_bytes:
            text = io.TextIOWrapper(self._stream, encoding=self.encoding, newline="")
            try:
                yield from text
            finally:
                with suppress(ValueError):  # whoever opened the stream closes it, or has
                    text.detach()
            return
        encoding, is_said = self.encoding, _is_of_one_byte(self.encoding)
        for number, line in enumerate(self._stream, 1):  # decoded one by one: it is known which of them cannot be
            if is_said and not line.isascii() and _is_utf8(line):
                raise _not_as_said(
                    self._name, encoding, f"line {number} is valid UTF-8, whose letters would be garbled"
                )
            yield line.decode(encoding)


@contextmanager
def text_file(path: Any, name: str, encoding: str) -> Iterator[TextFile]:
    """Open a text file.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param name: the parameter it comes from, for errors
    :param encoding: what the user says, or `auto`
    :raises ConfigurationError: as of :class:`TextFile`
    :raises OSError: where it cannot be read
    """
    # Airflow wraps the files of object storages in something that can be read, and neither peeked into nor iterated.
    with io.BufferedReader(path.open("rb"), FIRST_BLOCK) as stream:
        yield TextFile(stream, name, encoding)


def _encoding_of(block: bytes, name: str, wanted: str) -> str:
    marked = next((encoding for mark, encoding in _MARKS if block.startswith(mark)), None)
    if wanted == AUTO:
        if marked is None and b"\0" in block:
            raise ConfigurationError(
                f"`{name}` is no UTF-8: if it is UTF-16 without a byte order mark, say so with `encoding`, such as "
                '"utf-16-le"'
            )
        return marked or "utf-8"
    encoding = codecs.lookup(wanted).name
    if marked is not None and not encoding.startswith(marked):
        raise _not_as_said(name, wanted, f"it begins with the byte order mark of {marked.upper()}")
    if marked is None and encoding in {"utf-16", "utf-32"}:
        raise _not_as_said(name, wanted, f'it has no byte order mark; say which it is, such as "{encoding}-le"')
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _not_as_said(name: str, wanted: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f'`{name}` is not in the `encoding` "{wanted}": {why}; leave `encoding` out to have it told'
    )


def _is_of_one_byte(encoding: str) -> bool:
    """Tell whether an encoding has a character for each byte, so that it reads anything."""
    every = bytes(range(256))
    return not encoding.startswith("utf") and len(every.decode(encoding, "replace")) == len(every)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _complete_lines(block: bytes, encoding: str) -> list[str]:
    """Return the lines that are whole in a first block; what cannot be read is for the reading proper to tell."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(block).removeprefix(_BYTE_ORDER_MARK)
    lines = list(io.StringIO(text, newline=""))
    return lines[:-1] if len(lines) > 1 and len(block) >= FIRST_BLOCK else lines
