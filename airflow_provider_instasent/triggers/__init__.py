# SPDX-License-Identifier: Apache-2.0
"""Waiting in the triggerer: polls only, never sends.

::

    sms   lookup   account     deliveries, lookups, the balance: each yields one event
    reading                    how they wait: at the one reader of an account
    events                     from the end of a wait to an event, and from there to a result or a failure
"""
