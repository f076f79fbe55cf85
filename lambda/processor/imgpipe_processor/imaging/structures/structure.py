"""What a file says of its image before anything of it is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from imgpipe_processor import failures
from imgpipe_processor.failures import ImageRejectedError

# What a name of Pillow's is called by people.
SPOKEN = {"WEBP": "WebP", "HEIF": "HEIC"}

# The largest colour profiles in use, those of printing presses, have 3 MB; more is made to fill memory or time.
MAX_PROFILE_BYTES = 4 * 2**20

# Cameras write some tens of kilobytes, with their own notes and a small picture.
MAX_EXIF_BYTES = 2**20


# A range of a file, or bytes that replace one.
Piece = tuple[int, int] | bytes


class Structure(NamedTuple):
    """A file whose parts are all there, as far as its own headers tell.

    Args:
        format: Pillow's name, such as `JPEG`.
        width: in pixels, as stored; `height` as well.
        decoded_bytes: what decoding takes at its worst, beside the source itself.
        frames: of an animation, or pages; never counted further than one over the limit. Frames after a damaged one
            are not counted.
        exif: of a PNG, which may have it behind the pixels, where a decoder finds it only after decoding.
        colours: the numbers of primaries and of the transfer curve in ITU-T H.273, where the file names them.
        decodable: what the decoder of the first picture gets: the file without the parts that the picture does not
            need and that the decoder may fail on; None where it is the whole file.
        animation: what the decoder of all frames gets, where that is another file; None of a still.
        transparent: of a PNG, what its tRNS chunk makes transparent, in Pillow's form: one grey, one colour, or an
            alpha value for each entry of the palette.
        has_end: False of a JPEG without its end marker, of which the decoder's output shows whether it is whole.
        orientation: as EXIF counts, where the format itself has a tag for it; None where EXIF has.
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
    def spoken(self) -> str:
        """The format, as people call it."""
        return SPOKEN.get(self.format, self.format)


def joined(data: bytes, pieces: Sequence[Piece]) -> bytes:
    """Return the pieces of `data` as one file."""
    view = memoryview(data)
    return b"".join(piece if isinstance(piece, bytes) else view[piece[0] : piece[1]] for piece in pieces)


def corrupt(reason: str) -> NoReturn:
    """Refuse a file that is damaged, or of which a part is missing.

    Raises:
        ImageRejectedError: always.
    """
    raise ImageRejectedError(failures.CORRUPT, damaged(reason))


def damaged(reason: str) -> str:
    """What a file is refused with that is damaged, or of which a part is missing."""
    return f"the image is truncated or damaged: {reason}; expected a whole file: save or upload it again"


def refuse_empty_end(data: bytes, end: int, size: int) -> None:
    """Refuse coded data that end at `end` in so many zeros: room that was made in the file and never filled.

    Raises:
        ImageRejectedError: they do.
    """
    if data.endswith(bytes(size), 0, end):
        corrupt("its end is empty, as if it was never written")


def unsupported(what: str) -> NoReturn:
    """Refuse a file that is whole, but nothing the decoders know.

    Raises:
        ImageRejectedError: always.
    """
    raise ImageRejectedError(failures.UNSUPPORTED, what)


def too_large(what: str) -> NoReturn:
    """Refuse a file that asks for more than it is allowed.

    Raises:
        ImageRejectedError: always.
    """
    raise ImageRejectedError(failures.TOO_LARGE, what)


def refuse_profile_beyond(size: int) -> None:
    """Refuse a file whose colour profile has more than `MAX_PROFILE_BYTES`.

    Raises:
        ImageRejectedError: it has.
    """
    if size > MAX_PROFILE_BYTES:
        too_large(f"the embedded colour profile has more than {MAX_PROFILE_BYTES:,} bytes; convert the image to sRGB")


def refuse_exif_beyond(size: int) -> None:
    """Refuse a file whose EXIF has more than `MAX_EXIF_BYTES`.

    Raises:
        ImageRejectedError: it has.
    """
    if size > MAX_EXIF_BYTES:
        too_large(f"the embedded EXIF has more than {MAX_EXIF_BYTES:,} bytes; save the image without it")
