# SPDX-License-Identifier: Apache-2.0
"""Which messages do these rows make? And are they the same as in an earlier try?

In the order in which a row passes through::

    row_source       from a list, a data frame, CSV, JSON Lines, Parquet or a cursor   (rows, data_frames)
    csv_rows            from CSV: no quote swallows a row   (csv_dialect, text_lines, file_format)
    column_names        which columns there are
    row_template     makes its text
    row_values          of what a row holds: what is missing, what can be printed
    template_sandbox    what such a template may do with values, so that a retry renders the same
    suppression      numbers never to be texted, whatever the rows say
    row_message      makes a checked message of it, or says why it is a bad row
    plan             all of this for each row, once: duplicates, bounds, counts   (plan_progress)
    spool            keeps the messages on disk, beside where the journal says each stands
    changed_rows     compares them with an earlier try's, and withholds what must not be sent any more
    choices          what the user wants done about bad rows, changed rows and unconfirmed messages
"""
