# SPDX-License-Identifier: Apache-2.0
"""From elsewhere to SMS.

::

    sql_to_sms             a query's rows become messages
    reading_only           a query, or a statement that changes something
    cursors                a cursor that streams, where the driver has one
    database_providers     which package brings a database's hook
"""
