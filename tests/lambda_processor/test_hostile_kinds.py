"""Files that are not supported images are named and rejected, and only image decoders read a file."""

import json
import subprocess
import sys

import pytest

from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails
from tests.fuzz.seeds import seeds
from tests.lambda_processor.fakes import encoded, photo
from tests.lambda_processor.hostile import boxes, crafted_tiffs
from tests.lambda_processor.hostile.children import PROCESSOR

LIMITS = Limits(max_pixels=1_000_000, max_frames=100, memory_bytes=512 * 2**20)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
LAUGHS = b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><lolz>&b;</lolz>'
ENTITY = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'


def refusal(data, **options):
    with pytest.raises(ImageRejectedError) as caught:
        make_thumbnails(data, Recipe((128,)), Limits(10**6, 100, 512 * 2**20, **options))
    return caught.value


def raw_of_tiff(*more):
    return crafted_tiffs.grey(64, 64, *more)


NAMED = {
    "empty": [b""],
    "a text": [b"Dear cat,\n", "Liebe Grüße".encode(), "words".encode("utf-16"), b"GIF", b"P3\n9 9\n255\n"],
    "an SVG drawing": [SVG, b"\xef\xbb\xbf\n " + SVG, b"<!-- drawn -->\n" + SVG, ENTITY],
    "XML": [LAUGHS, b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'],
    "a web page": [b"<!DOCTYPE html><title>404</title>", b"<html><body>moved</body></html>"],
    "a PDF document": [b"%PDF-1.7\n"],
    "a PostScript document": [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\xc5\xd0\xd3\xc6" + bytes(26)],
    "a Photoshop document": [b"8BPS\0\1" + bytes(20)],
    "a ZIP archive or an office document": [b"PK\x03\x04" + bytes(26)],
    "an office document": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
    "a gzip archive": [b"\x1f\x8b\x08" + bytes(9)],
    "a JPEG XL image": [b"\xff\x0a" + bytes(9), b"\0\0\0\x0cJXL \r\n\x87\n"],
    "a JPEG 2000 image": [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51" + bytes(9)],
    "an icon": [encoded(photo(16, 16), "ICO")],
    "a camera's raw file": [
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
        b"IIRO\x08\0\0\0",
        b"FUJIFILMCCD-RAW 0201",
        raw_of_tiff()[:8] + b"CR\2\0" + raw_of_tiff()[12:],
        raw_of_tiff(crafted_tiffs.Entry(50706, crafted_tiffs.BYTE, (1, 4, 0, 0))),
        raw_of_tiff(
            crafted_tiffs.Entry(254, crafted_tiffs.LONG, (1,)), crafted_tiffs.Entry(330, crafted_tiffs.LONG, (8,))
        ),
    ],
    "a video, or an image of an unknown kind": [b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"],
    "a video": [b"\x1a\x45\xdf\xa3" + bytes(20), b"RIFF\0\0\0\0AVI LIST"],
    "a HEIC image, which this function is not configured for": [boxes.file_type(b"heic") + bytes(99)],
    "not in a known image format": [bytes(100), b"\xff\xd8", b"\x89PNX\r\n\x1a\n", b"RIFF\0\0\0\0WAVEfmt "],
}


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, several in NAMED.items() for data in several])
def test_message_names_the_kind_of_a_file_that_is_no_image(name, data):
    refused = refusal(data)

    assert refused.category == "unsupported"
    assert refused.message.startswith(f"the object is {name}; expected ")


def test_message_expects_heic_if_heic_is_enabled():
    assert refusal(b"words").message.endswith("expected JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP")
    assert refusal(b"words", heic=True).message.endswith("expected JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF or BMP")


# The other formats that Pillow reads and writes, and the mode that it writes them in.
OTHERS = {
    "BLP": "P",
    "DDS": "RGB",
    "DIB": "RGB",
    "EPS": "RGB",
    "ICNS": "RGB",
    "ICO": "RGB",
    "JPEG2000": "RGB",
    "MSP": "1",
    "PCX": "RGB",
    "PDF": "RGB",
    "PPM": "RGB",
    "QOI": "RGB",
    "SGI": "RGB",
    "SPIDER": "F",
    "TGA": "RGB",
    "XBM": "1",
}


@pytest.mark.parametrize("image_format", OTHERS)
def test_other_formats_of_pillow_are_not_decoded(image_format):
    data = encoded(photo(64, 64).convert(OTHERS[image_format]), image_format)

    assert refusal(data).category == "unsupported"


AUDITED = """
import json, sys
from pathlib import Path
from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails

files = [Path(path).read_bytes() for path in sys.argv[1:]]
seen = set()
def audit(event, arguments):
    if event in {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "socket.connect"}:
        seen.add(event)
    if event == "open" and not str(arguments[0]).endswith((".py", ".pyc", ".so")):
        seen.add(f"open {arguments[0]}")
    if event == "import" and arguments[0].split(".")[0] in {"xml", "subprocess", "defusedxml", "urllib"}:
        seen.add(f"import {arguments[0]}")
sys.addaudithook(audit)
ends = []
for data in files:
    try:
        ends.append(make_thumbnails(data, Recipe((128,)), Limits(1_000_000, 100, 2**29)).format)
    except ImageRejectedError as refusal:
        ends.append(refusal.category)
print(json.dumps([sorted(seen), ends]))
"""


def test_decoding_opens_no_file_starts_no_process_and_reads_no_xml(tmp_path):
    files = [*(data for several in NAMED.values() for data in several), *seeds().values()]
    for number, data in enumerate(files):
        (tmp_path / f"{number:04}").write_bytes(data)

    done = subprocess.run(
        [sys.executable, "-c", AUDITED, *sorted(tmp_path.iterdir())],
        cwd=PROCESSOR,
        capture_output=True,
        text=True,
        check=True,
    )

    seen, ends = json.loads(done.stdout)
    assert set(seen) <= {"open /dev/null", "open /proc/self/statm"}  # for libtiff's messages; for the used memory
    assert {"unsupported", "JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"} == set(ends)
    assert not done.stderr
