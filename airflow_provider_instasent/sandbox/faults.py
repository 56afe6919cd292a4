# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: one-shot or with a seeded probability, before or after the request was acted on.

What can go wrong is U, but for the statuses tagged C.

==================  ===========================================================================
name                what happens
==================  ===========================================================================
``cut_before``      the connection is closed without an answer; nothing was accepted
``cut_after``       the same, but the request was acted on
``timeout_before``  no answer for ``seconds``, then the connection is closed; nothing was accepted
``timeout_after``   the same, but the request was acted on
``error_before``    ``status`` (503) with ``body``; nothing was accepted
``error_after``     the same, but the request was acted on
``status_after``    the usual body under ``status``; the request was acted on
``redirect_after``  302 to ``body``, or to ``/elsewhere``; the request was acted on
``raw``             ``body`` as it is in place of a response, then the connection is closed; acted on
``drip_head``       a response head without end, a byte each ``seconds``; acted on
``drip_body``       a head, then a body without end, a byte each ``seconds``; acted on
``endless_head``    header lines without end, as fast as they are taken; acted on
``huge``            the usual body, then white space, ``size`` bytes in all; acted on
``huge_gzip``       the same, compressed; acted on
``gzip``            the usual body, compressed; acted on
``html_before``     200 with an HTML page; nothing was accepted
``html``            the usual status with an HTML page; the request was acted on
``truncated``       half of the body, then the connection is closed; acted on
``truncated_json``  half of the JSON as a complete response; acted on
``empty``           the usual status without a body; acted on
``item_missing``    one entity is left out of the answer; acted on
``shuffled``        the entities come in another order; acted on
``without_id``      the entities have no ``id``; acted on
``same_id``         the entities all have the ``id`` of the first; acted on
``fields``          each entity has ``fields`` too, or in place of its own; acted on
``raw_fields``      the same, half surrogates as bytes in place of escapes; acted on
``rate_limited``    429 with an empty body (C), reset ``seconds`` from now; refused
``no_funds``        402 with an empty body (C); refused
``unauthorized``    401 with an empty body (C); refused
``forbidden``       403 with an empty body (C); refused
``not_found``       404 with an empty body (C); refused
``too_large``       413 with an empty body (C); refused
``redirect``        302 to ``body``, or to ``/elsewhere``; refused
``poll_fails``      503 on reads and lists only
==================  ===========================================================================
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, get_args

from .endpoint_names import READS, EndpointName

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSALS = {
    "rate_limited": 429, "no_funds": 402, "unauthorized": 401, "forbidden": 403, "not_found": 404,
    "too_large": 413, "redirect": 302,
}  # fmt: skip
BEFORE = {"cut_before", "timeout_before", "error_before", "html_before", "poll_fails", *REFUSALS}
AFTER = {
    "cut_after", "timeout_after", "error_after", "status_after", "redirect_after",
    "html", "truncated", "truncated_json", "empty",
    "item_missing", "shuffled", "without_id", "same_id", "fields", "raw_fields",
    "raw", "drip_head", "drip_body", "endless_head", "huge", "huge_gzip", "gzip",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to happen, to which requests, how often.

    :param name: one of the names in the table above
    :param endpoint: which requests: an endpoint's name or ``any``
    :param times: how many requests are hit before the fault is used up; None for no end
    :param skip: how many matching requests pass first
    :param probability: how likely a matching request is hit, 0 to 1; None for certainly
    :param seed: makes the probability repeatable
    :param seconds: how long ``timeout_*`` hold the connection; for ``rate_limited``, how far the reset is; for
        ``drip_*``, how long each byte takes
    :param status: the status of ``error_*`` and ``status_after``
    :param body: the body of ``error_*`` and of the refusals; the target of ``redirect*``; all that ``raw`` sends
    :param reset: whether ``cut_*`` close with a TCP reset rather than an orderly end
    :param size: bytes of ``huge`` and, unpacked, of ``huge_gzip``
    :param headers: more headers of the answer, such as ``Retry-After``
    :param fields: what ``fields`` and ``raw_fields`` put into each entity
    :raises ValueError: for a value that does not fit
    """

    name: str
    endpoint: EndpointName | str = "any"
    times: int | None = 1
    skip: int = 0
    probability: float | None = None
    seed: int | None = None
    seconds: float = 30.0
    status: int = 503
    body: str = ""
    reset: bool = False
    size: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in BEFORE | AFTER:
            raise ValueError(f"unknown fault {self.name!r}; there are: {', '.join(sorted(BEFORE | AFTER))}")
        if self.endpoint not in ("any", *get_args(EndpointName)):
            raise ValueError(f"unknown endpoint {self.endpoint!r}; there are: any, {', '.join(get_args(EndpointName))}")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError("a fault's probability is between 0 and 1")
        if self.times is not None and self.times < 1:
            raise ValueError("a fault's times is 1 or more, or nothing for no end")
        if self.skip < 0 or self.seconds < 0:
            raise ValueError("a fault's skip and seconds are not negative")

    @property
    def before(self) -> bool:
        """Whether it strikes before the request is acted on."""
        return self.name in BEFORE

    def concerns(self, endpoint: EndpointName) -> bool:
        """Whether it is meant for requests to an endpoint."""
        if self.name == "poll_fails" and endpoint not in READS:
            return False
        return self.endpoint in ("any", endpoint)

    @property
    def refusal(self) -> int:
        """The status it answers with before the request is acted on."""
        if self.name == "html_before":
            return 200
        return REFUSALS.get(self.name.removesuffix("_after"), self.status)

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it redirects."""
        return self.name.startswith("redirect")


@dataclass(slots=True)
class _Armed:
    fault: Fault
    skip: int
    left: int | None
    dice: random.Random = field(repr=False)

    def strikes(self) -> bool:
        if self.skip:
            self.skip -= 1
            return False
        if self.fault.probability is not None and self.dice.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The faults that are armed. The first armed one that matches a request strikes it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault) -> None:
        """Arm a fault behind those already armed.

        :param fault: what is to happen
        """
        dice = random.Random(fault.seed)  # noqa: S311  # repeatable, not secret
        with self._lock:
            self._armed.append(_Armed(fault, fault.skip, fault.times, dice))

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed.clear()

    def strike(self, endpoint: EndpointName) -> Fault | None:
        """The fault that hits a request now, None for none.

        :param endpoint: the endpoint it goes to
        """
        if not self._armed:
            return None
        with self._lock:
            struck = next((one for one in self._armed if one.fault.concerns(endpoint) and one.strikes()), None)
            self._armed = [one for one in self._armed if one.left != 0]
            return None if struck is None else struck.fault

    def listed(self) -> list[dict[str, Any]]:
        """The armed faults, with what is left of each."""
        with self._lock:
            return [
                {"name": one.fault.name, "endpoint": one.fault.endpoint, "left": one.left, "skip": one.skip,
                 "probability": one.fault.probability}
                for one in self._armed
            ]  # fmt: skip
