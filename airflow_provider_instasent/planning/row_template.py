# SPDX-License-Identifier: Apache-2.0
"""The row template: a text with `{{ row.name }}` in it, rendered the same in every try.

It sees `row` and what `VARIABLES` names; not the task instance, variables, connections or the clock. Values of a row
are inserted, never themselves rendered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_instasent.api.errors import ConfigurationError, InvalidMessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("params", "run_id", "data_interval_start", "data_interval_end")
"""What a row template sees of the task's context, beside `row`."""


class _Columns:
    """A row whose attributes are its columns and nothing else."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __str__(self) -> str:
        raise TypeError("a whole row is no text")


class RowTemplate:
    """A compiled row template.

    :param source: the text, with `{{ row.column }}` in it
    :param values: what it sees beside `row`, by the names of `VARIABLES`
    :raises ConfigurationError: where it is no template
    """

    def __init__(self, source: str, values: Mapping[str, Any]) -> None:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_printable)
        environment.globals.clear()
        del environment.filters["random"]  # another try must render the same
        self._source = source
        try:
            self._template = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"`text` is no template: {error.message} (line {error.lineno})") from None
        self._values = dict(values)

    def render(self, row: Mapping[str, Any]) -> str:
        """Return the text for a row.

        :raises InvalidMessageError: where a column is missing or cannot be used so
        """
        try:
            return self._template.render(self._values, row=_Columns(row))
        except UndefinedError as error:
            missing = self._missing(error)
            raise InvalidMessageError("text", f"the template names what is not there{missing}") from None
        except _NothingError:
            raise InvalidMessageError("text", "the template inserts a value that is null in this row") from None
        except (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise InvalidMessageError("text", f"the template fails for this row ({type(error).__name__})") from None

    def _missing(self, error: UndefinedError) -> str:
        """Return the name jinja misses, where the template has it: jinja's own message may show the row."""
        message = str(error.message or "")
        name = message.rpartition("attribute ")[2] if "attribute" in message else message.partition(" is undefined")[0]
        name = name.strip("'\" ")
        return f": {name[:60]}" if name and name in self._source else ""


class _NothingError(Exception):
    """The template prints a null."""


def _printable(value: Any) -> Any:
    """Let pass what reads as text and the same in every try."""
    if value is None:
        raise _NothingError
    if callable(value) and not isinstance(value, Undefined):
        raise TypeError("a function is no text")
    return value
