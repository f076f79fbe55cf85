"""What each type of request does to which bucket."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .bucket import Bucket
from .deadline import Deadline
from .errors import BucketGoneError, OutOfTimeError, RequestError
from .lock import Locks
from .merging import with_entries, without_entries
from .properties import read_bucket, read_entries
from .request import NOT_CREATED, Request


@dataclass
class Progress:
    """How far the work has come; is read by whoever has to answer before it has ended.

    Args:
        physical_id: the one to answer with, now.
        notes: what went otherwise than usual, for the log.
    """

    physical_id: str
    notes: list[str] = field(default_factory=list)

    def created(self, physical_id: str) -> None:
        """From here on there may be something for a Delete to remove."""
        self.physical_id = physical_id


def fulfil(request: Request, s3: Any, locks: Locks, deadline: Deadline, progress: Progress) -> None:
    """Do what is requested.

    Raises:
        RequestError: it cannot be done, or S3 refuses.
        OutOfTimeError: S3 has not agreed in time.
    """
    if request.type == "Delete":
        _delete(request, s3, locks, deadline, progress)
    else:
        _put(request, s3, locks, deadline, progress)


def _put(request: Request, s3: Any, locks: Locks, deadline: Deadline, progress: Progress) -> None:
    name = read_bucket(request.properties)
    entries = read_entries(request.properties)
    physical_id = request.physical_id_on(name)
    creates = request.type == "Create"
    Bucket(
        s3,
        locks,
        name,
        request.account,
        deadline,
        # A failed Update answers with the id that it was sent: CloudFormation would take another for a replacement.
        before_write=partial(progress.created, physical_id) if creates else lambda: None,
    ).change(partial(with_entries, owner=request.owner, wanted=entries))
    if request.physical_id == physical_id:
        _tidy(request, name, s3, locks, deadline, progress)
    progress.physical_id = physical_id


def _tidy(request: Request, name: str, s3: Any, locks: Locks, deadline: Deadline, progress: Progress) -> None:
    """Remove what a failed Update may have left on another bucket.

    That is the only case in which the bucket changes and the physical id does not, so that no Delete will follow. The
    rollback itself has succeeded by now and does not fail for it.
    """
    old_name = request.old_properties.get("BucketName")
    if old_name == name:
        return
    try:
        _remove(request, read_bucket(request.old_properties), s3, locks, deadline)
    except (BucketGoneError, RequestError, OutOfTimeError) as error:
        progress.notes.append(f"not tidied: {error}")


def _delete(request: Request, s3: Any, locks: Locks, deadline: Deadline, progress: Progress) -> None:
    if request.physical_id == NOT_CREATED:
        progress.notes.append("nothing had been created")
        return
    try:
        name = read_bucket(request.properties)
    except RequestError as error:
        progress.notes.append(f"nothing can have been created: {error}")
        return
    try:
        _remove(request, name, s3, locks, deadline)
    except BucketGoneError as error:
        progress.notes.append(str(error))


def _remove(request: Request, name: str, s3: Any, locks: Locks, deadline: Deadline) -> None:
    bucket = Bucket(s3, locks, name, request.account, deadline, removing=True)
    bucket.change(partial(without_entries, owner=request.owner))
