# SPDX-License-Identifier: Apache-2.0
"""Apache Airflow provider for Instasent: SMS from DAGs, no message twice, none lost."""

__version__ = "0.1.0"
