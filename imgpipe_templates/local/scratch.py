"""Temporary folders that are gone after the run, whatever ends it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "imgpipe-local-"
_LOCK = "in-use"


def new_scratch_folder() -> tuple[Path, int]:
    """A temporary folder and the descriptor of a lock inside it.

    The lock is held as long as any process has the descriptor open; a folder whose lock is free belongs to a run that
    was killed, and the next run removes it.
    """
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder, descriptor


def _sweep() -> None:
    """Remove the folders of dead runs. Those of other users and of living runs stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(descriptor)
