# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a durable run.

::

    InstasentError
    └── CampaignError
        ├── PlanError                   a bad row, a bound exceeded, or another plan than before: nothing was sent
        ├── RejectedError               the API rejected more than `max_rejected_ratio` allows
        ├── JournalError
        │   ├── JournalCorruptError     what is stored is not what was written
        │   ├── JournalForeignError     it belongs to another campaign
        │   ├── JournalMissingError     an earlier try may have sent, and its journal is gone
        │   ├── JournalConflictError    another live try is writing the same journal
        │   ├── JournalStoreError       the place cannot hold a journal
        │   └── JournalWriteError       a write failed: sending has ended
        └── StoppedError                somebody asked this try to stop
"""

from __future__ import annotations

from airflow_provider_instasent.api.errors import InstasentError


class CampaignError(InstasentError):
    """Base of the errors of a durable run."""


class PlanError(CampaignError):
    """The plan is not one to send: a bad row, a bound exceeded, or another plan than an earlier try's."""


class RejectedError(CampaignError):
    """The API rejected more messages than the user allows; everything was tried."""


class JournalError(CampaignError):
    """The journal cannot be used as it is."""


class JournalCorruptError(JournalError):
    """What is stored is not what was written; nothing was sent by this try."""


class JournalForeignError(JournalError):
    """The journal belongs to another campaign; nothing was sent by this try."""


class JournalMissingError(JournalError):
    """The task was cleared and its journal is empty, so what earlier tries sent is not known; nothing was sent."""


class JournalConflictError(JournalError):
    """Another live try writes the same journal; this one stops."""


class JournalStoreError(JournalError):
    """The place cannot hold a journal, for example because it cannot create a file exclusively."""


class JournalWriteError(JournalError):
    """A journal write failed, so sending ended at once; the next try continues from what was written."""


class StoppedError(CampaignError):
    """This try was asked to stop; what was in flight is recorded or will be looked for by the next try."""
