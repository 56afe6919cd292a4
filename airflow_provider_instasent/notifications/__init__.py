# SPDX-License-Identifier: Apache-2.0
"""Alerts from callbacks.

::

    sms                  the notifier
    callback_context     what a callback's context tells, on any Airflow
    text                 what an alert says when nobody said it
    shortening           cut to the parts it may take
    identity             which alert it is, so that it goes out under one clientId
    alert                the messages it is sent as, how they are sent, and what the log says of it
"""
