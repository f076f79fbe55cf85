"""Make thumbnails in a separate process, as the function would, and return the results and the peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imgpipe_templates.subsystems.processing import ALLOCATOR

PROCESSOR = Path(__file__).parents[3] / "lambda" / "processor"

# CPU time, in seconds, after which the kernel ends the process. It ends endless work, not slow work: the slowest bomb
# needs 8 seconds here, and a busy machine needs several times as long.
MAX_CPU_SECONDS = 120

# The memory of the function's clients in addition to Python and Pillow, measured: 37 MB.
CLIENTS_BYTES = 40 * 2**20

_SCRIPT = """
import ctypes, json, resource, sys  # ctypes comes with the first image and stays
from pathlib import Path
from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.imaging import Animation, Limits, Recipe, limit_memory, make_thumbnails
from imgpipe_processor.imaging.structures import read_structure

memory_bytes, clients_bytes, cpu_seconds, recipe, *paths = sys.argv[1:]
recipe = json.loads(recipe)
if "animation" in recipe:
    recipe["animation"] = Animation(**recipe["animation"])
limits = Limits(49_000_000, 1_000, int(memory_bytes), heic=True)
clients = bytearray(b"1") * int(clients_bytes)
limit_memory(limits.memory_bytes)

def high():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime + resource.getrusage(resource.RUSAGE_SELF).ru_stime

for path in paths:
    data = Path(path).read_bytes()
    resource.setrlimit(resource.RLIMIT_CPU, (int(used()) + int(cpu_seconds), -1))
    Path("/proc/self/clear_refs").write_text("5")
    before, ended = high(), {}
    try:
        image = make_thumbnails(data, Recipe(**recipe), limits)
        ended["image"] = [image.format, image.width, image.height, image.frames]
        ended["counted_bytes"] = read_structure(data, limits).decoded_bytes
    except ImageRejectedError as refusal:
        ended["refusal"] = [refusal.category, refusal.message]
    except MemoryError:
        ended["refusal"] = ["too-large", "MemoryError"]
    print(json.dumps({**ended, "grew_bytes": high() - before, "peak_bytes": high()}), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """The result of an image.

    Args:
        image: format, width, height and frames; or else
        refusal: category and message.
        counted_bytes: the memory of decoding that the structure declares.
        grew_bytes: the growth of the process.
        peak_bytes: the largest size of the process.
    """

    grew_bytes: int
    peak_bytes: int
    image: list[object] | None = None
    refusal: list[str] | None = None
    counted_bytes: float = 0

    @property
    def category(self) -> str | None:
        """Return the category of the rejection; None if the image was accepted."""
        return self.refusal[0] if self.refusal else None


def ended(
    folder: Path, files: Mapping[str, bytes], recipe: Mapping[str, object], *, memory_mb: int = 512
) -> dict[str, Ended]:
    """Make thumbnails of all files, one after the other, in one process with this memory limit.

    Raises:
        AssertionError: the process died.
    """
    paths = []
    for number, data in enumerate(files.values()):
        paths.append(folder / str(number))
        paths[-1].write_bytes(data)
    numbers = map(str, (memory_mb * 2**20, CLIENTS_BYTES, MAX_CPU_SECONDS))
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *numbers, json.dumps(recipe), *paths],
        cwd=PROCESSOR,
        env={**os.environ, **ALLOCATOR},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    names = list(files)
    assert done.returncode == 0, (names[len(lines) : len(lines) + 1], done.returncode, done.stderr)
    assert not done.stderr
    return {name: Ended(**json.loads(line)) for name, line in zip(names, lines, strict=True)}
