# SPDX-License-Identifier: Apache-2.0
"""What a look for messages in doubt came to, and in which words it is told why the list does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_instasent.api.endpoints import Entity


class Doubt(StrEnum):
    """Why the list does not tell whether a message was accepted."""

    UNDATED = "an identical one is in the list, and when it was created (createdAt) cannot be read"
    NO_ZONE = (
        "an identical one is in the list, and when it was created (createdAt) has no zone, so it may be an older one"
    )
    UNCERTAIN = "an identical one is in the list, and the clocks do not tell whether it is an older one"
    MISPLACED = "an identical one is in the list, at a place that belies its time"
    NOT_ECHOED = "an identical one without a clientId is in the list, where ours have theirs"
    AMBIGUOUS = "identical ones are in the list, and which is which cannot be told"
    ALTERED = "one with its clientId and a different text is in the list"
    BLANK = "the list has one that may be it, without its number, sender or text"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search came to.

    :param found: the SMS found, by the key of the message
    :param whole: whether the list was read to the edge of the time in question; what was not found may else be there
    :param doubted: messages that were not found and may be there all the same, by key, and why
    :param timeless: whether most SMS do not tell exactly when they were created, so that nothing says how far to read
    """

    found: Mapping[bytes, Entity]
    whole: bool
    doubted: Mapping[bytes, Doubt]
    timeless: bool = False
