"""Imaging: bytes of an image in, thumbnails out; no AWS, no files."""

from __future__ import annotations

from .picture import Picture, Thumbnail, fitted_size, make_picture
from .recipe import Animation, Limits, Recipe

__all__ = ["Animation", "Limits", "Picture", "Recipe", "Thumbnail", "fitted_size", "make_picture"]
