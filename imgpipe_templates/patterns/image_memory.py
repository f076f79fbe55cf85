"""Memory that the processor needs for the largest image within its limits.

Measured as the peak of the process (tests/contract/test_image_memory.py checks the limits).
"""

from __future__ import annotations

from collections.abc import Sequence

# Python, clients and decoders, and the memory of a thumbnail of 512 pixels.
BASE_BYTES = 90 * 2**20
USUAL_SIDE_PX = 512
COPIES_OF_SOURCE = 2

# The worst kind of JPEG, a progressive one in CMYK, needs 8.05 bytes per pixel of the source; PNG needs 4.
BYTES_PER_PIXEL = 8.1

# The largest thumbnail, what it is resized from, and its encoder, per pixel of a square of its side.
BYTES_PER_PIXEL_OF_SIDE = {"auto": 30, "jpeg": 30, "png": 30, "webp": 47, "avif": 47}

# One frame of the kinds of animation, AVIF with alpha the worst; a frame of every thumbnail, all of which are held,
# with what they are encoded to: that by the highest WebP quality it is true for, of noise with alpha.
BYTES_PER_PIXEL_OF_FRAME = 27
BYTES_PER_ANIMATED_PIXEL = {90: 11, 100: 17}
ANIMATED_FORMAT = "webp"


def still_bytes(*, pixels: int, source_bytes: int, sides_px: Sequence[int], output_format: str) -> float:
    """Return the maximum memory of an image with these limits, decoded to one frame.

    Args:
        pixels: Width times height.
        source_bytes: Of its file.
        sides_px: Of the thumbnails.
        output_format: Of the thumbnails.
    """
    beyond_usual = max(0, max(sides_px, default=0) ** 2 - USUAL_SIDE_PX**2)
    return (
        BASE_BYTES
        + COPIES_OF_SOURCE * source_bytes
        + BYTES_PER_PIXEL * pixels
        + BYTES_PER_PIXEL_OF_SIDE[output_format] * beyond_usual
    )


def animated_bytes(
    *, frames: int, animation_pixels: int, pixels: int, source_bytes: int, sides_px: Sequence[int], quality: int
) -> float:
    """Return the maximum memory of an animation that stays animated.

    Args:
        frames: It has at most.
        animation_pixels: Of all frames together.
        pixels: Of one frame.
        source_bytes: Of its file.
        sides_px: Of the thumbnails.
        quality: Of WebP.
    """
    per_pixel = next(size for highest, size in BYTES_PER_ANIMATED_PIXEL.items() if quality <= highest)

    def of_frames(count: float) -> float:
        # Nothing is enlarged: the frames of a thumbnail have no more pixels than those of the source.
        held = sum(min(count * side_px**2, animation_pixels) for side_px in sides_px)
        return BYTES_PER_PIXEL_OF_FRAME * min(pixels, animation_pixels / count) + per_pixel * held

    # Few large frames or many small ones: the worst is where one of the limits begins or ends to count.
    turns = (animation_pixels / pixels, *(animation_pixels / side_px**2 for side_px in sides_px))
    worst = max(of_frames(min(max(2, count), frames)) for count in (2, frames, *turns))
    largest = still_bytes(pixels=0, source_bytes=source_bytes, sides_px=sides_px, output_format=ANIMATED_FORMAT)
    return largest + worst
