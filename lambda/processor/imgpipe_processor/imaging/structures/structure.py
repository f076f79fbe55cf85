"""The structure of an image file as read before decoding, and the rejections of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from imgpipe_processor import failures
from imgpipe_processor.failures import ImageRejectedError

# Pillow's format names that differ from the common names.
DISPLAY_NAMES = {"WEBP": "WebP", "HEIF": "HEIC"}

# The largest colour profiles in use, those of printing presses, have 3 MB; larger ones are made to fill memory or time.
MAX_PROFILE_BYTES = 4 * 2**20

# Cameras write some tens of kilobytes, with their maker notes and a thumbnail.
MAX_EXIF_BYTES = 2**20


# A range of a file, or bytes that replace one.
Piece = tuple[int, int] | bytes


class Structure(NamedTuple):
    """An image file whose parts are all in the file, as far as its headers declare them.

    Args:
        format: Pillow's name, such as `JPEG`.
        width: in pixels, as stored; `height` as well.
        decoded_bytes: the memory that decoding needs at most, in addition to the source itself.
        frames: of an animation, or pages; counted up to one over the limit. Frames after a damaged one are not counted.
        exif: of a PNG, which may have it after the pixels, where a decoder finds it only after decoding.
        colours: the numbers of primaries and of the transfer curve in ITU-T H.273, if the file names them.
        decodable: the input of the decoder of the first image: the file without the parts that the image does not need
            and that the decoder may fail on; None if it is the whole file.
        animation: the input of the decoder of all frames, if that is another file; None of a still image.
        transparent: of a PNG, the transparency of its tRNS chunk, in Pillow's form: one grey, one colour, or an alpha
            value for each entry of the palette.
        has_end: False of a JPEG without its end marker; the output of the decoder then shows if it is whole.
        orientation: as in EXIF, if the format itself has a tag for it; None if EXIF has it.
    """

    format: str
    width: int
    height: int
    decoded_bytes: float
    frames: int = 1
    exif: bytes | None = None
    colours: tuple[int, int] | None = None
    decodable: bytes | None = None
    animation: tuple[Piece, ...] | None = None
    transparent: int | tuple[int, ...] | bytes | None = None
    has_end: bool = True
    orientation: int | None = None

    @property
    def display_name(self) -> str:
        """Return the common name of the format."""
        return DISPLAY_NAMES.get(self.format, self.format)


def join_pieces(data: bytes, pieces: Sequence[Piece]) -> bytes:
    """Return the pieces of `data` as one file."""
    view = memoryview(data)
    return b"".join(piece if isinstance(piece, bytes) else view[piece[0] : piece[1]] for piece in pieces)


def corrupt(reason: str) -> NoReturn:
    """Reject a file that is damaged, or of which a part is missing.

    Raises:
        ImageRejectedError: always.
    """
    raise ImageRejectedError(failures.CORRUPT, damaged(reason))


def damaged(reason: str) -> str:
    """Return the message for a file that is damaged, or of which a part is missing."""
    return f"the image is truncated or damaged: {reason}; expected a whole file: save or upload it again"


def reject_empty_end(data: bytes, end: int, size: int) -> None:
    """Reject coded data that end at `end` in `size` zeros: space that was reserved in the file and never written.

    Raises:
        ImageRejectedError: the data end in zeros.
    """
    if data.endswith(bytes(size), 0, end):
        corrupt("the end of the file was never written")


def unsupported(message: str) -> NoReturn:
    """Reject a file that is whole, but that the decoders do not support.

    Raises:
        ImageRejectedError: always.
    """
    raise ImageRejectedError(failures.UNSUPPORTED, message)


def too_large(message: str) -> NoReturn:
    """Reject a file that exceeds a limit.

    Raises:
        ImageRejectedError: always.
    """
    raise ImageRejectedError(failures.TOO_LARGE, message)


def reject_large_profile(size: int) -> None:
    """Reject a file whose colour profile has more than `MAX_PROFILE_BYTES`.

    Raises:
        ImageRejectedError: the profile is larger.
    """
    if size > MAX_PROFILE_BYTES:
        too_large(f"the embedded colour profile has more than {MAX_PROFILE_BYTES:,} bytes; convert the image to sRGB")


def reject_large_exif(size: int) -> None:
    """Reject a file whose EXIF has more than `MAX_EXIF_BYTES`.

    Raises:
        ImageRejectedError: the EXIF is larger.
    """
    if size > MAX_EXIF_BYTES:
        too_large(f"the embedded EXIF has more than {MAX_EXIF_BYTES:,} bytes; save the image without it")
