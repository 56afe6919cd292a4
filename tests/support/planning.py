# SPDX-License-Identifier: Apache-2.0
"""An operator as far as planning asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class OnlyInputs:
    """What the bulk operator is given of rows."""

    messages: Any = None
    recipients: Any = None
    suppress: Any = None
    to_column: str = "to"
    delimiter: str = "auto"
    encoding: str = "auto"
