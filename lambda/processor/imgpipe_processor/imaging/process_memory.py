"""The memory of this process: the kernel's limit, the pages that the C library's heap keeps, and refused allocations.

The function's template configures the heap (`ALLOCATOR` in imgpipe_templates/subsystems/processing.py) so that every
byte that the kernel counts against the limit is in use, or is in the heap for the next image.
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


def limit_memory(memory_bytes: int) -> None:
    """Limit this process to `memory_bytes` from now on: the kernel then refuses an allocation, and kills no process.

    The limit is for images that need more memory than their header declares, such as a WebP with a table of codes for
    every few pixels. It exists on Linux only; elsewhere this does nothing.
    """
    if not _STATM.exists():
        return
    import resource  # noqa: PLC0415  not on every system

    resident_bytes, data_bytes = _sizes()
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes + memory_bytes - resident_bytes, highest))


def available_bytes(memory_bytes: int) -> float:
    """Return how much more of `memory_bytes` this process may use; infinite on systems without /proc."""
    return memory_bytes - _sizes()[0] if _STATM.exists() else math.inf


def trim_heap() -> None:
    """Return the heap's free pages to the system, and map large blocks outside of the heap from now on.

    In a heap with holes an image needs more pages than in an empty one: an AVIF with alpha 90 MB more than 405. Mapped
    blocks leave no holes, but each allocates its pages again. Returning 200 MB needs 15 ms.
    """
    global _maps_large_blocks  # noqa: PLW0603  the process has one heap
    library = _c_library()
    if hasattr(library, "malloc_trim"):  # of glibc only, which is also what keeps the pages
        library.malloc_trim(0)
        library.mallopt(_M_MMAP_MAX, _MOST_BLOCKS)
        _maps_large_blocks = True


def reuse_heap() -> None:
    """Allocate large blocks in the heap again after `trim_heap`, as the template configures (`MALLOC_MMAP_MAX_`)."""
    global _maps_large_blocks  # noqa: PLW0603  as above
    if _maps_large_blocks:
        _c_library().mallopt(_M_MMAP_MAX, 0)
        _maps_large_blocks = False


def update_limit(memory_bytes: int) -> None:
    """Set the limit again, if there is one, to the current size of this process plus the rest of `memory_bytes`.

    Free pages between used ones that were returned to the system stay addresses of the heap, which the kernel counts.
    """
    if not _STATM.exists():
        return
    import resource  # noqa: PLC0415  as above

    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit_bytes != resource.RLIM_INFINITY:
        limit_memory(memory_bytes)


@contextmanager
def raising_memory_errors() -> Iterator[None]:
    """Raise MemoryError instead of an error if an allocation was refused before the error.

    Decoders and encoders report many refused allocations only as "cannot decode". The C library's malloc sets the
    thread's errno to ENOMEM, and nothing changes it before the error.

    Raises:
        MemoryError: an allocation was refused.
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
