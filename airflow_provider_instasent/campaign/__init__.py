# SPDX-License-Identifier: Apache-2.0
"""A send as one durable run: planned, written ahead, sent, reconciled, reported. Plain Python, without Airflow."""
