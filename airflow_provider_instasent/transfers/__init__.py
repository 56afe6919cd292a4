# SPDX-License-Identifier: Apache-2.0
"""From elsewhere to SMS."""
