"""Temporary folders that are gone after the run, whatever ends it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "imgpipe-local-"
_LOCK = ".lock"


@dataclass(frozen=True)
class Scratch:
    """A temporary folder, and the lock that shows that a run uses it.

    The lock is a file beside the folder, so that no moment exists at which the folder is there without it: a folder
    whose removal was interrupted is found again. It is held as long as any process has the descriptor open.

    Attributes:
        folder: The folder.
        descriptor: The open lock; the engine's process inherits it.
    """

    folder: Path
    descriptor: int

    def remove(self) -> None:
        """Remove folder and lock. What a dying process still writes to is left for the next run."""
        remove_folder(self.folder)
        os.close(self.descriptor)


def new_scratch() -> Scratch:
    """Create a temporary folder, and remove the folders of runs that were killed."""
    _sweep()
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_LOCK)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:  # else another run swept the file away before it was locked
            break
        os.close(descriptor)
    folder = Path(name).with_suffix("")
    folder.mkdir(mode=0o700)
    return Scratch(folder, descriptor)


def _sweep() -> None:
    """Remove the folders of dead runs. Those of other users and of living runs stay."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*{_LOCK}"):
        try:
            descriptor = os.open(lock, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(lock.with_suffix(""))
        except OSError:
            continue
        finally:
            os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove a folder, and its lock only if nothing of it is left."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        folder.with_suffix(_LOCK).unlink(missing_ok=True)
