"""The time that a request may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import OutOfTimeError


@dataclass(frozen=True)
class Deadline:
    """The time for the work: what the function has left, without what is kept for the answer.

    Args:
        seconds_left: until Lambda ends the function.
        sleep: waits for a number of seconds.
        kept_seconds: no work is begun when there are only these left.
    """

    seconds_left: Callable[[], float]
    sleep: Callable[[float], None]
    kept_seconds: float

    def left(self) -> float:
        """Seconds of work that may still be begun."""
        return self.seconds_left() - self.kept_seconds

    def check(self, doing: str) -> None:
        """Allow the next piece of work.

        Raises:
            OutOfTimeError: there is no time left for it.
        """
        if self.left() <= 0:
            raise OutOfTimeError(f"{doing}: the time is over; expected more than {self.kept_seconds:g} seconds left")

    def pause(self, seconds: float, because: str) -> None:
        """Wait before the next try.

        Raises:
            OutOfTimeError: there would be no time for it; says what the waiting was for.
        """
        if self.left() <= seconds:
            raise OutOfTimeError(f"{because}; still so when the function's time was nearly over")
        self.sleep(seconds)
