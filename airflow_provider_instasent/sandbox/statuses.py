# SPDX-License-Identifier: Apache-2.0
"""What becomes of a message is told by the last three digits of its number.

========  ==================================================================================
digits    what happens
========  ==================================================================================
…901      ``failed``
…902      ``error``
…903      ``expired``
…904      ``rejected`` (accepted by the API, rejected by the network)
…905      ``canceled``
…906      ``unpaid``
…907      ``unknown``
…908      stays ``sent`` for ever
…909      ``teleported``: a status word nobody has documented
…910      accepted, but never visible: reading it answers 404 and no list shows it
…911      delivered, spelled ``" DELIVERED "``
…912      ``cancelled``, with two l
…913      stays ``enqueued`` for ever
…920      the API rejects it: alone 422 (or 400, as set), in bulk as an item of ``errors``
…921      the API rejects it: alone always 400 with a ``message``, in bulk as an item of ``errors``
…922      the API refuses the whole call with a 400 that names no item, alone and in bulk
…931      lookup says absent; an SMS ends ``failed``
…932      lookup says ported; an SMS is delivered
…933      lookup says landline; an SMS ends ``rejected``
others    ``delivered``; lookup says a live mobile
========  ==================================================================================

The status words and which of them are final are C; the codes and the times in between are made up (U).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .settings import Settings


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to messages and lookups of a number.

    :param final: the last status of an SMS
    :param code: its ``statusCode``
    :param refusal: how the API refuses it: not, as an item, always with a 400, or with the whole call
    :param visible: whether it can be read and listed
    :param line: what a lookup finds
    """

    final: str = "delivered"
    code: str = "000"
    refusal: Literal["", "item", "item_400", "call"] = ""
    visible: bool = True
    line: Literal["mobile", "absent", "ported", "landline"] = "mobile"


DELIVERED = Fate()

FATES: dict[str, Fate] = {
    "901": Fate("failed", "101"),
    "902": Fate("error", "102"),
    "903": Fate("expired", "103"),
    "904": Fate("rejected", "104"),
    "905": Fate("canceled", "105"),
    "906": Fate("unpaid", "106"),
    "907": Fate("unknown", "107"),
    "908": Fate("sent", "001"),
    "909": Fate("teleported", "109"),
    "910": Fate(visible=False),
    "911": Fate(" DELIVERED "),
    "912": Fate("cancelled", "105"),
    "913": Fate("enqueued", "001"),
    "920": Fate("rejected", refusal="item"),
    "921": Fate("rejected", refusal="item_400"),
    "922": Fate("rejected", refusal="call"),
    "931": Fate("failed", "131", line="absent"),
    "932": Fate(line="ported"),
    "933": Fate("rejected", "133", line="landline"),
}


def fate_of(to: str) -> Fate:
    """What is bound to happen to a number.

    :param to: the number, E.164
    """
    return FATES.get(to[-3:], DELIVERED)


def status_at(to: str, age: float, settings: Settings) -> str:
    """The status of a message to a number at an age.

    :param to: the number, E.164
    :param age: seconds since it was accepted
    :param settings: for ``sent_after`` and ``final_after``
    """
    fate = fate_of(to)
    if age < min(settings.sent_after, settings.final_after) or fate.final == "enqueued":
        return "enqueued"
    return fate.final if age >= settings.final_after else "sent"
