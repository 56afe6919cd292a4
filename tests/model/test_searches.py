# SPDX-License-Identifier: Apache-2.0
"""A few sequences of each search, always the same ones.

`make model` makes thousands, and shortens one that breaks the promise: `make model MODEL='--only clocks'`.
"""

from __future__ import annotations

import pytest
from model.drawing import CHOICES, FOCI, Drawing
from model.search import search

SEQUENCES = 10


@pytest.mark.parametrize("focus", FOCI)
def test_no_sequence_breaks_the_promise(world, focus):
    found = search(world, Drawing(FOCI[focus], CHOICES), examples=SEQUENCES, shorten=False)

    assert found is None, found
    assert world.sequences >= SEQUENCES
