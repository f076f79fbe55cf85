"""A warm function at the limit of its memory makes every picture that its header lets in, whatever came before it.

Threads, the allocator's variables and the limit together; `python -m tests.soak` does the same for longer.
"""

import random
import sys

import pytest

from imgpipe_processor.imaging import Recipe
from tests.soak.function import warm
from tests.soak.images import KINDS, write

MEMORY_MB = 160
MB = 2**20
ROUNDS = 3

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")


@pytest.mark.parametrize(
    ("engine", "sizes_px", "kinds"),
    [
        ("pillow", [512], list(KINDS)),
        ("libvips", [512, 1024], ["jpeg", "png-alpha", "webp", "webp-lossless"]),
    ],
)
def test_warm_pictures_at_the_limit_are_all_made(engine, sizes_px, kinds, tmp_path):
    recipe = Recipe(tuple(sizes_px), engine=engine)
    pictures = {kind: write(kind, recipe, MEMORY_MB, tmp_path) for kind in kinds}
    sequence = kinds * ROUNDS
    random.Random(engine).shuffle(sequence)  # noqa: S311  the same sequence every time

    with warm(MEMORY_MB, engine=engine, sizes_px=sizes_px) as function:
        ended = [(kind, function.make(pictures[kind])) for kind in sequence]

    assert {kind: one.refusal for kind, one in ended} == dict.fromkeys(kinds)
    assert [kind for kind, one in ended if one.refusal is not None] == []
    assert all(one.peak_bytes <= MEMORY_MB * MB for _, one in ended)
