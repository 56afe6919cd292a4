# SPDX-License-Identifier: Apache-2.0
"""TaskFlow decorators.

::

    sms          `@task.instasent_bulk`: what a function returns is sent
    awaiting     what an `async` one makes, item by item
"""
