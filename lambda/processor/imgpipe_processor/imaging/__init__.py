"""Image processing: image bytes in, thumbnails out; without AWS and without files.

`structures` checks a file before a decoder reads it. `decoding` decodes it. `shrinking` and `colour` make the pixels of
every size. `encoding` and `animation` make the files. `thumbnail_maker` calls these in order.
"""

from __future__ import annotations

from .process_memory import limit_memory
from .processed_image import ProcessedImage, Thumbnail
from .recipe import Animation, Limits, Recipe
from .shrinking import fitted_size
from .thumbnail_maker import make_thumbnails, prepare

__all__ = [
    "Animation",
    "Limits",
    "ProcessedImage",
    "Recipe",
    "Thumbnail",
    "fitted_size",
    "limit_memory",
    "make_thumbnails",
    "prepare",
]
