"""What people upload beside the pictures that are taken, or take for one: named, so that they know what to do."""

from __future__ import annotations

_RAW = "a camera's raw file"
_FILM = "a film"

# What a file begins with, or has behind some bytes that say how long something is.
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
    (4, b"ftyp", "a film, or an image of a kind that is not known"),
    (4, b"moov", _FILM),
    (4, b"mdat", _FILM),
    (0, b"\x1a\x45\xdf\xa3", _FILM),
    (8, b"AVI ", _FILM),
)

_LOOKED_AT = 1024  # bytes of a text, to tell what it is
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NOT_OF_TEXT = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b") | {127}


def what_it_is(data: bytes) -> str:
    """The kind of a file that is no image of those that are taken, as people call it."""
    if not data:
        return "empty"
    for place, signature, name in _SIGNATURES:
        if data.startswith(signature, place):
            return name
    beginning = data[:_LOOKED_AT]
    return _kind_of_text(beginning) if _is_text(beginning) else "no image that is known"


def _is_text(beginning: bytes) -> bool:
    """Whether it is UTF-8, of which the last character may be cut off, or says that it is UTF-16."""
    if beginning.startswith(_BYTE_ORDER_MARKS):
        return True
    try:
        beginning.decode()
    except UnicodeDecodeError as error:
        if error.start < _LOOKED_AT - 3:
            return False
    return _NOT_OF_TEXT.isdisjoint(beginning)


def _kind_of_text(beginning: bytes) -> str:
    beginning = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not beginning.startswith(b"<"):
        return "a text"
    if b"<svg" in beginning:
        return "an SVG drawing"
    return "a web page" if b"<html" in beginning or b"<!doctype html" in beginning else "XML"
