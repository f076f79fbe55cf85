"""GIF frames as browsers show them, where Pillow shows them differently.

Pixels that no frame has drawn are transparent, for any background colour of the file (Pillow: the first of the
palette). Each frame has its own disposal method (Pillow: that of the previous frame, where it says nothing), and its
own transparency. A frame with a palette of greys is grey (Pillow: in the colours of the other frames).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from .structures import gif

_CLEAR, _RESTORE = 2, 3  # the disposal method, in three bits of the flags
_TRANSPARENT = (0, 0, 0, 0)

Box = tuple[int, int, int, int]


def drop_foreign_palette(frame: Image.Image) -> None:
    """Remove the palette of other frames from a frame of greys that is not decoded yet."""
    if frame.mode == "L":
        frame.palette = None


def place_on_screen(frame: Image.Image, drawn: Box) -> Image.Image:
    """Return a single frame on a full screen, of which the file contains only `drawn`.

    Return it unchanged if it fills the screen, or if its transparency is known.
    """
    if drawn == (0, 0, *frame.size) or "transparency" in frame.info:
        return frame
    screen = Image.new("RGBA", frame.size, _TRANSPARENT)
    screen.paste(frame.crop(drawn).convert("RGB"), drawn)
    return screen


def rendered_frames(data: bytes, size: tuple[int, int]) -> Iterator[tuple[Image.Image, int]]:
    """Yield the rendered screen at each frame, and its duration in milliseconds.

    The next iteration changes the yielded screen.
    """
    screen, control, has_image = Image.new("RGBA", size, _TRANSPARENT), b"", False
    for kind, start, end in gif.read_blocks(data):
        if gif.is_graphic_control(data, kind, start, end):
            control = data[start:end]
        if kind != gif.IMAGE:
            continue
        left, top, width, height = struct.unpack_from("<4H", data, start + 1)
        has_image = has_image or bool(width and height)
        if not has_image:
            control = b""
            continue
        flags, duration_cs = struct.unpack_from("<BH", control, 3) if control else (0, 0)
        disposal = flags >> 2 & 7
        previous = screen.copy() if disposal == _RESTORE else None
        if width and height:
            single = BytesIO(_single_frame_gif(data, control, start, end))
            with Image.open(single, formats=("GIF",)) as frame:
                drop_foreign_palette(frame)
                pixels = frame.convert("RGBA" if frame.has_transparency_data else "RGB")
            screen.paste(pixels, (left, top), pixels if pixels.mode == "RGBA" else None)
        opaque = screen.getchannel("A").getextrema() == (255, 255)
        yield (screen.convert("RGB") if opaque else screen), duration_cs * 10
        if disposal == _CLEAR:
            screen.paste(_TRANSPARENT, (left, top, left + width, top + height))
        screen, control = previous or screen, b""


def _single_frame_gif(data: bytes, control: bytes, start: int, end: int) -> bytes:
    """Return a GIF of this frame only, on a screen of the frame's size."""
    return b"".join(
        (
            data[:6],
            data[start + 5 : start + 9],
            data[10 : gif.first_block_offset(data)],
            control,
            data[start : start + 1],
            bytes(4),
            data[start + 5 : end],
            gif.END,
        )
    )
