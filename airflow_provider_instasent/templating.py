# SPDX-License-Identifier: Apache-2.0
"""What a template gives: text stays the text it is, in a DAG with native rendering too, and a list stays a list.

With `render_template_as_native_obj` Airflow reads whatever text a template gives as a Python literal, so that
"+34600000010" becomes a number, "1e5" a float and "'quoted'" loses its quotes. Nothing here ever does that.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, ClassVar

from jinja2 import Undefined
from jinja2.nativetypes import NativeCodeGenerator, NativeEnvironment
from jinja2.nodes import Impossible, TemplateData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment, Template

LIST_FIX = (
    "pass the upstream task's `.output`; or, on a DAG with `render_template_as_native_obj=True`, a template that is "
    "one expression and nothing else"
)
"""What to do where a template gave a list as text."""


def is_list_as_text(value: Any) -> bool:
    """Tell whether a value is a list, or a mapping, that a template gave as text.

    :param value: rendered
    """
    return isinstance(value, str) and value.lstrip().startswith(("[", "{")) and not is_template(value)


def is_template(value: Any) -> bool:
    """Tell whether a text is a template, not rendered yet."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


class Gives(Enum):
    """What a template of a field may give in a DAG with native rendering; in another one all of them give text.

    Each of them gives None, too, where the template is one expression without a value, or renders to nothing.
    """

    TEXT = "text"
    """Text, whatever the expression's type: for what is one word to us, such as a sender or a path."""
    LIST = "a list"
    """What one expression has as its value, where that is a collection, a float or a bool; all else as text."""
    CELL = "a collection"
    """For what stands in a collection of the author's: a collection, or else text, also where there is no value."""
    ANYTHING = "anything"
    """What one expression has as its value, of whatever type: for what is not read by us."""


class TemplatedFields:
    """What our operators, sensors and the notifier have of their own in rendering their template fields.

    It comes before Airflow's class among their bases.
    """

    template_gives: ClassVar[Mapping[str, Gives]] = {}
    """What templates of a field may give; text where it is not named."""
    none_is_text: ClassVar[bool] = False
    """Whether also an expression without a value gives text, `None`, as it does without native rendering."""

    _rendered: Gives = Gives.TEXT
    """What the field that is being rendered may give."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Without it Airflow takes its own constructor for that of an operator that has none, and its defaults with it.
        super().__init__(*args, **kwargs)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Render field by field; Airflow calls it for operators, mapped ones and notifiers, and for what they hold."""
        render = super()._do_render_template_fields  # type: ignore[misc]
        if parent is not self:
            render(parent, template_fields, context, jinja_env, seen_oids)
            return
        for name in template_fields:
            value = getattr(self, name)
            self._rendered = self.template_gives.get(name, Gives.TEXT)
            try:
                render(parent, (name,), context, jinja_env, seen_oids)
                if isinstance(value, str) and value and getattr(self, name) is value:
                    # A notifier of Airflow 2 keeps the template where that gives nothing.
                    setattr(self, name, self.render_template(value, context, jinja_env, seen_oids))
            finally:
                del self._rendered

    def render_template(
        self, content: Any, context: Any, jinja_env: Environment | None = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render a value and what it holds, as Airflow does, but never read text as a literal.

        :param content: text, or a collection of such
        :param context: what templates see
        :param jinja_env: the DAG's environment
        :param seen_oids: what is data, or was rendered already, and is left alone
        """
        if isinstance(content, str) and not content:
            return content  # to jinja's native rendering it is None
        environment: Any = self.get_template_env() if jinja_env is None else jinja_env  # type: ignore[attr-defined]
        # From Airflow 3.3 on an operator may differ from its DAG, whose environment it is handed nevertheless.
        own = getattr(self, "render_template_as_native_obj", None)
        if own is not None and own is not isinstance(environment, NativeEnvironment):
            environment = self.get_template_env()  # type: ignore[attr-defined]
        gives = self._rendered
        if gives is Gives.LIST and not isinstance(content, str):
            self._rendered = Gives.CELL  # what the author's collection holds is rendered one by one
        try:
            return super().render_template(content, context, _without_literals(environment), seen_oids)  # type: ignore[misc]
        finally:
            if self._rendered is not gives:
                self._rendered = gives

    def _render(self, template: Template, context: Any, dag: Any = None) -> Any:
        """Render one template; Airflow calls it for each text that it finds."""
        if not _reads_no_literals(template.environment):
            return super()._render(template, context, dag)  # type: ignore[misc]
        return _value_of(_parts(template, context), self._rendered, none_is_text=self.none_is_text)


class _CodeGenerator(NativeCodeGenerator):
    """Keeps an expression without variables apart, too, which jinja would merge into the text around it."""

    def _output_child_to_const(self, node: Any, frame: Any, finalize: Any) -> Any:
        if isinstance(node, TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise Impossible


def _without_literals(environment: Any) -> Any:
    """Return an environment that renders natively, but reads no text as a literal; another one as it is."""
    if not isinstance(environment, NativeEnvironment) or _reads_no_literals(environment):
        return environment
    made: Any = environment.overlay()
    made.code_generator_class = _CodeGenerator
    made.concat = _joined  # of macros and blocks
    return made


def _reads_no_literals(environment: Any) -> bool:
    return environment.code_generator_class is _CodeGenerator


def _parts(template: Template, context: Any) -> Iterator[Any]:
    """Yield what a template consists of, expressions as their values.

    The context is copied as Airflow copies it: a mapping of its own, which must not be read as a whole.
    """
    environment, seen = template.environment, copy.copy(context)
    for name, value in template.globals.items():
        if name not in seen:
            seen[name] = value
    try:
        yield from template.root_render_func(
            environment.context_class(environment, seen, template.name, template.blocks)
        )
    except Exception:  # noqa: BLE001 - jinja raises it again, with the template's lines in its traceback
        environment.handle_exception()


def _joined(parts: Iterable[Any]) -> Any:
    """Return the value of a macro or a block: that of its only part, or else their text."""
    parts = iter(parts)
    first = list(islice(parts, 2))
    return first[0] if len(first) == 1 else "".join(map(str, chain(first, parts)))


def _value_of(parts: Iterable[Any], gives: Gives, *, none_is_text: bool) -> Any:
    """Return what a template gives that consists of these parts."""
    found = list(parts)
    text = "".join(map(str, found))
    values = [part for part in found if not isinstance(part, str) or part.strip()]
    if none_is_text or (gives is Gives.CELL and values == [None]):
        return text
    if not found or values == [None]:
        return None
    if len(values) == 1 and _stays(values[0], gives):
        return values[0]
    return text


def _stays(value: Any, gives: Gives) -> bool:
    if gives is Gives.TEXT or isinstance(value, str | Undefined):
        return False
    if gives is Gives.ANYTHING:
        return True
    return isinstance(value, Iterable if gives is Gives.CELL else bool | float | Iterable) and not isinstance(
        value, os.PathLike
    )
