# SPDX-License-Identifier: Apache-2.0
"""What to do about bad rows, changed rows, and outcomes that stay unconfirmed."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from airflow_provider_instasent.api.errors import ConfigurationError


class Policy(StrEnum):
    """A choice that a user names."""

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the choice a user named.

        :raises ConfigurationError: where there is no such choice
        """
        try:
            return cls(str(value).strip())
        except ValueError:
            known = ", ".join(f'"{choice}"' for choice in cls)
            raise ConfigurationError(f"`{cls.parameter()}` must be one of {known}") from None

    @classmethod
    def check(cls, value: object) -> None:
        """Check a choice while a DAG is parsed, unless it is a template.

        :raises ConfigurationError: where there is no such choice
        """
        if isinstance(value, str) and "{{" not in value and "{%" not in value:
            cls.of(value)

    @classmethod
    def parameter(cls) -> str:
        """Return the parameter's name: `OnInvalid` is `on_invalid`."""
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__).lstrip("_")


class OnUnconfirmed(Policy):
    """`fail` ends the task without retry, `resend` sends again with the same clientId, `skip` leaves it out.

    Absence from the list proves nothing, so `resend` can text twice where the list lags longer than the grace; `fail`
    and `skip` cannot.
    """

    FAIL = "fail"
    RESEND = "resend"
    SKIP = "skip"


class OnInvalid(Policy):
    """`fail` sends nothing at all when a row is bad, `skip` leaves bad rows out."""

    FAIL = "fail"
    SKIP = "skip"


class OnPlanChange(Policy):
    """What to do where an earlier try had another set of messages.

    `fail` sends nothing and reports; `continue` sends only to numbers to which this campaign has no accepted or
    unconfirmed message.
    """

    FAIL = "fail"
    CONTINUE = "continue"
