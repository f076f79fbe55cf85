"""Pillow's modules for formats, of which most functions see few: imported at cold start or with the first image."""

from __future__ import annotations

from importlib import import_module

# Those of JPEG, PNG, GIF and BMP are imported with the first image anyway. Without its own module Pillow would import
# all of them for a format, forty.
_MODULES = {"AVIF": "PIL.AvifImagePlugin", "WEBP": "PIL.WebPImagePlugin"}


def load_plugin(image_format: str) -> None:
    """Import what reads and writes a format, by Pillow's name; it costs nothing the second time."""
    if image_format in _MODULES:
        import_module(_MODULES[image_format])
