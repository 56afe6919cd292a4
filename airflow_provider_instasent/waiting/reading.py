# SPDX-License-Identifier: Apache-2.0
"""What a wait has read of one message: its status in a word, and the code beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.server_words import brief
from airflow_provider_instasent.api.statuses import DeliveryStatus, is_known, normalise_status

if TYPE_CHECKING:
    from collections.abc import Mapping

UNREAD = "unread"
"""The status, ours, of a message that was not read yet."""

NO_STATUS = "no_status"
"""The status, ours, of what was read and told none."""

LONGEST_WORD = 40
"""Characters of a status word that nobody has documented, after which it is cut."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one message.

    :param status: the API's word, normalised; ours where it gave none
    :param code: the API's `statusCode`, passed on and never branched on
    """

    status: str = UNREAD
    code: str | None = None

    @property
    def is_told(self) -> bool:
        """Whether it is the API that told it."""
        return self.status not in _OURS

    def __str__(self) -> str:
        return self.status if self.code is None else f"{self.status} (code {self.code})"


NOT_FOUND_YET = Reading("not found yet")
"""What is said of a message that the API does not know, while that may still be lag."""

_OURS = frozenset({UNREAD, DeliveryStatus.NOT_FOUND.value, NOT_FOUND_YET.status})


def reading_of(entity: Mapping[str, object]) -> Reading:
    """Return what an SMS entity tells of its status (inferred: `status`, `statusCode`).

    :param entity: as the API sent it
    """
    word, code = normalise_status(entity.get("status")), entity.get("statusCode", entity.get("code"))
    if not is_known(word):
        word = brief(word)[:LONGEST_WORD] or NO_STATUS
    return Reading(word, None if code in (None, "") else brief(code)[:LONGEST_WORD])
