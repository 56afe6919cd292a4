# SPDX-License-Identifier: Apache-2.0
"""What did earlier tries intend and learn? The write-ahead record of a campaign, and where it is kept.

In the order in which a record passes through, written by one try and read by the next::

    events             what a record says: listed, intended, settled, noted
    journal            writes a record before what it announces happens
    stale_intents      again where the first time is too long ago
    journal_thread     on a thread that no signal interrupts
    segment_store      to where it is kept:
    key_value_store   folder_store     keys of Airflow's task state store, or files that only one try can create
    witnessed_store     of which the former know that it has begun
    segment_format   merged_files     each with the digest of the one before; copied, many in one
    folder_heads     how far the files go at least, whatever is lost behind
    exclusive_probe     whether the place lets one try alone create a file
    folder   local_folder   object_folder     the place, on this machine or on an object storage
    replay             takes the events back
    roster             into where each message stands: the one place that knows the transitions
    stopping           how a try ends early, with time to record
    errors             what can go wrong with a durable run
"""
