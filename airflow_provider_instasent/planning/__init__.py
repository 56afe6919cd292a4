# SPDX-License-Identifier: Apache-2.0
"""Which messages do these rows make? Sources, row template, checks, the plan on disk, changed rows."""
