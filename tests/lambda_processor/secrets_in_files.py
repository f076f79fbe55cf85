"""Files with a secret in every metadata part of their format."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from tests.lambda_processor import bmps, gifs, profiles
from tests.lambda_processor.fakes import encoded
from tests.lambda_processor.kinds import COLOURS, FEW_COLOURS, GREYS, VEILED
from tests.lambda_processor.writers import bmp_of_channels, paletted

CANARY = "CANARY"
SECRET = CANARY.encode()
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{CANARY}</x:xmpmeta>'.encode()
PROFILE = profiles.wide_rgb(CANARY)
IPTC = b"\x1c\x02\x78" + struct.pack(">H", len(SECRET)) + SECRET  # a caption ("IPTC-NAA Information Interchange Model")
PHOTOSHOP = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + bytes(len(IPTC) % 2)


def exif() -> Image.Exif:
    """Return a description, a comment of the photographer, and a location."""
    made = Image.Exif()
    made[ExifTags.Base.ImageDescription] = made[ExifTags.Base.Copyright] = CANARY
    made.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = SECRET
    made.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.BodySerialNumber] = CANARY
    made.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    made.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 30.0)
    return made


def jpeg(image: Image.Image = COLOURS, **options: Any) -> bytes:
    """EXIF with a thumbnail, XMP in two parts, IPTC, a profile, a comment, a private segment; bytes after the end."""
    small = encoded(COLOURS.resize((16, 16)), comment=CANARY)
    with_info = {"icc_profile": PROFILE, "comment": CANARY, "exif": exif(), "dpi": (300, 300)}
    data = encoded(image, **{"quality": 95} | with_info | options)
    segments = b"".join(segment(*JPEG_PARTS[name]) for name in JPEG_PARTS if name not in {"comment", "profile"})
    segments += segment(0xE1, b"Exif\0\0" + _with_thumbnail(small))
    return data[:2] + segments + data[2:] + SECRET + small


def jpeg_with(part: str) -> bytes:
    """Return a JPEG with one metadata segment."""
    data = encoded(COLOURS, quality=95)
    return data[:2] + segment(*JPEG_PARTS[part]) + data[2:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def _with_thumbnail(small: bytes) -> bytes:
    """Return a description, and in a second directory the thumbnail that cameras embed."""
    described = struct.pack("<HHHIII", 1, ExifTags.Base.ImageDescription, 2, len(SECRET) + 1, 56, 26)
    place = struct.pack("<HHHII", 2, ExifTags.Base.JpegIFOffset, 4, 1, 64)
    length = struct.pack("<HHIII", ExifTags.Base.JpegIFByteCount, 4, 1, len(small), 0)
    return struct.pack("<2sHI", b"II", 42, 8) + described + place + length + SECRET.ljust(8, b"\0") + small


# By name: marker and content. The comment of an ordinary JPEG is the most common of them.
JPEG_PARTS = {
    "comment": (0xFE, SECRET),
    "exif": (0xE1, exif().tobytes()),
    "xmp": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    "more-xmp": (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", len(XMP), 0) + XMP),
    "iptc": (0xED, b"Photoshop 3.0\0" + PHOTOSHOP),
    "profile": (0xE2, b"ICC_PROFILE\0\1\1" + PROFILE),
    "maker": (0xE5, b"Maker\0" + SECRET),
}


def png(image: Image.Image = VEILED, profile: bytes | None = PROFILE) -> bytes:
    """Return texts of all three kinds, EXIF, a profile, a private chunk; bytes after the end."""
    texts = PngInfo()
    texts.add_text("Author", CANARY)
    texts.add_text("Comment", CANARY, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    texts.add(b"prVt", SECRET)
    return encoded(image, "PNG", pnginfo=texts, exif=exif(), icc_profile=profile, dpi=(300, 300)) + SECRET


def gif() -> bytes:
    """Return two frames with a comment, a plain text extension, XMP; bytes after the end."""
    indexed = paletted(FEW_COLOURS)
    table = indexed.getpalette()
    palette = [tuple(table[at : at + 3]) for at in range(0, len(table), 3)]
    frames = [
        gifs.Frame(*indexed.size, image.tobytes()) for image in (indexed, indexed.transpose(Image.Transpose.ROTATE_180))
    ]
    data = gifs.gif(indexed.size, palette, *frames, comment=SECRET, loops=0)
    start = data.index(b"!\xfe")
    xmp = b"!\xff\x0bXMP DataXMP" + gifs.in_parts(XMP)
    text = b"!\x01\x0c" + bytes(12) + gifs.in_parts(SECRET)
    return data[:start] + xmp + text + data[start:] + SECRET


def webp(image: Image.Image = VEILED, **options: Any) -> bytes:
    """Return EXIF, XMP, a profile, a private chunk; bytes after the end."""
    data = encoded(image, "WEBP", **{"lossless": True, "exif": exif(), "xmp": XMP, "icc_profile": PROFILE} | options)
    data += b"SECR" + struct.pack("<I", len(SECRET)) + SECRET
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:] + SECRET


def animated_webp() -> bytes:
    """Return the same with a second frame."""
    return webp(save_all=True, append_images=[VEILED.transpose(Image.Transpose.ROTATE_180)])


def avif(image: Image.Image = VEILED, **options: Any) -> bytes:
    """Return EXIF, XMP, a profile, a `free` box; bytes after the end."""
    data = encoded(image, "AVIF", **{"quality": 90, "exif": exif(), "xmp": XMP, "icc_profile": PROFILE} | options)
    return data + struct.pack(">I4s", 8 + len(SECRET), b"free") + SECRET


def heic(profile: bytes | None = PROFILE) -> bytes:
    """Return EXIF, XMP, a profile, a `free` box; bytes after the end."""
    file = pillow_heif.from_pillow(VEILED)
    file.info.update({"exif": exif().tobytes(), "xmp": XMP, "icc_profile": profile})
    out = BytesIO()
    file.save(out, quality=90)
    return out.getvalue() + struct.pack(">I4s", 8 + len(SECRET), b"free") + SECRET


def tiff(image: Image.Image = VEILED, profile: bytes | None = PROFILE) -> bytes:
    """Return descriptions, XMP, IPTC, Photoshop's blocks, EXIF, a location, a profile; a second page."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (270, 271, 305, 306, 315, 316, 33432):
        tags[tag] = CANARY
    for tag, value in ((700, XMP), (33723, IPTC), (34377, PHOTOSHOP)):
        tags.tagtype[tag] = 7
        tags[tag] = value
    for tag, value in exif().get_ifd(ExifTags.IFD.GPSInfo).items():
        tags.setdefault(ExifTags.IFD.GPSInfo, {})[tag] = value
    second = image.transpose(Image.Transpose.ROTATE_180)
    return encoded(image, "TIFF", tiffinfo=tags, icc_profile=profile, save_all=True, append_images=[second]) + SECRET


def bmp() -> bytes:
    """Return a profile, bytes between header and pixels and after them."""
    data = bmp_of_channels("BGR", 24, header=bmps.V5)(COLOURS, 1)
    (start,) = struct.unpack_from("<I", data, 10)
    between = SECRET + PROFILE
    return data[:10] + struct.pack("<I", start + len(between)) + data[14:start] + between + data[start:] + SECRET


# Each path through the processor: colours stay in a JPEG's planes, or are converted by a profile; grey, inks, alpha;
# large enough for the libvips engine.
FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg,
    "jpeg-srgb": lambda: jpeg(icc_profile=None),
    "jpeg-srgb-large": lambda: jpeg(COLOURS.resize((720, 480)), icc_profile=None),
    "jpeg-srgb-progressive": lambda: jpeg(icc_profile=None, progressive=True),
    "jpeg-rgb": lambda: jpeg(icc_profile=None, keep_rgb=True),
    "jpeg-grey": lambda: jpeg(GREYS, icc_profile=None),
    "jpeg-cmyk": lambda: jpeg(COLOURS.convert("CMYK"), icc_profile=None),
    "png": png,
    "png-opaque": lambda: png(COLOURS),
    "png-srgb": lambda: png(profile=None),
    "png-opaque-srgb": lambda: png(COLOURS, profile=None),
    "gif": gif,
    "webp": webp,
    "webp-opaque-srgb": lambda: webp(COLOURS, icc_profile=None),
    "webp-animated": animated_webp,
    "avif": avif,
    "avif-opaque-srgb": lambda: avif(COLOURS, icc_profile=None),
    "heic": heic,
    "heic-srgb": lambda: heic(profile=None),
    "tiff": tiff,
    "tiff-opaque-srgb": lambda: tiff(COLOURS, profile=None),
    "bmp": bmp,
}
