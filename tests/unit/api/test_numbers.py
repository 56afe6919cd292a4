# SPDX-License-Identifier: Apache-2.0
"""Phone numbers: E.164, what is refused, and masking."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api import schema
from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.numbers import PhoneNumber, mask, mask_in, normalise

MOBILE = PhoneNumber("+34600000001", "ES", valid=True, type_name="mobile")


class Index:
    """A whole number of another library."""

    def __index__(self):
        return 600000001


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ("+34600000001", None),
        ("+34 600 000 001", None),
        ("  +34-600-000-001 ", "GB"),
        ("tel:+34600000001", None),
        ("600000001", "ES"),
        ("600 000 001", "es"),
        (600000001, "ES"),
        (600000001.0, "ES"),
        (Index(), "ES"),
        (34600000001, "ES"),
        ("0034600000001", "ES"),
        ("0034600000001", None),
        ("0034600000001", "SG"),
        ("0034600000001", "US"),
        ("0034600000001", "GB"),
        ("+٣٤٦٠٠٠٠٠٠٠١", None),
        ("(+34) 600-000-001", None),
        ("'0034600000001", "ES"),
        (MOBILE, None),
    ],
)
def test_one_number_in_many_spellings(value, region):
    assert normalise(value, region) == MOBILE


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("+34912345678", PhoneNumber("+34912345678", "ES", valid=True, type_name="fixed_line")),
        ("+12125550123", PhoneNumber("+12125550123", "US", valid=True, type_name="fixed_line_or_mobile")),
        ("+447781123456", PhoneNumber("+447781123456", "GG", valid=True, type_name="mobile")),
        ("+34100000001", PhoneNumber("+34100000001", "ES", valid=False, type_name="unknown")),
        ("+12345678", PhoneNumber("+12345678", None, valid=False, type_name="unknown")),
        ("+80012345678", PhoneNumber("+80012345678", None, valid=True, type_name="toll_free")),
        ("+390236618300", PhoneNumber("+390236618300", "IT", valid=True, type_name="fixed_line")),
    ],
)
def test_possible_numbers_are_described_not_refused(value, expected):
    assert normalise(value) == expected


@pytest.mark.parametrize(
    "written", ["+44 (0)20 7946 0018", "+44(0)2079460018", "+44 20 7946 0018", "0044 (0) 20 79460018"]
)
def test_a_zero_that_is_dialled_at_home_only_is_left_out(written):
    assert normalise(written).e164 == "+442079460018"


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
@pytest.mark.parametrize("written", ["+0016492311234", "+016492311234", "+0918123456789", "+00224601123456"])
def test_a_plus_and_a_zero_are_no_country_code_anywhere(written, region):
    with pytest.raises(InvalidMessageError, match="no country code that exists"):
        normalise(written, region)


@pytest.mark.parametrize(
    ("value", "region", "said"),
    [
        ("600000001", None, "national format"),
        (34600000001, None, "national format"),
        ("+999600000001", None, "no country code that exists"),
        ("+034600000001", None, "no country code that exists"),
        ("+(0)34 600 000 001", None, "no country code that exists"),
        ("+3460000", None, "too short"),
        ("+346000000010", None, "too long"),
        ("6" * 15, "ES", "too long"),
        ("+34600000001.0", None, "decimal"),
        ("+39 (0) 3123456789", None, r"has a \(0\) that is no prefix in its country"),
        ("+34 (0) 600 000 001", None, "too long|no prefix in its country"),
    ],
)
def test_what_is_no_possible_number_is_refused(value, region, said):
    with pytest.raises(InvalidMessageError, match=said) as caught:
        normalise(value, region)
    assert caught.value.field == "to"
    digits = "".join(filter(str.isdigit, str(value)))
    assert len(digits) < 4 or digits not in "".join(filter(str.isdigit, str(caught.value)))


def test_a_number_without_country_says_how_to_mend_it():
    with pytest.raises(InvalidMessageError) as caught:
        normalise("600000001")
    assert "start with + and the country code, or set `default_region` on the connection" in str(caught.value)
    assert "600000001" not in str(caught.value)


@pytest.mark.parametrize("region", ["XX", "ESP", "Spain", "+34600000001"])
def test_an_unknown_default_region_is_an_error_of_its_own(region):
    with pytest.raises(InvalidMessageError) as caught:
        normalise("+34600000001", region)
    assert caught.value.field == "default_region"
    assert "600000001" not in str(caught.value)


def _examples():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                yield phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)


def test_the_example_of_every_country_and_type_agrees_with_libphonenumber_and_may_be_sent():
    examples = sorted(set(_examples()))
    assert len(examples) > 900
    for e164 in examples:
        number, parsed = normalise(e164), phonenumbers.parse(e164)
        assert number.e164 == e164
        assert number.valid == phonenumbers.is_valid_number(parsed)
        assert number.region == phonenumbers.region_code_for_number(parsed)
        schema.validate("lookup_request", {"to": e164})


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_two_zeros_are_a_plus_wherever_the_connection_is_at_home(region):
    for other in ("ES", "GH", "CO", "BR", "JP", "US"):
        example = phonenumbers.example_number_for_type(other, phonenumbers.PhoneNumberType.MOBILE)
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        assert normalise(f"00{e164[1:]}", region).e164 == e164


@settings(max_examples=2000, deadline=None, database=None)
@given(
    st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
    st.text("0123456789", min_size=2, max_size=17),
)
def test_any_number_is_possible_and_fits_the_schema_or_is_refused(country_code, rest):
    written = f"+{country_code}{rest}"
    try:
        number = normalise(written)
    except InvalidMessageError:
        assert not _is_possible(written) or not 6 <= len(written) - 1 <= 15
        return
    parsed = phonenumbers.parse(written)
    assert number.e164 == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert number.valid == phonenumbers.is_valid_number(parsed)
    assert number.region in {phonenumbers.region_code_for_number(parsed), None}
    assert normalise(number.e164).e164 == number.e164 or not number.valid
    schema.validate("lookup_request", {"to": number.e164})


def _is_possible(written):
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(written))
    except phonenumbers.NumberParseException:
        return False


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+34600000001", "+34•••••001"),
        ("+12125550123", "+12•••••123"),
        ("+491512345678901", "+49•••••901"),
        ("+346000000", "•••••"),
        ("600000001", "•••••"),
        ("34600000001", "•••••"),
        ("+34 600 000 001", "•••••"),
        ("+34600000001x", "•••••"),
        ("", "•••••"),
        (None, "•••••"),
        (34600000001, "•••••"),
    ],
)
def test_masking(number, masked):
    assert mask(number) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +34600000001 failed", "to +34•••••001 failed"),
        ("+34600000001,+34600000002", "+34•••••001,+34•••••002"),
        ("(+34 600 000 001)", "(+34•••••001)"),
        ("+34-600.000.001!", "+34•••••001!"),
        ("+1 (212) 555-0123", "+12•••••123"),
        ("?to=%2B34600000001&x", "?to=+34•••••001&x"),
        ("number 34600000001 unknown", "number ••••• unknown"),
        ("0034600000001", "•••••"),
        ('{"to":"600000001"}', '{"to":"•••••"}'),
        ("to_34600000001", "to_•••••"),
        ("+3460000", "•••••"),
        ("+34600000001abc", "+34•••••001abc"),
        ("at 2026-11-23T18:53:04Z", "at 2026-11-23T18:53:04Z"),
        ("ia-216b49a715c535a32ca3db62aad358c8cf1a", "ia-216b49a715c535a32ca3db62aad358c8cf1a"),
        ("HTTP 422: 3 of 100", "HTTP 422: 3 of 100"),
        ("+34•••••001", "+34•••••001"),
        ("", ""),
    ],
)
def test_masking_in_words_of_a_server(text, masked):
    assert mask_in(text) == masked


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.text(),
    st.text("0123456789", min_size=8, max_size=15),
    st.sampled_from(["+", " ", "='", "%2B"]),
    st.text(),
)
def test_no_number_survives_masking(before, digits, lead, after):
    if lead in {"+", "%2B"} or not after[:1].isalnum():
        assert digits not in mask_in(f"{before}{lead}{digits}{after}")


def test_a_number_shows_itself_masked():
    assert repr(MOBILE) == "PhoneNumber(+34•••••001, ES, valid=True, mobile)"
