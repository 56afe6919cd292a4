# SPDX-License-Identifier: Apache-2.0

"""Tests that take minutes; `make test` leaves this folder out."""

from __future__ import annotations


def pytest_configure(config):
    config.addinivalue_line("markers", "scale: a campaign of a million messages; takes minutes")
