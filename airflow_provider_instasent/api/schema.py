# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of every payload: strict for what we send, lenient for what we get.

The schemas are packaged data (`schemas/*.json`, draft 2020-12), each fact tagged C confirmed, I inferred or
U unknown. This module alone knows jsonschema, and loads it with the first validation: importing it is free.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_instasent.api.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    Errors = Iterable[ValidationError]


@functools.cache
def load(name: str) -> Mapping[str, Any]:
    """Return a schema with the schemas it refers to put in their places.

    :param name: the file's name without `.json`, e.g. `send_request`
    :raises FileNotFoundError: where there is no such schema
    """
    file = resources.files("airflow_provider_instasent.api") / "schemas" / f"{name}.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    return {key: _inlined(value) for key, value in schema.items() if key not in {"$schema", "$id"}}


def validate(name: str, payload: Any) -> None:
    """Check a payload against a schema.

    :param name: the schema, e.g. `bulk_request`
    :param payload: decoded JSON
    :raises PayloadError: where it does not match; says the path and the rule, never the value
    """
    quick, exact = _compiled(name)
    if quick.is_valid(payload):
        return
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - loaded with the first validation

    error = best_match(exact.iter_errors(payload))
    if error is not None:
        raise PayloadError(name, error.json_path, _rule(error))


def _inlined(node: Any) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return load(node["$ref"].removesuffix(".json"))
        return {key: _inlined(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_inlined(item) for item in node]
    return node


def _rule(error: ValidationError) -> str:
    """Name the broken rule in the schema's words; jsonschema's own message repeats the value."""
    rule: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        rule = [name for name in rule if name not in instance]
    elif error.validator == "additionalProperties":
        schema: Any = error.schema
        rule = list(schema["properties"])
    return f"{error.validator}: {json.dumps(rule, ensure_ascii=False)}"


@functools.cache
def _compiled(name: str) -> tuple[Validator, Validator]:
    """Return a validator that is quick to say yes, and jsonschema's own to say what is wrong."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - loaded with the first validation
    from jsonschema.validators import extend  # noqa: PLC0415 - as above

    keywords = {
        "properties": _properties,
        "items": _items,
        "type": _type,
        "minLength": _min_length,
        "maxLength": _max_length,
        "pattern": _pattern,
        "required": _required,
        "additionalProperties": _additional_properties,
    }
    quick: Any = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]  # theirs has no types
    quick.is_type = _is_type
    return quick(load(name)), Draft202012Validator(load(name))


# What JSON has a Python type of its own for; numbers, which are none or several, are jsonschema's to tell.
_PLAIN = {"string": str, "object": dict, "array": list}


def _is_type(validator: Validator, instance: Any, name: str) -> bool:
    """Tell a value's type; each keyword asks, and jsonschema's own answer takes five times as long."""
    plain = _PLAIN.get(name)
    if plain is not None:
        return isinstance(instance, plain)
    return bool(validator.TYPE_CHECKER.is_type(instance, name))


# These say yes or no only, and return at once: jsonschema's are generators, and ask for the type of each value again.


def _type(validator: Validator, types: Any, instance: Any, _schema: Any) -> Errors:
    if isinstance(types, str):
        return () if _is_type(validator, instance, types) else _no()
    return () if any(_is_type(validator, instance, name) for name in types) else _no()


def _min_length(_validator: Validator, least: int, instance: Any, _schema: Any) -> Errors:
    return _no() if isinstance(instance, str) and len(instance) < least else ()


def _max_length(_validator: Validator, most: int, instance: Any, _schema: Any) -> Errors:
    return _no() if isinstance(instance, str) and len(instance) > most else ()


def _pattern(_validator: Validator, pattern: str, instance: Any, _schema: Any) -> Errors:
    return _no() if isinstance(instance, str) and _compiled_pattern(pattern).search(instance) is None else ()


_compiled_pattern = functools.cache(re.compile)


def _required(_validator: Validator, names: Sequence[str], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                return _no()
    return ()


def _additional_properties(_validator: Validator, allowed: Any, instance: Any, schema: Any) -> Errors:
    if allowed is not False or "patternProperties" in schema:
        raise NotImplementedError("none of our schemas asks for that")
    return _no() if isinstance(instance, dict) and instance.keys() - schema.get("properties", {}).keys() else ()


def _no() -> Errors:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - loaded with the first validation

    return (ValidationError("is not so"),)


# jsonschema builds a validator for each value it descends to, half of its time on a batch. These two keywords
# keep what each subschema asks; they leave out the paths, so they serve for a yes or no only.
_kept: dict[int, tuple[Any, list[tuple[Callable[..., Errors], Any]]]] = {}


def _properties(validator: Validator, properties: Mapping[str, Any], instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name, subschema in properties.items():
            if name in instance and (errors := _errors_of(validator, subschema, instance[name])):
                return errors
    return ()


def _items(validator: Validator, subschema: Any, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, list):
        for item in instance:
            if errors := _errors_of(validator, subschema, item):
                return errors
    return ()


def _errors_of(validator: Validator, subschema: Any, instance: Any) -> Errors:
    """Return the first errors of a value, none where it is valid."""
    # What is kept holds its subschema, so the identity cannot be taken by another one.
    kept = _kept.get(id(subschema))
    if kept is None:
        known: Any = validator.VALIDATORS
        checks = [(_at_once(known[name]), rule) for name, rule in subschema.items() if name in known]
        kept = _kept[id(subschema)] = (subschema, checks)
    for check, rule in kept[1]:
        if errors := check(validator, rule, instance, subschema):
            return errors
    return ()


def _at_once(check: Callable[..., Errors | None]) -> Callable[..., Errors]:
    """Return a keyword's check that returns its errors: jsonschema's own yield them."""
    if check.__module__ == __name__:
        return cast("Callable[..., Errors]", check)
    return lambda *args: tuple(check(*args) or ())
