"""The memory of this process: the kernel's limit on it, what the C library's heap keeps, and what was refused.

The function's template sets the heap up (`ALLOCATOR` in imgpipe_templates/subsystems/processing.py) so that every byte
the kernel counts against the limit is a byte in use or a byte of the heap that the next image reuses.
"""

from __future__ import annotations

import errno
import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from imgpipe_processor.failures import ImageRejectedError

_M_MMAP_MAX, _MOST_BLOCKS = -4, 65_536  # mallopt(3), and its default
_STATM = Path("/proc/self/statm")
_RESIDENT, _DATA = 1, 5  # fields of it, in pages: proc(5)

_maps_large_blocks = False


def keep_within(memory_bytes: int) -> None:
    """Limit this process to `memory_bytes` from now on: the kernel then refuses an allocation and kills nothing.

    The limit is for images that take more memory than their header declares, such as a WebP with a table of codes for
    every few pixels. It exists on Linux only; elsewhere this does nothing.
    """
    if not _STATM.exists():
        return
    import resource  # noqa: PLC0415  not on every system

    resident_bytes, data_bytes = _sizes()
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes + memory_bytes - resident_bytes, highest))


def room_bytes(memory_bytes: int) -> float:
    """Return how much more this process may take of `memory_bytes`; infinite where the system does not count."""
    return memory_bytes - _sizes()[0] if _STATM.exists() else math.inf


def make_room() -> None:
    """Give the heap's free pages back to the system, and let large blocks be mapped outside of the heap from now on.

    In a heap with holes an image takes more pages than in an empty one: an AVIF with alpha 90 MB more than 405. Mapped
    blocks leave no holes, but each gets its pages anew. To give 200 MB back takes 15 ms.
    """
    global _maps_large_blocks  # noqa: PLW0603  the process has one heap
    library = _c_library()
    if hasattr(library, "malloc_trim"):  # glibc's own, as is what keeps the pages
        library.malloc_trim(0)
        library.mallopt(_M_MMAP_MAX, _MOST_BLOCKS)
        _maps_large_blocks = True


def reuse_heap() -> None:
    """Take large blocks from the heap again after `make_room`, as the function's template says (`MALLOC_MMAP_MAX_`)."""
    global _maps_large_blocks  # noqa: PLW0603  as above
    if _maps_large_blocks:
        _c_library().mallopt(_M_MMAP_MAX, 0)
        _maps_large_blocks = False


def renew_limit(memory_bytes: int) -> None:
    """Set the limit again, if there is one, to what this process has now and what is left of `memory_bytes`.

    Free pages that were given back between used ones stay addresses of the heap, which the kernel counts.
    """
    if not _STATM.exists():
        return
    import resource  # noqa: PLC0415  as above

    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit_bytes != resource.RLIM_INFINITY:
        keep_within(memory_bytes)


@contextmanager
def naming_refusals() -> Iterator[None]:
    """Turn an error into a MemoryError if memory was refused before it.

    Decoders and encoders report many refusals only as "cannot decode". The C library's malloc sets the thread's errno
    to ENOMEM, and nothing between that and the error changes it.

    Raises:
        MemoryError: memory was refused.
    """
    location = _errno_location()
    if location is None:
        yield
        return
    number = location().contents
    number.value = 0
    try:
        yield
    except (ImageRejectedError, MemoryError):
        raise
    except Exception as error:
        if number.value == errno.ENOMEM:
            raise MemoryError from error
        raise


@cache
def _c_library() -> Any:
    import ctypes  # noqa: PLC0415  3 ms, with the first image

    return ctypes.CDLL(None)


@cache
def _errno_location() -> Any:
    """Return the function that points to the calling thread's errno; None with another C library."""
    import ctypes  # noqa: PLC0415  as above

    location = getattr(_c_library(), "__errno_location", None)  # of glibc and musl
    if location is not None:
        location.restype = ctypes.POINTER(ctypes.c_int)
    return location


def _sizes() -> tuple[int, int]:
    """Return the process's resident bytes and the bytes of its private writable pages."""
    fields = _STATM.read_text().split()
    return int(fields[_RESIDENT]) * mmap.PAGESIZE, int(fields[_DATA]) * mmap.PAGESIZE
