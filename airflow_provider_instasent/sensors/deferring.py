# SPDX-License-Identifier: Apache-2.0
"""What our sensors share: one meaning of a deferral's timeout and of `never_fail`, whatever the Airflow version."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.compat import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
)
from airflow_provider_instasent.templating import TemplatedFields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_instasent.compat import Context

SOONER = 0.1
"""Seconds by which our deadline comes before the base class's, which knows nothing of what was read."""


class StoppedWaitError(AirflowException):
    """Somebody asked the wait to end, as a worker does that is to go; it is neither over nor skipped."""


class DeferringSensor(TemplatedFields, BaseSensorOperator):
    """A sensor that may wait in the triggerer, some after one look of its own."""

    unaffected = ""
    """What a wait that nobody answered leaves as it was, a sentence."""

    _is_stopped = False

    def on_kill(self) -> None:
        """Ask the wait to end; it does so within a second, whatever it waits for."""
        self._is_stopped = True

    def check_stop(self) -> None:
        """Raise where somebody asked the wait to end.

        :raises StoppedWaitError: says so; a retry goes on waiting
        """
        if self._is_stopped:
            raise StoppedWaitError(f"The task was asked to stop while it waited. {self.unaffected}")

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """Sleep here, where the base class would in a way that nothing ends, and leave nothing to sleep."""
        from airflow_provider_instasent.api.interruptible import sleep

        self.check_stop()
        interval = float(super()._get_next_poke_interval(*args, **kwargs))
        if self.reschedule:
            return interval
        sleep(interval, self.check_stop)
        return 0.0

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Make one thing of what Airflow versions do with a deferral's timeout and with `never_fail`."""
        from airflow_provider_instasent.compat import is_deferral_timeout

        try:
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except Exception as error:
                if next_method == "execute_complete" or not is_deferral_timeout(error):
                    raise
                raise AirflowSensorTimeout(
                    f"Timed out, and the triggerer did not answer: is one running? {self.unaffected}"
                ) from error
        except AirflowSkipException:
            raise
        except Exception as error:
            if self.never_fail:
                raise AirflowSkipException(f"Skipped because of never_fail: {error}") from error
            raise

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Apply `soft_fail` and `never_fail` to a poke that the base class does not make."""
        try:
            yield
        except StoppedWaitError:
            raise
        except (AirflowSensorTimeout, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipped because of soft_fail or never_fail: {error}") from error
            raise
        except Exception as error:
            if self.never_fail:
                raise AirflowSkipException(f"Skipped because of never_fail: {error}") from error
            raise
