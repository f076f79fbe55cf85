"""TIFF and BigTIFF: what the first directory describes, and how many there are ("TIFF Revision 6.0", section 2)."""

from __future__ import annotations

from .structure import Structure

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_tiff(data: bytes, max_frames: int) -> Structure:
    """Read the first directory, check that the bytes of its pixels are there, and count the others.

    Raises:
        ImageRejectedError: a part of the pixels is missing, or the picture is of a kind that is not decoded.
    """
    from .tiff_picture import read_picture  # noqa: PLC0415  few functions ever see one, and it takes milliseconds

    picture = read_picture(data)
    return Structure(
        "TIFF",
        picture.width,
        picture.height,
        picture.kind.bytes_per_pixel * picture.width * picture.height + picture.parts.bytes,
        _pages(data, max_frames),
        orientation=picture.orientation,
    )


def _pages(data: bytes, max_frames: int) -> int:
    """How many directories there are: until one comes again, is not in the file, or there are more than allowed."""
    from .tiff_directory import Layout  # noqa: PLC0415  as above

    layout = Layout.of(data)
    seen: set[int] = set()
    offset = layout.first_directory(data)
    while offset and offset not in seen and len(seen) <= max_frames:
        seen.add(offset)
        offset = layout.next_directory(data, offset)
    return len(seen)
