# SPDX-License-Identifier: Apache-2.0
"""From an Airflow connection to the API: what it says, what its form asks, and calls without a journal.

::

    connection_extra    the fields of the extra and of the form, declared once
    connection          what they say, as plain values   (pasted_host)
    instasent           the hook: makes clients of that
    sending             its calls that send, and never what a retry would send twice   (errors)
    metrics             where its clients count: Airflow's own metrics
    diagnosis           what the Test button says
    sandbox_only        the guard of the example DAGs
"""
