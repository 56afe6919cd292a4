# SPDX-License-Identifier: Apache-2.0
"""The bytes of an answer's body, as they come in: never more than fit into memory, however they are compressed."""

from __future__ import annotations

import zlib
from typing import Final

LARGEST_BODY: Final = 16 * 1024 * 1024
"""Bytes of a body that are read, as they come and unpacked; a page of a hundred SMS has 60,000."""

READ_AT_ONCE: Final = 65_536

_ANY_WRAPPER: Final = 32 + zlib.MAX_WBITS
"""Has zlib find out itself whether a stream is of gzip or zlib."""

_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})


class BodyError(ValueError):
    """A body that cannot be taken: too large, cut short, or packed in a way that nobody asked for."""


class Body:
    """Collects a body.

    :param encoding: the header `Content-Encoding`; empty for none
    :raises BodyError: where it is neither gzip nor deflate: no other was asked for
    """

    def __init__(self, encoding: str = "") -> None:
        packed = encoding.strip().lower()
        if packed not in {"", "identity", *_PACKED}:
            raise BodyError("the answer is packed in a way that nobody asked for")
        self._unpack = zlib.decompressobj(_ANY_WRAPPER) if packed in _PACKED else None
        self._parts: list[bytes] = []
        self._came = 0
        self._size = 0

    def take(self, part: bytes) -> None:
        """Take the next bytes.

        :raises BodyError: where they are too many, or no gzip or deflate
        """
        self._came += len(part)
        if self._unpack is not None:
            part = self._unpacked(part)
        self._size += len(part)
        if max(self._came, self._size) > LARGEST_BODY:
            raise BodyError(f"the answer is larger than {LARGEST_BODY // 1024 // 1024} MiB")
        self._parts.append(part)

    def whole(self) -> bytes:
        """Return all bytes.

        :raises BodyError: where gzip or deflate has not come to its end
        """
        if self._unpack is not None and self._came and not self._unpack.eof:
            raise BodyError("the answer was cut short")
        return b"".join(self._parts)

    def _unpacked(self, part: bytes) -> bytes:
        if self._unpack is None or self._unpack.eof:
            return b""
        try:
            # One byte more than is taken tells that there is too much.
            return self._unpack.decompress(part, LARGEST_BODY - self._size + 1)
        except zlib.error:
            raise BodyError("the answer was cut short") from None
