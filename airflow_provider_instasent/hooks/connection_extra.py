# SPDX-License-Identifier: Apache-2.0

"""The fields of an `instasent` connection's extra, declared once.

The connection form is declared both ways from here: `conn-fields` and `ui-field-behaviour` in the provider info
(Airflow 3.2 and later) and the hook's classmethods (before). The hook reads the extra by the same declarations.
Imports nothing heavy, because Airflow loads the provider info at each start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_instasent.api.connection_fields import API_TOKEN, BASE_URL_OR_HOST
from airflow_provider_instasent.api.price_profile_paths import PRICE_PROFILE_PATHS

CONNECTION_TYPE = "instasent"
HOOK_NAME = "Instasent"

ValueType = Literal["string", "boolean", "integer", "number"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the extra.

    :param name: its key
    :param label: what the form calls it
    :param value_type: its JSON type; forms may deliver it as a string all the same
    :param description: a line of help
    :param choices: the allowed values, or none for any
    :param default: what the form shows and the hook takes where it is unset
    :param of_client: whether it is a setting of the clients, under the same name; the hook uses the others itself
    """

    name: str
    label: str
    value_type: ValueType
    description: str
    choices: tuple[str, ...] = ()
    default: str | None = None
    of_client: bool = False

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema; without `null` among the types Airflow's form would ask for a value."""
        schema: dict[str, Any] = {"type": [self.value_type, "null"]}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.default is not None:
            schema["default"] = self.default
        return schema


EXTRA_FIELDS: tuple[Field, ...] = (
    Field(
        "api",
        "API",
        "string",
        f"Which of Instasent's APIs the {API_TOKEN} is for; its base URL is used where {BASE_URL_OR_HOST} is empty",
        ("legacy", "transactional"),
        "legacy",
    ),
    Field(
        "sender",
        "Default sender",
        "string",
        "Who messages come from, unless a task says otherwise: at most 11 characters, or 15 without a letter",
    ),
    Field(
        "default_region",
        "Default region",
        "string",
        "The country, in two letters such as ES, of numbers that are written without + and country code",
    ),
    Field(
        "allow_unicode",
        "Allow Unicode",
        "boolean",
        "Send emoji and letters outside the SMS alphabet as they are; an SMS with some holds 70 characters, not 160",
    ),
    Field(
        "connect_timeout",
        "Connect timeout",
        "number",
        "How many seconds to wait for a connection to the API; 5 if empty",
        of_client=True,
    ),
    Field(
        "read_timeout",
        "Read timeout",
        "number",
        "How many seconds to wait for an answer of the API; 30 if empty",
        of_client=True,
    ),
    Field(
        "max_in_flight",
        "Requests at once",
        "integer",
        "How many requests a task may have open at the same time; 8 if empty",
        of_client=True,
    ),
    Field(
        "max_polls_per_minute",
        "Status reads a minute",
        "integer",
        "The most requests a minute by all waiting tasks of a process; a quarter of the rate limit if empty",
    ),
    Field(
        "ca_bundle",
        "CA bundle",
        "string",
        "Path of a file (PEM) or folder with the certificate authorities to trust, such as your company's; the usual "
        "ones if empty",
        of_client=True,
    ),
    Field(
        "allow_http",
        "Allow http://",
        "boolean",
        f"Allow http:// to other machines, without encryption. Whoever listens on the way learns the {API_TOKEN}",
        of_client=True,
    ),
    Field(
        "price_profile_sms_path",
        "SMS price path",
        "string",
        "Where the prices of SMS are, below the base URL. Instasent does not publish it: this is a guess",
        default=PRICE_PROFILE_PATHS["sms"],
    ),
    Field(
        "price_profile_lookup_path",
        "Lookup price path",
        "string",
        "Where the prices of lookups are, below the base URL. Instasent does not publish it: this is a guess",
        default=PRICE_PROFILE_PATHS["lookup"],
    ),
)

HIDDEN_FIELDS = ("login",)
RELABELING = {"password": API_TOKEN, "host": BASE_URL_OR_HOST}
PLACEHOLDERS = {
    "host": "empty for Instasent; a sandbox: http://127.0.0.1:8700",
    "schema": f"empty for https, and where {BASE_URL_OR_HOST} starts with http",
    # The Test button of Airflow 3.3.2 sends 0 where no port is stored, and refuses that as another one than the stored.
    "port": "0, or a host's port; Airflow 3.3 cannot test without one",
    "password": "the token alone, without the word Bearer",
}


def conn_fields() -> dict[str, dict[str, Any]]:
    """Return the provider info's `conn-fields`."""
    return {
        field.name: {"label": field.label, "description": field.description, "schema": field.schema()}
        for field in EXTRA_FIELDS
    }


def widgets() -> dict[str, Any]:
    """Return the form's wtforms fields by name.

    :raises ImportError: where wtforms or Flask-AppBuilder is not installed, as Airflow expects
    """
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget  # type: ignore[import-not-found]
    from flask_babel import lazy_gettext  # type: ignore[import-not-found]
    from wtforms import BooleanField, IntegerField, StringField  # type: ignore[import-untyped]
    from wtforms.validators import Optional, any_of  # type: ignore[import-untyped]

    made: dict[str, Any] = {}
    for field in EXTRA_FIELDS:
        label, description = lazy_gettext(field.label), field.description
        if field.value_type == "boolean":
            made[field.name] = BooleanField(label, description=description)
            continue
        validators = [Optional()] + ([any_of(list(field.choices))] if field.choices else [])
        # Airflow's form knows no field for decimal numbers.
        make = IntegerField if field.value_type == "integer" else StringField
        made[field.name] = make(
            label,
            validators=validators,
            description=description,
            default=field.default,
            widget=BS3TextFieldWidget(),
        )
    return made
