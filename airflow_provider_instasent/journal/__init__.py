# SPDX-License-Identifier: Apache-2.0
"""What did earlier tries intend and learn? The write-ahead record of a campaign, and where it is kept."""
