"""The limit on a process's memory, in a child with the function's allocator: what it allows, returns and reports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from imgpipe_templates.subsystems.processing import ALLOCATOR
from tests.lambda_processor.fakes import encoded

PROCESSOR = Path(__file__).parents[2] / "lambda" / "processor"
MB = 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit and the allocator are Linux's")

START = """
import json, resource, sys
from io import BytesIO
from PIL import Image
from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging.process_memory import (
    limit_memory, trim_heap, raising_memory_errors, update_limit, reuse_heap, available_bytes
)
Image.init()
MB = 2**20

def blocks(count):
    taken = []
    try:
        for _ in range(count):
            taken.append(b"1" * MB)
    except MemoryError:
        pass
    return taken

def decoded(data):
    try:
        with raising_memory_errors():
            Image.open(BytesIO(data)).load()
    except Exception as error:
        return type(error).__name__
    return "decoded"
"""


def of_child(script, data=b""):
    """Return what a script prints as JSON in a process with the function's allocator."""
    done = subprocess.run(
        [sys.executable, "-c", START + script],
        cwd=PROCESSOR,
        env={**os.environ, **ALLOCATOR},
        input=data,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def test_heap_keeps_free_pages_between_used_blocks_until_trim_heap_returns_them():
    before, freed, after = of_child("""
taken = blocks(48)
before = available_bytes(512 * MB)
del taken[::2]
freed = available_bytes(512 * MB)
trim_heap()
print(json.dumps([before, freed, available_bytes(512 * MB)]))
""")

    assert freed - before < MB  # the allocator keeps them
    assert after - freed > 22 * MB


def test_large_blocks_leave_no_holes_in_the_heap_after_trim_heap_until_it_is_reused():
    """A block that is freed below another stays in the heap, but a mapped one is returned to the system at once."""
    kept = of_child("""
def kept():
    before = available_bytes(512 * MB)
    lower, upper = b"1" * 64 * MB, b"1" * MB
    del lower
    after = available_bytes(512 * MB)
    return (before - after) // MB
found = [kept()]
trim_heap()
found.append(kept())
reuse_heap()
found.append(kept())
print(json.dumps(found))
""")

    assert [each >= 64 for each in kept] == [True, False, True], kept


def test_limited_process_can_use_all_of_its_memory_and_no_more():
    room, taken = of_child("""
limit_memory(128 * MB)
room = available_bytes(128 * MB)
print(json.dumps([room, len(blocks(256)) * MB]))
""")

    assert room - 4 * MB < taken <= room


def test_updated_limit_allows_pages_that_were_returned_between_used_blocks():
    refused, allowed, over = of_child("""
limit_memory(128 * MB)
taken = blocks(256)
del taken[::2]
trim_heap()
free = available_bytes(128 * MB)

def fits(size):
    try:
        return bool(bytearray(size))
    except MemoryError:
        return False

refused = fits(free - 8 * MB)
update_limit(128 * MB)
print(json.dumps([refused, fits(free - 8 * MB), fits(free + 8 * MB)]))
""")

    assert (refused, allowed, over) == (False, True, False)


def test_limit_that_was_never_set_is_not_updated():
    assert of_child("""
update_limit(128 * MB)
print(json.dumps(resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY))
""")


def test_decoder_error_becomes_a_memory_error_only_if_memory_was_refused():
    data = encoded(Image.new("RGB", (2000, 2000), (10, 200, 90)), "WEBP", lossless=True, quality=0, method=0)

    ends = of_child(
        """
data = sys.stdin.buffer.read()
ends = [decoded(data), decoded(data[:-8])]
limit_memory(128 * MB)
taken = blocks(256)
ends.append(decoded(data))
del taken
try:
    bytearray(512 * MB)
except MemoryError:
    ends.append(decoded(data[:-8]))
print(json.dumps(ends))
""",
        data,
    )

    damaged = ends[1]
    assert damaged not in {"decoded", "MemoryError"}
    assert ends == ["decoded", damaged, "MemoryError", damaged]


def test_rejected_image_keeps_its_category_if_memory_was_refused_before():
    assert of_child("""
limit_memory(128 * MB)
try:
    with raising_memory_errors():
        try:
            bytearray(512 * MB)
        except MemoryError:
            raise ImageRejectedError("corrupt", "damaged") from None
except Exception as error:
    print(json.dumps([type(error).__name__, error.category]))
""") == ["ImageRejectedError", "corrupt"]
