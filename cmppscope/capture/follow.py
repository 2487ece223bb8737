"""Waiting for the rest of a file that is still being written, as `tail -f` does.

A read at the end of the file waits until there is more, so that a record of which the writer has put down only the
first part is simply not there yet. It ends when `stop` is called or the time is over; what is unfinished then is no
damage.
"""

from __future__ import annotations

import time

POLL_SECONDS = 0.1
"""The end of the file is looked at so often."""


class Follow:
    """When to stop waiting."""

    def __init__(self, duration_s: float | None = None) -> None:
        """Wait for so many seconds from now on, or until `stop`."""
        self.duration_s = duration_s
        self._until = float("inf") if duration_s is None else time.monotonic() + duration_s

    def stop(self) -> None:
        """Wait no longer; from any thread, or a signal handler, at any time."""
        self._until = 0.0

    def wait(self) -> bool:
        """Give the writer a moment; False when it is time to end."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(POLL_SECONDS, left))
        return True
