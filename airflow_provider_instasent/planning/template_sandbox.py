# SPDX-License-Identifier: Apache-2.0
"""Jinja's sandbox without what a later try would find changed: the clock, the local time zone, the order of sets.

Dates and times stay what they are, to be formatted, shifted and compared. Of what they offer, only the names below can
be used, whichever library they come from: what is not named may read the clock.
"""

from __future__ import annotations

import re
from datetime import date, time, tzinfo
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined
from jinja2.compiler import CodeGenerator
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_instasent.planning.row_values import (
    AS_THEY_ARE,
    NO_FUNCTIONS,
    MissingValue,
    UnsteadyError,
    derived,
    formattable,
    prepared,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2.compiler import Frame
    from jinja2.nodes import Concat
    from jinja2.runtime import Context

_TIMES = (date, time, tzinfo)
_NO_VALUES = (type, ModuleType)

_OF_THE_STANDARD_LIBRARY = (
    "year month day hour minute second microsecond fold tzinfo tzname utcoffset dst key "
    "date time timetz replace weekday isoweekday isocalendar toordinal timestamp timetuple utctimetuple "
    "strftime isoformat ctime astimezone"
)
_OF_PENDULUM = (
    "quarter day_of_week day_of_year week_of_month week_of_year days_in_month is_leap_year is_long_year "
    "timezone tz timezone_name name offset offset_hours get_offset is_utc is_dst int_timestamp float_timestamp "
    "set on at naive in_timezone in_tz add subtract start_of end_of next previous first_of last_of nth_of "
    "closest farthest average diff diff_for_humans is_same_day is_anniversary is_birthday format for_json "
    "to_date_string to_formatted_date_string to_time_string to_datetime_string to_day_datetime_string to_atom_string "
    "to_cookie_string to_iso8601_string to_rfc822_string to_rfc850_string to_rfc1036_string to_rfc1123_string "
    "to_rfc2822_string to_rfc3339_string to_rss_string to_w3c_string"
)
_OF_PANDAS_AND_PYTZ = (
    "nanosecond dayofweek dayofyear daysinmonth week weekofyear day_name month_name is_month_start is_month_end "
    "is_quarter_start is_quarter_end is_year_start is_year_end normalize floor ceil round "
    "tz_convert tz_localize to_pydatetime zone"
)
STEADY = frozenset(f"{_OF_THE_STANDARD_LIBRARY} {_OF_PENDULUM} {_OF_PANDAS_AND_PYTZ}".split())
"""Attributes of dates, times and time zones that depend on nothing but the value and what they are given."""

_ZONED = frozenset({"astimezone", "in_timezone", "in_tz", "replace", "set", "tz_convert", "tz_localize"})
_ZONE_NEEDED = frozenset({"astimezone", "in_timezone", "in_tz"})
_ZONE_OF_ITS_OWN = frozenset({"astimezone", "float_timestamp", "timestamp"})
"""They take a time without a zone for one of the machine's."""

_MEASURED_FROM_NOW = frozenset({"average", "diff", "diff_for_humans", "is_anniversary", "is_birthday"})
"""They compare with the present where they are given nothing to compare with."""

_LOCAL = frozenset({"local", "localtime", "posixrules", "tzlocal()"})
_LOCAL_SECONDS = re.compile(r"(?<!%)(?:%%)*%[-_0^#]*\d*[EO]?s")
"""`%s` of `strftime`: seconds that count from the epoch in the time zone of the process."""


NO_CLOCK = (
    "a row template has no clock, so that a retry renders the same: format dates and times (`strftime`), shift them "
    "(`+`, `add`, `subtract`) or compare them; what depends on the present belongs into a column or into `params`"
)
NO_LOCAL_ZONE = (
    "a row template has no clock and no local time zone, so that a retry renders the same on another worker: use times "
    'that have a zone, and name the wanted one, such as `in_timezone("Europe/Madrid")`'
)


_PRINTING = frozenset({"string", "format", "upper", "lower", "title", "capitalize", "trim", "center", "e", "escape"})
"""Filters of jinja that make text of any object."""


class _CodeGenerator(CodeGenerator):
    """Has `~` print as `{{ }}` does."""

    def visit_Concat(self, node: Concat, frame: Frame) -> None:  # noqa: N802 - jinja's name
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Columns:
    """A row whose attributes are its columns and nothing else."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        return value if type(value) in AS_THEY_ARE else prepared(value, name)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __str__(self) -> str:
        raise TypeError("a whole row is no text")


def _derives(made: Callable[..., Any], *, prints: bool) -> Callable[..., Any]:
    """Return a filter whose result can be printed no more than what it was made of.

    :param made: the filter
    :param prints: whether it makes text of whatever it is given
    """

    @wraps(made)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        return derived(made(*map(printable, args), **kwargs) if prints else made(*args, **kwargs))

    return filtered


class RowSandbox(ImmutableSandboxedEnvironment):
    """Where row templates are rendered."""

    code_generator_class = _CodeGenerator

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=printable)
        self.globals.clear()
        del self.filters["random"]
        self.filters = {name: _derives(made, prints=name in _PRINTING) for name, made in self.filters.items()}
        self.tests["none"] = lambda value: value is None or isinstance(value, MissingValue)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute; of a row a column, without a detour by its methods."""
        if type(obj) is not Columns or attribute.startswith("_"):
            return super().getattr(obj, attribute)
        try:
            return obj[attribute]
        except KeyError:
            return self.undefined(obj=obj, name=attribute)

    @staticmethod
    def joined(parts: Iterable[Any]) -> str:
        """Return what `~` joins, as text."""
        return "".join(str(printable(part)) for part in parts)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Tell whether an attribute may be used; called however a template comes to it.

        :raises UnsteadyError: where it may differ in another try
        """
        if type(obj) is Columns:
            return not attr.startswith("_")
        if not super().is_safe_attribute(obj, attr, value):
            return False
        if isinstance(obj, _TIMES):
            if attr not in STEADY:
                raise UnsteadyError(NO_CLOCK, attr)
            if attr in _ZONE_OF_ITS_OWN and getattr(obj, "tzinfo", None) is None:
                raise UnsteadyError(NO_LOCAL_ZONE, attr)
        elif isinstance(obj, _NO_VALUES) or isinstance(getattr(value, "__self__", None), type):
            raise UnsteadyError(NO_FUNCTIONS, attr)
        return True

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls.

        :raises UnsteadyError: where the result would differ in another try
        """
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, _TIMES):
            _check_call(obj.__name__, args, kwargs)
        elif (template := _format_of(obj)) is not None:
            if _asks_local_seconds((template, *args, *kwargs.values())):
                raise UnsteadyError(NO_LOCAL_ZONE, "%s")
            if obj.__name__ == "format":
                args, kwargs = tuple(map(formattable, args)), {key: formattable(one) for key, one in kwargs.items()}
        return derived(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon."""
        return derived(super().call_binop(context, operator, left, right))


def _check_call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse a method of a date or time that would ask the process what time it is, or where."""
    given = (*args, *kwargs.values())
    if name == "strftime" and _asks_local_seconds(given):
        raise UnsteadyError(NO_LOCAL_ZONE, name)
    if name in _ZONED and (any(map(_is_local, given)) or (name in _ZONE_NEEDED and (not given or given[0] is None))):
        raise UnsteadyError(NO_LOCAL_ZONE, name)
    if name in _MEASURED_FROM_NOW and (args[0] if args else kwargs.get("dt", kwargs.get("other"))) is None:
        raise UnsteadyError(NO_CLOCK, name)


def _format_of(called: object) -> str | None:
    """Return the text whose `format` is called: jinja wraps that method."""
    text = getattr(getattr(called, "__wrapped__", None), "__self__", None)
    return text if isinstance(text, str) else None


def _asks_local_seconds(formats: Iterable[object]) -> bool:
    return any(isinstance(one, str) and "s" in one and _LOCAL_SECONDS.search(one) for one in formats)


def _is_local(zone: object) -> bool:
    """Tell whether this names the time zone of the machine."""
    if not isinstance(zone, str):
        return False
    name = zone.strip().lower()
    return name in _LOCAL or name.startswith("dateutil")
