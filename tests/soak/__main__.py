"""Warm sequences of large images at the limit of a function's memory: `python -m tests.soak --help`.

The exit status is 1 if the function died, or rejected an image that its header allows.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from imgpipe_processor.imaging import Recipe
from tests.lambda_processor.test_package import PROCESSOR
from tests.soak.function import Ended, ProcessDiedError, warm
from tests.soak.images import KINDS, write

MB = 2**20


def main() -> int:
    options = _options()
    folder = Path(options.images or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(tuple(options.sizes_px), engine=options.engine)
    images = {kind: write(kind, recipe, options.memory_mb, folder) for kind in options.kinds}
    order = random.Random(options.seed)  # noqa: S311  a repeatable sequence
    ended: list[tuple[str, Ended]] = []
    with warm(
        options.memory_mb,
        engine=options.engine,
        sizes_px=options.sizes_px,
        folder=options.function,
        python=options.python,
    ) as function:
        try:
            for _ in range(options.runs):
                kind = order.choice(options.kinds)
                ended.append((kind, function.make(images[kind])))
                _print_result(kind, ended[-1][1])
        except ProcessDiedError as died:
            print(f"died: {died}")
            return 1
    return _summed_up(ended, options.memory_mb)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="images in the sequence")
    parser.add_argument("--memory-mb", type=int, default=512, help="of the function")
    parser.add_argument("--engine", choices=["pillow", "libvips"], default="pillow")
    parser.add_argument("--sizes-px", type=int, nargs="+", default=[512], help="of the thumbnails")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--seed", type=int, default=1, help="of the order of the images")
    parser.add_argument("--images", help="folder that keeps the images for the next time")
    parser.add_argument("--function", type=Path, default=PROCESSOR, help="folder of the function's unpacked package")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the function's runtime")
    return parser.parse_args()


def _print_result(kind: str, ended: Ended) -> None:
    if ended.refusal is not None:
        print(f"{kind}: {ended.refusal}", flush=True)


def _summed_up(ended: list[tuple[str, Ended]], memory_mb: int) -> int:
    counts = Counter(kind for kind, _ in ended)
    refused = Counter(kind for kind, one in ended if one.refusal is not None)
    for kind, count in sorted(counts.items()):
        print(f"{kind}: {count} images, {refused[kind]} refused")
    last = ended[-1][1]
    print(f"peak {last.peak_bytes / MB:.0f} of {memory_mb} MB, limit on data {last.limit_bytes / MB:.0f} MB")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
