"""For any bytes, an upload ends as processed or failed, with a category and a fixed message."""

import ast
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgpipe_processor.imaging import structures
from imgpipe_processor.imaging.structures import unsupported_files
from tests.cold_start import cold_start
from tests.fuzz.seeds import seeds
from tests.lambda_processor.deliveries import SOURCE, record
from tests.lambda_processor.fakes import SETTINGS, Aws, run
from tests.lambda_processor.hostile import (
    boxes,
    crafted_bmps,
    crafted_gifs,
    crafted_jpegs,
    crafted_tiffs,
    crafted_webps,
)
from tests.lambda_processor.hostile.children import PROCESSOR
from tests.lambda_processor.test_package import ENVIRONMENT

PERMANENT = {"unsupported", "corrupt", "too-large"}
KEY = "canary/of the key.jpg"
METADATA = {"owner": "canary of the metadata"}

SEEDS = list(seeds().values())
HOSTILE = [
    crafted_gifs.gif(65_535, 65_535, crafted_gifs.image(1, 1)),
    crafted_webps.riff((b"VP8X", bytes(10))),
    boxes.described(boxes.size(64, 64)),
    crafted_tiffs.tiled(64, 64, 10**6, b"canary"),
    crafted_jpegs.baseline(64, 64, before=crafted_jpegs.segment(0xFE, b"canary of the comment"))
    + b"canary after the end",
    crafted_bmps.bmp(64, 64, b"canary", compression=crafted_bmps.RLE8),
    b"canary of the text",
    b"",
]


def ended(data, key=KEY):
    """The item that is kept of an upload of these bytes."""
    aws = Aws(metadata=METADATA)
    aws.objects[SOURCE, key, "v1"] = (data, "image/jpeg")
    counts = run(aws, record(key), settings=SETTINGS)
    assert counts in ({"processed": 1}, {"failed": 1})
    assert (counts == {"processed": 1}) == bool(aws.uploads)
    return aws.item


# The values in a message: numbers, formats, and the names of other kinds of files.
VALUES = "|".join(
    (
        r"[0-9][0-9,]*",
        *structures.structure.DISPLAY_NAMES.values(),
        *("JPEG", "PNG", "GIF", "AVIF", "TIFF", "BMP"),
        *{name for *_, name in unsupported_files._SIGNATURES},
        *("empty", "not in a known image format", "a text", "an SVG drawing", "a web page", "XML"),
        *(structures.SUPPORTED, structures.SUPPORTED_WITH_HEIC),
        *("the (?:JPEG|PNG|GIF|WebP|AVIF|HEIC|TIFF|BMP) cannot be decoded",),
    )
)
REFUSERS = {"corrupt", "unsupported", "too_large", "damaged"}


def pattern(node):
    """Return a regular expression for the possible values of an expression."""
    if isinstance(node, ast.Constant):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            f"(?:{VALUES})" if isinstance(part, ast.FormattedValue) else pattern(part) for part in node.values
        )
    if isinstance(node, ast.IfExp):
        return f"(?:{pattern(node.body)}|{pattern(node.orelse)})"
    return ".{0}"  # a name: its values are matched where it is assigned


def messages():
    """Return a pattern for each message of a rejected image in the code."""
    found = set()
    for file in (PROCESSOR / "imgpipe_processor" / "imaging").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSERS:
                own = pattern(node.args[0])
                message = structures.structure.damaged("@")
                found.add(re.escape(message).replace("@", own) if node.func.id in {"corrupt", "damaged"} else own)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message":
                found.add(pattern(node.value))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ImageRejectedError":
                found.add(pattern(node.args[1]))
    return found


MESSAGES = re.compile("|".join(f"(?:{each})" for each in sorted(messages())))


def check(item):
    if item["Status"] == {"S": "processed"}:
        return
    assert item["Status"] == {"S": "failed"}
    assert item["ErrorCategory"]["S"] in PERMANENT
    assert MESSAGES.fullmatch(item["ErrorMessage"]["S"]), item["ErrorMessage"]["S"]
    assert "canary" not in item["ErrorMessage"]["S"].lower()


@pytest.mark.parametrize("data", HOSTILE)
def test_error_message_of_a_hostile_upload_contains_only_fixed_words(data):
    check(ended(data))


def test_list_of_fixed_words_contains_all_messages():
    assert MESSAGES.fullmatch("the object is a text; expected JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP")
    assert MESSAGES.fullmatch("the image has 9 x 12 pixels; at most 1,000 are allowed")
    assert MESSAGES.fullmatch(
        "the image is truncated or damaged: the PNG is truncated; expected a whole file: save or upload it again"
    )
    assert not MESSAGES.fullmatch("the object is canary; expected JPEG, PNG, GIF, WebP, AVIF, TIFF or BMP")
    assert len(messages()) > 60


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=9)), max_size=6),
    st.floats(0.01, 1),
    st.booleans(),
)
def test_damaged_file_ends_as_processed_or_failed(data, damage, kept, cut):
    changed = bytearray(data)
    for place, words in damage:
        at = int(place * len(changed))
        changed[at : at + len(words)] = words

    check(ended(bytes(changed[: int(kept * len(changed))] if cut else changed)))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(2, 40), st.binary(max_size=200))
def test_random_bytes_after_a_signature_end_as_processed_or_failed(data, kept, others):
    check(ended(data[:kept] + others))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.floats(0, 1), st.floats(0, 1))
def test_parts_of_two_files_end_as_processed_or_failed(one, other, first, second):
    check(ended(one[: int(first * len(one))] + other[int(second * len(other)) :]))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("memory_mb", [256, 512])
def test_cold_start_sets_a_memory_limit_that_prevents_the_kill_of_the_process(memory_mb):
    environment = ENVIRONMENT | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}

    done = cold_start(
        PROCESSOR, "import index, resource; print(*resource.getrlimit(resource.RLIMIT_DATA))", environment=environment
    )

    soft, hard = map(int, done.stdout.split())
    assert (memory_mb - 90) * 2**20 < soft < memory_mb * 2**20
    assert hard == -1
