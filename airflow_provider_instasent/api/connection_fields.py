# SPDX-License-Identifier: Apache-2.0
"""What the two fields are called that every client needs: in the connection's form, in the docs and in errors alike."""

from __future__ import annotations

from typing import Final

API_TOKEN: Final = "API token"  # noqa: S105 - the name of the field
"""The connection's `password`."""

BASE_URL_OR_HOST: Final = "Base URL or host"
"""The connection's `host`."""
