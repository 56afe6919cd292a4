# SPDX-License-Identifier: Apache-2.0
"""Phone numbers: their E.164 form by libphonenumber, and the one way they are shown in logs and errors.

phonenumbers is loaded with the first number, not with this module: parsing a DAG must not pay for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.number_cells import number_of_cell

if TYPE_CHECKING:
    import phonenumbers

HIDDEN: Final = "•••••"
_FIX: Final = "start with + and the country code, or set `default_region` on the connection"
_LONGEST_COUNTRY_CODE: Final = 3

_MASKABLE = re.compile(r"\+\d{10,}")
# With a plus, digits may be grouped; without one only a plain run counts: dates and hexadecimal ids stay.
_NUMBER_LIKE = re.compile(
    r"(?:\+|%2B)\s?\(?\d(?:[\s.()/-]{0,2}\d){6,}|(?<![0-9A-Za-z])\d{8,}(?![0-9A-Za-z])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A number libphonenumber calls possible.

    :param e164: `+`, country code and number
    :param region: the ISO country, or None where it is unknown or the number belongs to no country
    :param valid: False where the number is possible but not assigned to any use in its country's plan
    :param type_name: `mobile`, `fixed_line`, `fixed_line_or_mobile`, `voip`, `premium_rate` …; `unknown` when
        not valid
    """

    e164: str
    region: str | None
    valid: bool
    type_name: str

    def __repr__(self) -> str:
        return f"PhoneNumber({mask(self.e164)}, {self.region}, valid={self.valid}, {self.type_name})"


def normalise(value: Any, default_region: str | None = None) -> PhoneNumber:
    """Return a number in E.164, with what libphonenumber knows of it.

    Refused is what :mod:`~airflow_provider_instasent.api.number_cells` takes for no number, and what libphonenumber
    calls impossible. Numbers that are possible but not valid are the caller's to count.

    :param value: a string, a whole number, or a result of this function, which is returned as it is
    :param default_region: the ISO country of numbers in national format
    :raises InvalidMessageError: where `to` is no possible number, or `default_region` no country
    """
    if isinstance(value, PhoneNumber):
        return value
    import phonenumbers  # noqa: PLC0415 - DAG parsing must not load it

    region = _checked_region(default_region)
    text = number_of_cell(value)
    number = _international(text)
    if number is not None:
        e164 = text
    else:
        number = _parsed(text, region)
        _check_left_out_zero(value, number, region)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # is_valid_number() is defined as a type other than UNKNOWN in the number's own region; what is valid is possible.
    kind = phonenumbers.number_type(number)
    if kind == phonenumbers.PhoneNumberType.UNKNOWN:
        _check_possible(number, e164)
    country = phonenumbers.region_code_for_number(number)
    return PhoneNumber(
        e164=e164,
        region=None if country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else country,
        valid=kind != phonenumbers.PhoneNumberType.UNKNOWN,
        type_name=_type_name(kind),
    )


def digits(number: Any) -> str:
    """Return a phone number's digits, for comparing spellings of it."""
    return "".join(character for character in str(number) if character.isdigit())


def mask(number: Any) -> str:
    """Return a number fit for a log: `+34•••••001`, or bullets alone unless it is E.164 of 10 digits up."""
    text = str(number)
    return f"{text[:3]}{HIDDEN}{text[-3:]}" if _MASKABLE.fullmatch(text) else HIDDEN


def mask_in(text: str) -> str:
    """Return a text with all that looks like a phone number masked; for words that come from a server."""
    return _NUMBER_LIKE.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    run = match.group()
    if run[0] == "%":
        run = run[3:]
    elif run[0] != "+":
        return HIDDEN
    return mask("+" + re.sub(r"\D", "", run))


def _check_possible(number: phonenumbers.PhoneNumber, e164: str) -> None:
    import phonenumbers  # noqa: PLC0415 - as above

    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason not in (
        phonenumbers.ValidationResult.IS_POSSIBLE,
        phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY,
    ):
        raise _impossible(mask(e164), phonenumbers.ValidationResult.to_string(reason))


def _international(text: str) -> phonenumbers.PhoneNumber | None:
    """Return a number that is in E.164 already, or None where libphonenumber has to take it apart.

    It takes a third of the time of planning to find that of a number in E.164 nothing is to be stripped.

    :param text: a `+`, if any, and digits
    """
    import phonenumbers  # noqa: PLC0415 - as above

    if text[0] != "+" or text[1] == "0":
        return None
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        code = int(text[1 : 1 + length])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            national = text[1 + length :]
            prefix = _national_prefix(code)
            if national[:1] in {"", "0"} or (prefix is not None and prefix.match(national)):
                return None
            return phonenumbers.PhoneNumber(country_code=code, national_number=int(national))
    return None


@cache
def _national_prefix(country_code: int) -> re.Pattern[str] | None:
    """Return what people of a country dial before a number at home, and write after its country code by mistake."""
    import phonenumbers  # noqa: PLC0415 - as above

    region = phonenumbers.region_code_for_country_code(country_code)
    plan = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    prefix = None if plan is None else plan.national_prefix_for_parsing
    return None if prefix is None else re.compile(prefix)


@cache
def _type_name(kind: int) -> str:
    import phonenumbers  # noqa: PLC0415 - as above

    return str(phonenumbers.PhoneNumberType.to_string(kind)).lower()


@cache
def _checked_region(default_region: str | None) -> str | None:
    import phonenumbers  # noqa: PLC0415 - as above

    if not default_region:
        return None
    region = str(default_region).strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidMessageError(
            "default_region",
            f"{mask_in(region)} is no ISO country with a numbering plan; give one such as ES",
        )
    return region


def _check_left_out_zero(value: Any, number: phonenumbers.PhoneNumber, region: str | None) -> None:
    """Refuse a `(0)`, which is dialled at home only, in a country whose numbers have it or do without it."""
    text = str(value)
    if "(0)" in text and number != _parsed(number_of_cell(text.replace("(0)", "", 1)), region):
        raise InvalidMessageError(
            "to", f"{HIDDEN} has a (0) that is no prefix in its country; write it as dialled abroad"
        )


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber:
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise _unreadable(text, error.error_type) from None


def _unreadable(text: str, error_type: int) -> InvalidMessageError:
    import phonenumbers  # noqa: PLC0415 - as above

    error = phonenumbers.NumberParseException
    shown = mask(text)
    if error_type == error.INVALID_COUNTRY_CODE:
        if text.startswith("+"):
            return InvalidMessageError("to", f"{shown} has no country code that exists; {_FIX}")
        return InvalidMessageError("to", f"{shown} is in national format and no country is known; {_FIX}")
    return _impossible(shown, "TOO_LONG" if error_type == error.TOO_LONG else "TOO_SHORT")


def _impossible(shown: str, reason: str) -> InvalidMessageError:
    why = reason.lower().replace("_", " ")
    return InvalidMessageError("to", f"{shown} is no possible phone number ({why}); check its digits, or {_FIX}")
