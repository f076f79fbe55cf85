"""What comes out of imaging."""

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
        """The media type, as HTTP wants it."""
        return f"image/{self.format.lower()}"

    @property
    def extension(self) -> str:
        """The end of a key or file name, without the dot."""
        return "jpg" if self.format == "JPEG" else self.format.lower()


class Picture(NamedTuple):
    """What is known of an image.

    Args:
        format: Pillow's name.
        width: in pixels, upright; `height` as well.
        frames: of an animation, or pages of a document.
        thumbnails: in the order of the recipe's sizes.
        placeholder: a BlurHash, to be shown while a thumbnail is loaded.
        dominant_color: as `#rrggbb`.
    """

    format: str
    width: int
    height: int
    frames: int
    thumbnails: tuple[Thumbnail, ...]
    placeholder: str
    dominant_color: str
