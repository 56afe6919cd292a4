# SPDX-License-Identifier: Apache-2.0
"""The rows of data frames: of pandas, polars and pyarrow, none of which is imported here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_ROWS_AT_ONCE = 2_000


def _of_pandas(frame: Any) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        yield from frame.iloc[start : start + _ROWS_AT_ONCE].to_dict("records")


def _of_polars(frame: Any) -> Iterator[Mapping[str, Any]]:
    yield from frame.iter_rows(named=True)


def _of_arrow(table: Any) -> Iterator[Mapping[str, Any]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _types(frame: Any) -> list[tuple[Any, str]]:
    return [(name, _spoken(kind)) for name, kind in zip(frame.columns, frame.dtypes, strict=True)]


def _spoken(kind: Any) -> str:
    """Return the name of a column's type; of pandas' categories with that of what they are made of."""
    return f"{kind} {getattr(getattr(kind, 'categories', None), 'dtype', '')}".strip()


_Rows = Callable[[Any], Iterator[Mapping[str, Any]]]
_KINDS: dict[tuple[str, str], tuple[_Rows, Callable[[Any], list[tuple[Any, str]]]]] = {
    ("pandas", "DataFrame"): (_of_pandas, _types),
    ("polars", "DataFrame"): (_of_polars, _types),
    ("pyarrow", "Table"): (_of_arrow, lambda table: [(field.name, str(field.type)) for field in table.schema]),
}


def is_data_frame(value: Any) -> bool:
    """Tell whether a value is a data frame, which Python would iterate over by its columns."""
    return _kind_of(value) is not None


def columns_of_frame(frame: Any) -> list[tuple[Any, str]]:
    """Return the names of a data frame's columns, each with its type's."""
    return _KINDS[_known(frame)][1](frame)


def rows_of_frame(frame: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a data frame, a few thousand at a time."""
    return _KINDS[_known(frame)][0](frame)


def _known(frame: Any) -> tuple[str, str]:
    kind = _kind_of(frame)
    if kind is None:
        raise TypeError(f"{type(frame).__name__} is no data frame")
    return kind


def _kind_of(value: Any) -> tuple[str, str] | None:
    for base in type(value).__mro__:
        kind = (base.__module__.partition(".")[0], base.__name__)
        if kind in _KINDS:
            return kind
    return None
