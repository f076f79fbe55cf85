"""Descriptions of common files that are not supported images, for messages that say what the file is."""

from __future__ import annotations

_RAW = "a camera's raw file"
_VIDEO = "a video"

# Signatures and their positions: at the start of a file, or after some bytes that declare a length.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"gimp xcf", "a GIMP document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
    (0, b"\xd0\xcf\x11\xe0", "an office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (4, b"JXL ", "a JPEG XL image"),
    (4, b"jP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"II\xbc\x01", "a JPEG XR image"),
    (0, b"\0\0\x01\0", "an icon"),
    (0, b"\0\0\x02\0", "a mouse pointer"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (0, b"#?RADIANCE", "a Radiance image"),
    (0, b"DDS ", "a texture"),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"IIU\0", _RAW),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (8, b"crx ", _RAW),
    (4, b"ftyp", "a video, or an image of an unknown kind"),
    (4, b"moov", _VIDEO),
    (4, b"mdat", _VIDEO),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO),
    (8, b"AVI ", _VIDEO),
)

_CHECKED_BYTES = 1024  # bytes of a text, to detect its kind
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL_CHARACTERS = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b") | {127}


def describe_file(data: bytes) -> str:
    """Return a description of a file that is not a supported image."""
    if not data:
        return "empty"
    for position, signature, name in _SIGNATURES:
        if data.startswith(signature, position):
            return name
    beginning = data[:_CHECKED_BYTES]
    return _kind_of_text(beginning) if _is_text(beginning) else "not in a known image format"


def _is_text(beginning: bytes) -> bool:
    """Return True for UTF-8, of which the last character may be cut off, or a byte order mark of UTF-16."""
    if beginning.startswith(_BYTE_ORDER_MARKS):
        return True
    try:
        beginning.decode()
    except UnicodeDecodeError as error:
        if error.start < _CHECKED_BYTES - 3:
            return False
    return _CONTROL_CHARACTERS.isdisjoint(beginning)


def _kind_of_text(beginning: bytes) -> str:
    beginning = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not beginning.startswith(b"<"):
        return "a text"
    if b"<svg" in beginning:
        return "an SVG drawing"
    return "a web page" if b"<html" in beginning or b"<!doctype html" in beginning else "XML"
