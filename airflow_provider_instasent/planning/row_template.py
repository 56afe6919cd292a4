# SPDX-License-Identifier: Apache-2.0
"""The row template: a text with `{{ row.name }}` in it, rendered the same in every try.

It sees `row` and what `VARIABLES` names; not the task instance, variables, connections or the clock, by which way ever
it is asked for. Values of a row are inserted, never themselves rendered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, meta

from airflow_provider_instasent.api.errors import ConfigurationError, InvalidMessageError
from airflow_provider_instasent.planning.column_names import listed
from airflow_provider_instasent.planning.row_values import MissingValueError, NoTextError, UnsteadyError
from airflow_provider_instasent.planning.template_sandbox import Columns, RowSandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("params", "run_id", "data_interval_start", "data_interval_end")
"""What a row template sees of the task's context, beside `row`."""

_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-f]+>", re.IGNORECASE)
"""How an object that is no text prints: with where it is in this process."""

_DEFAULT = 'leave such rows out, or say what takes its place: {{ row.name | default("customer") }}'

_BAD_ROWS = (TemplateError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a template may raise over the values of one row."""


class RowTemplate:
    """A compiled row template.

    :param source: the text, with `{{ row.column }}` in it
    :param values: what it sees beside `row`, by the names of `VARIABLES`
    :raises ConfigurationError: where it is no template
    """

    def __init__(self, source: str, values: Mapping[str, Any]) -> None:
        self._source = source
        try:
            self._template = RowSandbox().from_string(source)
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"`text` is no template: {error.message} (line {error.lineno})") from None
        self._values = dict(values)

    def render(self, row: Mapping[str, Any]) -> str:
        """Return the text for a row.

        :raises InvalidMessageError: where a column is missing or cannot be used so
        """
        try:
            text = self._rendered({**self._values, "row": Columns(row)})
            if "<" in text and _ADDRESS.search(text):
                raise NoTextError("an object")
        except UnsteadyError as error:
            raise InvalidMessageError("text", self._told(error)) from None
        except MissingValueError as error:
            raise InvalidMessageError(
                "text", f"the template uses a value that is missing in this row{self._missing(error)}; {_DEFAULT}"
            ) from None
        except UndefinedError as error:
            missing = self._missing(error)
            raise InvalidMessageError("text", f"the template names what is not there{missing}; {listed(row)}") from None
        except NoTextError as error:
            raise InvalidMessageError(
                "text", f"the template inserts {error.kind}, which is no text, number or date"
            ) from None
        except _BAD_ROWS as error:
            raise InvalidMessageError(
                "text", f"the template fails for this row ({type(error).__name__}); {listed(row)}"
            ) from None
        return text

    def _rendered(self, names: dict[str, Any]) -> str:
        """Render as `Template.render` of jinja does, but for globals, of which there are none, and its tracebacks."""
        template, environment = self._template, self._template.environment
        context = environment.context_class(environment, names, template.name, template.blocks)
        return "".join(template.root_render_func(context))

    def _told(self, error: UnsteadyError) -> str:
        """Say what the template asks for, where the template has it: it may be out of the row."""
        return f"{error.reason} (`{error.name}`)" if error.name and error.name in self._source else error.reason

    def _missing(self, error: UndefinedError) -> str:
        """Return the name jinja misses, where the template has it: jinja's own message may show the row."""
        message = str(error.message or "")
        name = message.rpartition("attribute ")[2] if "attribute" in message else message.partition(" is undefined")[0]
        name = name.strip("'\" ")
        return f": {name[:60]}" if name and name in self._source else ""


def asks_for_row(source: str) -> bool:
    """Tell whether a template that is none of rows asks for `row`; False also where it is no template at all.

    :param source: the text of the template
    """
    try:
        return "row" in meta.find_undeclared_variables(RowSandbox().parse(source))
    except TemplateError:
        return False
