# SPDX-License-Identifier: Apache-2.0
"""The API's words made fit for our logs and errors: one line, shortened, numbers masked, message texts left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.numbers import mask_in

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST_DETAIL = 300


def brief(said: Any, hide: Collection[str] = ()) -> str:
    """Return words of the server fit for a log: one line, shortened, phone numbers masked.

    :param said: a string, or a list or object of strings
    :param hide: message texts that must not be repeated
    """
    line = _one_line(said)
    for text in sorted(hide, key=len, reverse=True):  # a text may hold another one
        line = line.replace(" ".join(text.split()) or text, "(text)") if text else line
    line = mask_in(line)
    return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 1] + "…"


def _one_line(said: Any) -> str:
    if isinstance(said, dict):
        return "; ".join(f"{key}: {_one_line(value)}" for key, value in said.items())
    if isinstance(said, list):
        return ", ".join(_one_line(item) for item in said)
    return " ".join(str(said).split())
