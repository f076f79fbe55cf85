"""GIF: frames as browsers show them, where Pillow shows them otherwise.

What no frame has drawn on is transparent, whatever colour the file calls its background (Pillow: the first of the
palette); how a frame is disposed of is its own matter (Pillow: that of the one before, where it says nothing); and
transparency comes and goes with each frame. A frame of its own greys is grey (Pillow: in the colours of the others).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from .structures import gif

_CLEAR, _RESTORE = 2, 3  # what becomes of a frame, in three bits of it
_NOTHING = (0, 0, 0, 0)

Box = tuple[int, int, int, int]


def in_own_colours(frame: Image.Image) -> None:
    """Make the decoder forget the palette of other frames where this one has greys; it is not decoded yet."""
    if frame.mode == "L":
        frame.palette = None


def on_screen(frame: Image.Image, drawn: Box) -> Image.Image:
    """The first frame alone, of which only `drawn` is in the file; unchanged where that is known or all of it."""
    if drawn == (0, 0, *frame.size) or "transparency" in frame.info:
        return frame
    screen = Image.new("RGBA", frame.size, _NOTHING)
    screen.paste(frame.crop(drawn).convert("RGB"), drawn)
    return screen


def shown_frames(data: bytes, size: tuple[int, int]) -> Iterator[tuple[Image.Image, int]]:
    """What the screen shows at each frame, and for how many milliseconds; it changes when the next is asked for."""
    screen, control, has_picture = Image.new("RGBA", size, _NOTHING), b"", False
    for kind, start, end in gif.blocks(data):
        if gif.is_control(data, kind, start, end):
            control = data[start:end]
        if kind != gif.IMAGE:
            continue
        left, top, width, height = struct.unpack_from("<4H", data, start + 1)
        has_picture = has_picture or bool(width and height)
        if not has_picture:
            control = b""
            continue
        flags, duration_cs = struct.unpack_from("<BH", control, 3) if control else (0, 0)
        disposal = flags >> 2 & 7
        before = screen.copy() if disposal == _RESTORE else None
        if width and height:
            alone = BytesIO(_alone(data, control, start, end))
            with Image.open(alone, formats=("GIF",)) as frame:
                in_own_colours(frame)
                pixels = frame.convert("RGBA" if frame.has_transparency_data else "RGB")
            screen.paste(pixels, (left, top), pixels if pixels.mode == "RGBA" else None)
        opaque = screen.getchannel("A").getextrema() == (255, 255)
        yield (screen.convert("RGB") if opaque else screen), duration_cs * 10
        if disposal == _CLEAR:
            screen.paste(_NOTHING, (left, top, left + width, top + height))
        screen, control = before or screen, b""


def _alone(data: bytes, control: bytes, start: int, end: int) -> bytes:
    """A GIF of this frame only, on a screen that is as large."""
    return b"".join(
        (
            data[:6],
            data[start + 5 : start + 9],
            data[10 : gif.first_block(data)],
            control,
            data[start : start + 1],
            bytes(4),
            data[start + 5 : end],
            gif.END,
        )
    )
