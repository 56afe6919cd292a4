# SPDX-License-Identifier: Apache-2.0
"""Waiting for deliveries or a balance, in a worker or in the triggerer.

::

    message_ids        what users hand in as ids
    sms   account      the sensors
    memory             what a rescheduled one remembers between two pokes
    deferring          what both share: a deferral's timeout, `soft_fail` and `never_fail`
"""
