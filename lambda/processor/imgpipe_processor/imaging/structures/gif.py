"""GIF: the blocks of "Graphics Interchange Format, Version 89a", and of Version 87a.

The image is the first frame that has pixels. A file may end after it in any way: without a trailer, within an extension
or within another frame. Bytes that begin no block are ignored, as version 87a requires. In version 89a they end the
animation, as in browsers, unless they are zeros.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .structure import Piece, Structure, corrupt, join_pieces

SIGNATURES = (b"GIF87a", b"GIF89a")

IMAGE, EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
END = bytes((_TRAILER,))
_HAS_PALETTE = 0x80
_ZEROS, _NO_BLOCKS = re.compile(rb"\0*"), re.compile(rb"[^,!;]*")

_CONTROL, _COMMENT = 0xF9, 0xFE  # labels of extensions
_CONTROL_BYTES, _CONTROL_VALUES = 8, 4  # with and without its beginning and its end
_LOOPS = b"NETSCAPE2.0"

# Decoders read extensions one by one, and their parts, each of up to 255 bytes. A frame has one or two extensions of
# one part, and the metadata of an image have some thousand parts.
MAX_EXTENSIONS = 100_000
MAX_PARTS_OF_EXTENSION = 50_000
_COPIES_OF_EXTENSIONS = 3

# Each frame is decoded separately, before it is cropped: a frame of far more pixels than the image ends the animation
# before it.
_LARGER_FRAMES = 2

Block = tuple[int, int, int]  # its kind, and where it begins and ends


def read_gif(data: bytes, max_frames: int) -> Structure:
    """Read the blocks until one is damaged, or until the file has more frames than allowed.

    The size is that of the logical screen, or larger if the first frame draws beyond it. Later frames are cropped to
    it.

    Raises:
        ImageRejectedError: the file contains no image, or a block before the image is cut off.
    """
    screen = struct.unpack_from("<HH", data, 6)
    width, height = screen
    frames, extension_bytes, covers = 0, 0, True
    before: list[Block] = []
    for block in read_blocks(data):
        kind, start, end = block
        if kind == EXTENSION:
            extension_bytes += end - start
            if not frames:
                before.append(block)
            continue
        left, top, across, down = struct.unpack_from("<4H", data, start + 1)
        if not (frames or (across and down)):
            before = [
                each for each in before if not is_graphic_control(data, *each)
            ]  # it was for a frame without pixels
            continue
        if not frames:
            covers = (left, top, across, down) == (0, 0, *screen)
            decodable = _decodable(data, before, block)
            width, height = max(width, left + across), max(height, top + down)
        if across * down > _LARGER_FRAMES * width * height:
            break
        frames += 1
        if frames > max_frames:
            break
    if not frames:
        corrupt("the GIF contains no image")
    # A first frame that does not fill the image is pasted on it in full colour.
    pixel_bytes = 1.1 if covers else 13
    decoded_bytes = pixel_bytes * width * height + _COPIES_OF_EXTENSIONS * extension_bytes
    return Structure("GIF", width, height, decoded_bytes, frames, decodable=decodable)


def read_blocks(data: bytes) -> Iterator[Block]:
    """Yield every extension and frame, up to the first damage after a frame with pixels.

    The first such frame may be cut off: its decoder checks that its pixels are whole.

    Raises:
        ImageRejectedError: an extension before that frame is cut off, or the file has too many extensions.
    """
    position, extensions, has_image = first_block_offset(data), 0, False
    while (start := _next_block(data, position, has_image=has_image)) is not None:
        kind = data[start]
        if kind == EXTENSION:
            extensions += 1
            end = _after_parts(data, start + 2, max_parts=MAX_PARTS_OF_EXTENSION)
            if end is None or extensions > MAX_EXTENSIONS:
                if not has_image:
                    corrupt("an extension of the GIF is truncated, or the GIF has too many extensions")
                return
        else:
            if start + 10 > len(data):
                return
            coded = start + 11 + _palette_bytes(data[start + 9])
            is_first_image = not has_image and coded < len(data) and all(struct.unpack_from("<2H", data, start + 5))
            has_image = has_image or is_first_image
            end = _after_parts(data, coded, max_parts=len(data))
            if end is None and not is_first_image:
                return
        position = end or len(data)
        yield kind, start, position


def is_graphic_control(data: bytes, kind: int, start: int, end: int) -> bool:
    """Return True for a whole extension that describes how the next frame is shown."""
    return (
        kind == EXTENSION
        and data[start + 1] == _CONTROL
        and end - start >= _CONTROL_BYTES
        and data[start + 2] >= _CONTROL_VALUES
    )


def first_block_offset(data: bytes) -> int:
    """Return where the header ends, with the palette for all frames."""
    return 13 + _palette_bytes(data[10])


def _next_block(data: bytes, position: int, *, has_image: bool) -> int | None:
    """Return where the next block begins, after bytes that begin none; None at the end."""
    ignored = _ZEROS if has_image and not data.startswith(SIGNATURES[0]) else _NO_BLOCKS
    found = ignored.match(data, position)
    position = found.end() if found else position
    return position if data[position : position + 1] in {b",", b"!"} else None


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _HAS_PALETTE else 0


def _after_parts(data: bytes, position: int, *, max_parts: int) -> int | None:
    """Return where the parts of a block end: each begins with its length, and the last has length 0.

    Return None if they are cut off, or if the block has more than `max_parts`.
    """
    parts, size = 0, len(data)
    while position < size and parts <= max_parts:
        length = data[position]
        position += 1 + length
        if not length:
            return position
        parts += 1
    return None


def _decodable(data: bytes, extensions: list[Block], frame: Block) -> bytes | None:
    """Return a file of this frame only; None if the decoder can read the file itself up to that frame."""
    controls = [each for each in extensions if is_graphic_control(data, *each)]
    position = first_block_offset(data)
    for _, start, end in [*extensions, frame]:
        if start != position:
            break
        position = end
    else:
        if len(controls) <= 1 and all(_is_readable(data, *each) for each in extensions):
            return None
    loops = [each for each in extensions if data.startswith(_LOOPS, each[1] + 3) and _is_readable(data, *each)]
    kept = [*loops[:1], *controls[-1:], frame]
    pieces: list[Piece] = [(0, first_block_offset(data)), *((start, end) for _, start, end in kept), END]
    return join_pieces(data, pieces)


def _is_readable(data: bytes, kind: int, start: int, end: int) -> bool:
    """Return True if the decoder does not fail on the extension, and finds its end."""
    label, size = data[start + 1], data[start + 2]
    if label == _COMMENT:
        return True
    if label == _CONTROL:
        return is_graphic_control(data, kind, start, end)
    return size > 0 and not (data.startswith(_LOOPS, start + 3) and not data[start + 3 + size])
