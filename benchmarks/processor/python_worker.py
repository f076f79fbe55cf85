"""Make thumbnails for each JSON line on stdin, and write the cost of each as JSON.

Run by the function's Python with only the function's package, or the tutorial's handler, in its path.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Make = Callable[[bytes, tuple[int, ...], str], list[bytes]]


def processor(engine: str) -> Make:
    """Return the processor's function: all sizes in one call."""
    from imgpipe_processor.imaging import Limits, Recipe, make_thumbnails  # noqa: PLC0415 - not installed for the tutorial

    limits = Limits(
        max_pixels=100_000_000,
        max_frames=1_000,
        memory_bytes=int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) * 2**20,
    )

    def make(data: bytes, sizes: tuple[int, ...], output: str) -> list[bytes]:
        result = make_thumbnails(data, Recipe(sizes, output_format=output, engine=engine), limits)
        return [thumbnail.data for thumbnail in result.thumbnails]

    return make


def tutorial() -> Make:
    """Return the tutorial's function: a call for every size, the output format by content."""
    make_thumbnail = importlib.import_module("tutorial_handler").make_thumbnail

    def make(data: bytes, sizes: tuple[int, ...], _output: str) -> list[bytes]:
        return [make_thumbnail(data, size)[0] for size in sizes]

    return make


def versions() -> dict[str, str]:
    """Return the versions of the libraries that do the work."""
    found = {"Python": sys.version.split()[0]}
    for title, module in (("Pillow", "PIL"), ("pyvips", "pyvips")):
        try:
            found[title] = importlib.import_module(module).__version__
        except ImportError:
            continue
    return found


def answer(make: Make, request: dict[str, Any]) -> dict[str, Any]:
    """Answer a request: return the versions, or make thumbnails."""
    if "path" not in request:
        return {"versions": versions()}
    data = Path(request["path"]).read_bytes()
    sizes = tuple(request["sizes"])
    before = time.process_time_ns()
    made = make(data, sizes, request["output"])
    used = time.process_time_ns() - before
    for path, content in zip(request.get("write", ()), made, strict=False):
        Path(path).write_bytes(content)
    return {"cpu_ms": used / 1e6, "bytes": [len(one) for one in made]}


def main(name: str) -> None:
    """Answer requests until stdin ends."""
    make = tutorial() if name == "tutorial" else processor(name)
    for line in sys.stdin:
        print(json.dumps(answer(make, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
