# SPDX-License-Identifier: Apache-2.0
"""Who still has to be texted, and what became of each? One message, a bulk send, or lookups.

In the order in which a campaign passes through::

    campaign_settings                how it is carried out
    single_send   bulk_send   lookup_campaign     one message; rows to summary; numbers to look up   (single_result)
    campaign_try                     one try of the latter two: compare, send, look, decide   (earlier_tries)
    sender                           chunks in flight, written ahead   (rate_gate, unanswered, send_progress)
    tally                            counts what becomes of them
    unconfirmed   search             what becomes of messages in doubt; the looks for them
    sightings   findings             what the list tells of each; what a look came to
    summary   shortfall              the summary and the results file; when that is a failure   (rejections)

    sms_history   export_formats     the account's list of SMS as a file
"""
