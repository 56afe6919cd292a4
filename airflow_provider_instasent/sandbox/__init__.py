# SPDX-License-Identifier: Apache-2.0
"""A local Instasent to write and test DAGs against: the API, faults on demand, and an inbox page.

It is an independent oracle: it validates requests and counts parts by its own reading of the documented
rules, and shares no code with the rest of the package. What it emulates is tagged in the docstrings:
**C** confirmed by Instasent's documentation, **I** inferred, **U** unknown: those are switches in
:mod:`.settings`. It needs the extra ``sandbox`` (starlette and uvicorn); this module imports nothing.

In the order in which a request passes through::

    __main__   server   app        the command, a server in this process, the routes
    exchange   limits   faults     one exchange: token, rate limit, what is to go wrong   (endpoint_names)
    endpoints   checks   encoding     what each endpoint does; its own validation, transliteration, count of parts
    state   settings   clock     all of a sandbox's state; what is unknown about the API, as switches; its clock
    ledger   lookups   statuses   countries     what was accepted; what becomes of it, and where it goes, by its number
    entities   created   bulk_errors         how that is shown, and when it says that it was created
    alterations                    what a fault does to it
    wire   requests_log            what really leaves; what was asked   (torrents)
    admin   page                   looking in and reaching in from outside: routes, and the inbox page
"""
