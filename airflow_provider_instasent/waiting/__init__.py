# SPDX-License-Identifier: Apache-2.0
"""Is it final yet? Watches over messages, lookups and a balance; the sweeps that feed them; how a wait ends."""
