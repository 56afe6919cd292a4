# SPDX-License-Identifier: Apache-2.0
"""From parameters to a campaign, and from its end to XCom and Airflow's retries.

::

    sms   bulk_sms   lookup   history   account     the operators
    campaign_parameters                            those of a campaign: choices and `campaign_id`
    task_try                                    what they need of Airflow's context, read once
    inputs   journals                           rows and settings; where the journal is kept
    wait_for_delivery   wait_for_lookups        the wait behind a send
    asset_events                                what DAGs scheduled on its assets are told
    final_errors                                which errors end a task without a retry
"""
