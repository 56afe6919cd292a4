# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what a campaign costs, side by side with other ways to send, against a sandbox on loopback."""
