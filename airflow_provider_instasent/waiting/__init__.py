# SPDX-License-Identifier: Apache-2.0
"""Is it final yet? Watches over messages, lookups and a balance; how they are fed; how a wait ends.

A watch knows no socket and no clock. In the order in which a status passes through::

    delivery_watch   lookup_watch    what is waited for, and the one rule for when it is over
    goal   balance                   the same for one thing that has to become true
    polling   poll_failures          what all of these know: when to ask again, and how much trouble is borne
    pace                             how fast a wait asks
    list_sweeps   sweeps             a sweep asks for all that is pending: by the list, or one by one
    wait_loop                        sweeps, pauses and the deadline, in a worker or on an event loop
    wait_progress                    what it says meanwhile
    wait_result   conclusion         how it ended: in counts, in words   (default_timeouts)
    results_file   trigger_size      what a wait takes over and leaves: a file of any size, or a trigger's arguments
"""
