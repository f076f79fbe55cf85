"""The tracks of an image sequence (ISO/IEC 14496-12): the positions of its frames in the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import islice

from .isobmff_boxes import Box, Extent
from .structure import corrupt

Track = dict[bytes, Box]


def image_tracks(boxes: Sequence[Box]) -> list[Track]:
    """Return the boxes of each track that is coded in AV1, by type: the images, and their alpha if they have one.

    All tracks are returned if none is coded in AV1.
    """
    tracks: list[Track] = []
    for box in boxes:
        if box.kind == b"trak":
            tracks.append({})
        elif box.parent in {b"stbl", b"stsd", b"av01"} and tracks:
            tracks[-1].setdefault(box.kind, box)
    return [track for track in tracks if b"av01" in track] or tracks


def count_frames(data: bytes, tracks: Sequence[Track]) -> int:
    """Return the number of frames of the longest track; 0 without a track."""
    sizes = (track[b"stsz"] for track in tracks if b"stsz" in track)
    return max((struct.unpack_from(">I", data, box.start + 8)[0] for box in sizes), default=0)


def frame_extents(data: bytes, track: Track) -> Iterator[Extent]:
    """Yield the extents of the frames of a track; only for tracks of few frames.

    Raises:
        ImageRejectedError: the tables of the track do not fit the file.
    """
    chunks = track.get(b"stco") or track.get(b"co64")
    if chunks is None or not {b"stsz", b"stsc"} <= track.keys():
        corrupt("a track describes no frames")
    same, frames = struct.unpack_from(">II", data, track[b"stsz"].start + 4)
    sizes = iter([same] * frames if same else _numbers(data, track[b"stsz"], 12, "I", frames, frames))
    (runs,) = struct.unpack_from(">I", data, track[b"stsc"].start + 4)
    first_and_more = _numbers(data, track[b"stsc"], 8, "I", 3 * runs, 3 * frames)
    per_chunk = dict(zip(first_and_more[::3], first_and_more[1::3], strict=True))
    (count,) = struct.unpack_from(">I", data, chunks.start + 4)
    samples = 0
    starts = _numbers(data, chunks, 8, "I" if chunks.kind == b"stco" else "Q", count, frames)
    for number, position in enumerate(starts, 1):
        samples, start = per_chunk.get(number, samples), position
        for size in islice(sizes, samples):
            if start + size > len(data):
                corrupt("the file is truncated")
            yield start, size
            start += size


def _numbers(data: bytes, box: Box, header_bytes: int, code: str, count: int, max_count: int) -> tuple[int, ...]:
    """Read a table of a box, which contains at most `max_count` numbers if it is valid."""
    if count > max_count or box.start + header_bytes + count * struct.calcsize(code) > box.end:
        corrupt("a track in the file is invalid")
    return struct.unpack_from(f">{count}{code}", data, box.start + header_bytes)
