"""ICC profiles as small as possible, built by hand, so that the repository contains no profile files.

Layout: "Specification ICC.1:2001-04" (version 2 profiles), sections 6.1 (header), 6.2 (tag table), 6.5 (tag types).
"""

from __future__ import annotations

import struct

from tests.lambda_processor import spaces

D50 = (0.9642, 1.0, 0.8249)
# Display P3's primaries as XYZ, adapted to D50: the columns of the matrix in its profiles.
DISPLAY_P3_PRIMARIES = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))


def wide_rgb(description: str = "Wide RGB") -> bytes:
    """Return a Display P3-like profile: its red is redder than sRGB's."""
    red, green, blue = map(_xyz, DISPLAY_P3_PRIMARIES)
    gamma = _curve(2.2)
    tags = {b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue, b"rTRC": gamma, b"gTRC": gamma, b"bTRC": gamma}
    return _profile(b"RGB ", b"XYZ ", tags, description)


def of_space(space: spaces.Space, description: str = "A space") -> bytes:
    """Return a profile with the published chromaticities and curve of a space."""
    red, green, blue = (_xyz(column) for column in spaces.to_d50(space))
    samples = [round(space.linear(place / 1023) * 65535) for place in range(1024)]
    curve = b"curv" + bytes(4) + struct.pack(">I1024H", 1024, *samples)
    tags = {b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return _profile(b"RGB ", b"XYZ ", tags, description)


def linear_grey() -> bytes:
    """Return a profile of greys whose values are proportional to light."""
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": _curve(1.0)}, "Linear grey")


def cmyk_without_colour() -> bytes:
    """Return a profile of a press whose four inks are all the same grey."""
    corners = b"".join(bytes((255 - 63 * inks.bit_count(), 128, 128)) for inks in range(2**4))
    ramp = bytes(range(256))
    identity = b"".join(struct.pack(">i", round(v * 65536)) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + corners + ramp * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table}, "Grey press")


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes], description: str) -> bytes:
    text = description.encode("ascii") + b"\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags = {**tags, b"wtpt": _xyz(D50), b"desc": described, b"cprt": b"text" + bytes(4) + text}
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    header = struct.pack(">I4xI4s4s4s", start + len(data), 0x02400000, b"prtr", space, connection)
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(struct.pack(">i", round(v * 65536)) for v in D50) + bytes(48)
    return header + table + data
