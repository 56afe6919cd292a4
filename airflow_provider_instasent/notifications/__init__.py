# SPDX-License-Identifier: Apache-2.0
"""Alerts from callbacks.

::

    sms       the notifier
    text      what an alert says when nobody said it, and which alert it is
    alert     the messages it is sent as, and what the log says of it
"""
