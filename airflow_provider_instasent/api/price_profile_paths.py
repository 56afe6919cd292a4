# SPDX-License-Identifier: Apache-2.0
"""Where the price profiles are: the endpoints exist (confirmed), their paths are not published, hence settings."""

from __future__ import annotations

PRICE_PROFILE_PATHS = {"sms": "price-profile/sms", "lookup": "price-profile/lookup"}
"""Paths below the base URL, a guess."""


def path_of(kind: str) -> str:
    """Return the path that is tried where none is given.

    :param kind: `sms` or `lookup`
    :raises ValueError: for another kind
    """
    if kind not in PRICE_PROFILE_PATHS:
        raise ValueError(f"`kind` must be one of: {', '.join(PRICE_PROFILE_PATHS)}")
    return PRICE_PROFILE_PATHS[kind]


def setting_of(kind: str) -> str:
    """Return the name of the connection's extra that holds the path."""
    return f"price_profile_{kind}_path"


def advice(kind: str, path: str) -> str:
    """Return what a 404 means: most likely that the path is another one."""
    return (
        f"HTTP 404: there are no prices at the path `{path}` below the base URL. Instasent does not publish this path, "
        f"so it is a setting: put the one of your account into `{setting_of(kind)}` of the connection's extra"
    )
