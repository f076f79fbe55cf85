"""Pillow's modules for formats that most functions rarely see: imported at cold start or with the first image."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

# The modules of JPEG, PNG, GIF and BMP are imported with the first image anyway. For a format without its own module
# Pillow imports all of its modules, forty.
_MODULES = {"AVIF": "PIL.AvifImagePlugin", "WEBP": "PIL.WebPImagePlugin"}


# Every decoder and encoder runs in one thread: a function has one vCPU at 1,769 MB ("Configure Lambda function memory",
# AWS Lambda Developer Guide, read 2026-11), and each thread needs memory that the header of an image does not declare.
CODEC_THREADS = 1


def load_plugin(image_format: str) -> None:
    """Import the Pillow module that reads and writes a format, by Pillow's name; a second call costs nothing."""
    if image_format in _MODULES:
        plugin: Any = import_module(_MODULES[image_format])
        if hasattr(plugin, "DEFAULT_MAX_THREADS"):  # AVIF's default is one thread per CPU of the machine
            plugin.DEFAULT_MAX_THREADS = CODEC_THREADS


@cache
def register_heic_decoder() -> None:
    """Register the HEIC decoder with Pillow; it opens only the primary image, and applies its orientation.

    The decoder comes in a separate package.

    Raises:
        ImportError: the decoder is not in the package.
    """
    from pi_heif import options, register_heif_opener  # noqa: PLC0415  in the package only if HEIC is configured

    options.DECODE_THREADS = 0  # no further threads for the tiles of a grid; the decoder of a tile has one in any case
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
