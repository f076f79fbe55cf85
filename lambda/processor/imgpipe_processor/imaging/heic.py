"""HEIC: its decoder comes in a package of its own, only where it is configured."""

from __future__ import annotations

from functools import cache


@cache
def register_decoder() -> None:
    """Teach Pillow to open HEIC images; of those, only the primary image, which the decoder turns upright.

    Raises:
        ImportError: the decoder is not in the package.
    """
    from pi_heif import options, register_heif_opener  # noqa: PLC0415  in the package only where HEIC is configured

    options.DECODE_THREADS = 0  # no further threads for the tiles of a grid; the decoder of a tile has one in any case
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
