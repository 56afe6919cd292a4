# SPDX-License-Identifier: Apache-2.0
"""How a file of rows is written, as far as the user says it: `delimiter` and `encoding` of a CSV."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from airflow_provider_instasent.api.errors import ConfigurationError

AUTO = "auto"
_NO_DELIMITERS = frozenset("\"\r\n\ufeff '")


@dataclass(frozen=True, slots=True)
class FileFormat:
    """What the user says of a CSV.

    :param delimiter: one character, or `auto` for whichever of `,` `;` `|` and a tab the file begins with
    :param encoding: a name that Python knows, or `auto` for UTF-8, and UTF-16 with a byte order mark
    :raises ConfigurationError: names the parameter that is wrong
    """

    delimiter: str = AUTO
    encoding: str = AUTO

    def __post_init__(self) -> None:
        if self.delimiter != AUTO and (
            not isinstance(self.delimiter, str) or len(self.delimiter) != 1 or self.delimiter in _NO_DELIMITERS
        ):
            raise ConfigurationError('`delimiter` must be one character, such as ";" or "\\t", or "auto"')
        if self.encoding != AUTO and not _is_encoding(self.encoding):
            raise ConfigurationError('`encoding` must be one that Python knows, such as "cp1252", or "auto"')


def _is_encoding(name: object) -> bool:
    try:
        return isinstance(name, str) and "a".encode(codecs.lookup(name).name) != b""
    except (LookupError, ValueError):  # unknown, or no encoding of text
        return False
