# SPDX-License-Identifier: Apache-2.0
"""Countries by the prefixes of their numbers; the few that the sandbox knows."""

from __future__ import annotations

_COUNTRIES = {
    "1": "US", "31": "NL", "32": "BE", "33": "FR", "34": "ES", "351": "PT", "39": "IT", "41": "CH",
    "43": "AT", "44": "GB", "49": "DE", "52": "MX", "54": "AR", "55": "BR", "56": "CL", "57": "CO",
}  # fmt: skip


def country_of(to: str) -> str | None:
    """The ISO country of a number's prefix, for the few countries the sandbox knows.

    :param to: the number, E.164
    """
    return _COUNTRIES.get(to[1:4]) or _COUNTRIES.get(to[1:3]) or _COUNTRIES.get(to[1:2])


def countries() -> list[str]:
    """The ISO countries that price profiles list, sorted."""
    return sorted(_COUNTRIES.values())
