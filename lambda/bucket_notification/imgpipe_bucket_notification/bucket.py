"""One bucket's notification configuration: read, merged and written with as much patience as there is time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .aws import NO_ANSWER, describe, is_gone, seconds_worth_waiting
from .deadline import Deadline
from .errors import BucketGoneError, RequestError
from .lock import Locks
from .merging import Configuration

Edit = Callable[[Configuration], Configuration]

LONGEST_PAUSE_SECONDS = 10.0
# Changes of a bucket take a moment until every read shows them ("Amazon S3 data consistency model", Amazon S3 User
# Guide, read 2026-11), so an old answer is not yet proof that somebody else has overwritten the new one.
READ_BACK_PAUSES_SECONDS = (0.0, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Bucket:
    """A bucket whose notifications are to be changed.

    Args:
        owner_account: S3 refuses every call if the bucket belongs to another account.
        removing: entries are only taken away. Then a bucket that is gone is found out at once, and S3 does not validate
            the destinations: a dead one of somebody else's must not keep ours on the bucket (and nobody gets a test
            message).
        before_write: is called before each write.
    """

    s3: Any
    locks: Locks
    name: str
    owner_account: str
    deadline: Deadline
    removing: bool = False
    before_write: Callable[[], None] = lambda: None

    def change(self, edit: Edit) -> None:
        """Write what `edit` makes of the configuration, until it has nothing left to change.

        Helpers of this account and Region change a bucket one after the other: `lock.py`. Other writers know no lock.
        What they overwrite at the same time is found by reading again, and written again upon what they wrote; what
        they overwrite later is not found.

        Raises:
            BucketGoneError: there is no such bucket.
            RequestError: S3 refuses.
            OutOfTimeError: S3 has not agreed in time.
        """
        with self.locks.on(self.name):
            current = self._read()
            while (wanted := edit(current)) != current:
                self.before_write()
                self._write(wanted)
                current = self._read_back(edit)

    def _read_back(self, edit: Edit) -> Configuration:
        current: Configuration = {}
        for pause in READ_BACK_PAUSES_SECONDS:
            self.deadline.pause(pause, f"{self.name}: S3 does not show the change")
            current = self._read()
            if edit(current) == current:
                break
        return current

    def _read(self) -> Configuration:
        answer = self._call(self.s3.get_bucket_notification_configuration)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def _write(self, configuration: Configuration) -> None:
        self._call(
            self.s3.put_bucket_notification_configuration,
            NotificationConfiguration=configuration,
            SkipDestinationValidation=self.removing,
        )

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        waited = 0.0
        pause = 1.0
        while True:
            self.deadline.check(self.name)
            try:
                return operation(Bucket=self.name, ExpectedBucketOwner=self.owner_account, **arguments)
            except (ClientError, *NO_ANSWER) as error:
                if self.removing and is_gone(error):
                    raise BucketGoneError(f"{self.name}: there is no such bucket") from error
                if waited + pause > seconds_worth_waiting(error):
                    raise RequestError(f"{self.name}: {describe(error)}") from error
                self.deadline.pause(pause, f"{self.name}: {describe(error)}")
            waited += pause
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
