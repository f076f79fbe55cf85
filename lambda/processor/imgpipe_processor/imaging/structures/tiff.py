"""TIFF and BigTIFF: size and memory of the first image, and the number of pages ("TIFF Revision 6.0", section 2)."""

from __future__ import annotations

from .structure import Structure

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_tiff(data: bytes, max_frames: int) -> Structure:
    """Read the first directory, check that the bytes of its pixels are in the file, and count the other directories.

    Raises:
        ImageRejectedError: a part of the pixels is missing, or the image is of a kind that is not supported.
    """
    from .tiff_first_image import read_first_image  # noqa: PLC0415  few files are TIFFs

    image = read_first_image(data)
    return Structure(
        "TIFF",
        image.width,
        image.height,
        image.pixel_format.bytes_per_pixel * image.width * image.height + image.parts.bytes,
        _pages(data, max_frames),
        orientation=image.orientation,
    )


def _pages(data: bytes, max_frames: int) -> int:
    """Count the directories until one repeats, is not in the file, or the limit is exceeded."""
    from .tiff_directory_reader import Layout  # noqa: PLC0415  as above

    layout = Layout.of(data)
    seen: set[int] = set()
    offset = layout.first_directory(data)
    while offset and offset not in seen and len(seen) <= max_frames:
        seen.add(offset)
        offset = layout.next_directory(data, offset)
    return len(seen)
