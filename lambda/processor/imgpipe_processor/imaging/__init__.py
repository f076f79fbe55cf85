"""Imaging: bytes of an image in, thumbnails out; no AWS, no files.

`structures` looks at a file before anything is decoded, `decoding` lets one decoder at it, `shrinking` and `colour`
make pixels of every size, `encoding` and `animation` their files, and `picture` puts these in order.
"""

from __future__ import annotations

from .picture import make_picture, prepare
from .process_memory import keep_within
from .recipe import Animation, Limits, Recipe
from .shrinking import fitted_size
from .thumbnail import Picture, Thumbnail

__all__ = [
    "Animation",
    "Limits",
    "Picture",
    "Recipe",
    "Thumbnail",
    "fitted_size",
    "keep_within",
    "make_picture",
    "prepare",
]
