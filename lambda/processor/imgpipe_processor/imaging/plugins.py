"""Pillow's modules for formats, of which most functions see few: imported at cold start or with the first image."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Those of JPEG, PNG, GIF and BMP are imported with the first image anyway. Without its own module Pillow would import
# all of them for a format, forty.
_MODULES = {"AVIF": "PIL.AvifImagePlugin", "WEBP": "PIL.WebPImagePlugin"}


# Every decoder and encoder runs in one thread: a function has one vCPU at 1,769 MB ("Configure Lambda function memory",
# AWS Lambda Developer Guide, read 2026-11), and each thread takes memory that the header of an image does not declare.
CODEC_THREADS = 1


def load_plugin(image_format: str) -> None:
    """Import what reads and writes a format, by Pillow's name; it costs nothing the second time."""
    if image_format in _MODULES:
        plugin: Any = import_module(_MODULES[image_format])
        if hasattr(plugin, "DEFAULT_MAX_THREADS"):  # AVIF's, which otherwise has one for every CPU of the machine
            plugin.DEFAULT_MAX_THREADS = CODEC_THREADS
