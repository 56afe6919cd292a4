# SPDX-License-Identifier: Apache-2.0
"""One world for the tests of this folder."""

from __future__ import annotations

import logging

import pytest
from model.subject import in_the_models_world
from model.world import World


@pytest.fixture(scope="module")
def world():
    """The model's world; while a test has it, the product reads its clock."""
    world = World()
    with in_the_models_world(world.clock):
        yield world
    world.wire.close()


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
