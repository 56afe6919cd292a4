# SPDX-License-Identifier: Apache-2.0

"""From an Airflow connection to the API clients."""
