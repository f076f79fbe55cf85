"""The result of image processing."""

from __future__ import annotations

from typing import NamedTuple


class Thumbnail(NamedTuple):
    """An encoded thumbnail; `format` is Pillow's name."""

    data: bytes
    format: str
    width: int
    height: int

    @property
    def content_type(self) -> str:
        """Return the media type for HTTP."""
        return f"image/{self.format.lower()}"

    @property
    def extension(self) -> str:
        """Return the file extension, without the dot."""
        return "jpg" if self.format == "JPEG" else self.format.lower()


class ProcessedImage(NamedTuple):
    """The recorded facts of an image, and its thumbnails.

    Args:
        format: Pillow's name of the source format.
        width: in pixels, upright; `height` too.
        frames: of an animation, or pages of a document.
        thumbnails: in the order of the recipe's sizes.
        placeholder: a BlurHash, shown while a thumbnail loads.
        dominant_color: as `#rrggbb`.
    """

    format: str
    width: int
    height: int
    frames: int
    thumbnails: tuple[Thumbnail, ...]
    placeholder: str
    dominant_color: str
