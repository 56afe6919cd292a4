# SPDX-License-Identifier: Apache-2.0
"""Is it final yet? Watches over messages, lookups and a balance; how they are fed; how a wait ends.

A watch knows no socket and no clock. In the order in which a status passes through::

    delivery_watch   lookup_watch    what is waited for, and the one rule for when it is over
    goal   balance                   the same for one thing that has to become true
    polling   reading                what all of these know: when to ask again; what was read of a message
    poll_failures   read_trouble     how much trouble is borne: by a wait; by a reader with the list, with single reads
    accepted_times                   when its messages were accepted: where in the list to look for them
    subscription   pace              one wait at the reader of its account; when it looks again

    account_reader   reads           reads for all waits of an account together: what next, what came of it
    poll_budget                      how many requests a minute they make
    watched_messages                 whose messages they are, and which are due
    placed_messages   list_positions     those whose place in the list is known; on which page that is now
    list_reading   list_search   locating     which pages to read; the search for the others; how it goes about it
    shared_readers   lone_reader     who makes the requests: for all triggers of an event loop, for one task in a worker
    wait_loop                        the same for one thing that has to become true

    wait_progress                    what it says meanwhile
    wait_result   conclusion         how it ended: in counts, in words   (default_timeouts)
    results_file   trigger_size      what a wait takes over and leaves: a file of any size, or a trigger's arguments
"""
