# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests."""

from __future__ import annotations

from support.sandbox import sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]
