"""The lock on one bucket's notification configuration, which every helper of the account and Region respects.

S3 has no "write if unchanged". Two helpers that read before either has written would lose the entries of one, and
reading back cannot show that to the one that was ready first. SSM creates a parameter for one caller only, so that a
parameter is the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .aws import NO_ANSWER, describe, error_code, seconds_worth_waiting
from .deadline import Deadline
from .errors import OutOfTimeError, RequestError

PARAMETER = "/imgpipe/bucket-notifications/{bucket}"
HELD = "ParameterAlreadyExists"
FREE = "ParameterNotFound"

LONGEST_PAUSE_SECONDS = 5.0
# A lock that was taken over belongs to the last helper that wrote it, which this pause lets all of them see.
TAKE_OVER_SECONDS = 2.0


@dataclass(frozen=True)
class Locks:
    """Locks on buckets, for one invocation.

    Args:
        ssm: the client.
        owner: a text that no other invocation has.
        clock: seconds since 1970.
    """

    ssm: Any
    owner: str
    clock: Callable[[], float]
    deadline: Deadline

    @contextmanager
    def on(self, bucket: str) -> Iterator[None]:
        """Keep other helpers from changing the bucket's notifications.

        A lock ends with the time of the function that has it, so that one that was killed blocks nobody for longer.

        Raises:
            RequestError: SSM refuses.
            OutOfTimeError: another helper had the lock for as long as this function had time.
        """
        name = PARAMETER.format(bucket=bucket)
        value = f"{self.clock() + self.deadline.seconds_left():.0f} {self.owner}"
        pause = 1.0
        while not self._take(name, value, bucket):
            self.deadline.pause(pause, f"{bucket}: another helper is changing its notifications")
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        try:
            yield
        finally:
            with suppress(RequestError, OutOfTimeError):  # the work is done, and the lock ends by itself
                if self._value(name, bucket) == value:
                    self._call(bucket, self.ssm.delete_parameter, FREE, Name=name)

    def _take(self, name: str, value: str, bucket: str) -> bool:
        """Take the lock if it is free, or if its owner's time is over."""
        if self._put(name, value, bucket, overwrite=False):
            return True
        held = self._value(name, bucket)
        if held is None or float(held.partition(" ")[0]) > self.clock():
            return False
        self._put(name, value, bucket, overwrite=True)
        self.deadline.pause(TAKE_OVER_SECONDS, f"{bucket}: a helper that ended left the lock on its notifications")
        return self._value(name, bucket) == value

    def _put(self, name: str, value: str, bucket: str, *, overwrite: bool) -> bool:
        answer = self._call(
            bucket, self.ssm.put_parameter, HELD, Name=name, Value=value, Type="String", Overwrite=overwrite
        )
        return answer is not None

    def _value(self, name: str, bucket: str) -> str | None:
        answer = self._call(bucket, self.ssm.get_parameter, FREE, Name=name)
        return None if answer is None else str(answer["Parameter"]["Value"])

    def _call(self, bucket: str, operation: Callable[..., Any], expected: str, **arguments: Any) -> Any:
        """Call SSM until it answers; None where it answers with the expected error."""
        waited, pause = 0.0, 1.0
        while True:
            try:
                return operation(**arguments)
            except (ClientError, *NO_ANSWER) as error:
                if isinstance(error, ClientError) and error_code(error) == expected:
                    return None
                if waited + pause > seconds_worth_waiting(error):
                    raise RequestError(f"{bucket}: {describe(error)}") from error
                self.deadline.pause(pause, f"{bucket}: {describe(error)}")
            waited += pause
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
