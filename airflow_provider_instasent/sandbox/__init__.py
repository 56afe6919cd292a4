# SPDX-License-Identifier: Apache-2.0
"""A local Instasent to write and test DAGs against: the API, faults on demand, and an inbox page.

It is an independent oracle: it validates requests and counts parts by its own reading of the documented
rules, and shares no code with the rest of the package. What it emulates is tagged in the docstrings:
**C** confirmed by Instasent's documentation, **I** inferred, **U** unknown: those are switches in
:mod:`.settings`. It needs the extra ``sandbox`` (starlette and uvicorn); this module imports nothing.
"""
