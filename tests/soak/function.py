"""The function in a separate process, warm, at the limit of its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imgpipe_templates.subsystems.processing import ALLOCATOR
from tests.lambda_processor.test_package import ENVIRONMENT, PROCESSOR
from tests.soak.images import MAX_PIXELS

_SCRIPT = """
import json, resource, sys
from pathlib import Path
import index
from imgpipe_processor.failures import ImageRejectedError
from imgpipe_processor.handler import PROCESSOR
from imgpipe_processor.imaging import make_thumbnails

def status():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines) if "kB" in value}

for line in sys.stdin:
    data = Path(line.strip()).read_bytes()
    try:
        made, refusal = make_thumbnails(data, PROCESSOR.settings.recipe, PROCESSOR.settings.limits), None
    except ImageRejectedError as rejected:
        refusal = str(rejected)
    except MemoryError:
        refusal = "MemoryError"
    data = None
    memory = status()
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    print(json.dumps([refusal, memory["VmHWM"] * 1024, memory["VmData"] * 1024, limit]), flush=True)
"""


class ProcessDiedError(Exception):
    """The function's process ended; the message names the image and the exit status."""


@dataclass(frozen=True)
class Ended:
    """The result of an image.

    Args:
        refusal: category and message; None for an image whose thumbnails were made.
        peak_bytes: the peak resident memory of the process so far.
        data_bytes: the memory that the kernel counts against `limit_bytes` after the image.
    """

    refusal: str | None
    peak_bytes: int
    data_bytes: int
    limit_bytes: int


class Function:
    """A warm function."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def make(self, path: Path) -> Ended:
        """Make the thumbnails of an image.

        Raises:
            ProcessDiedError: the process did not answer.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            raise ProcessDiedError(f"{path.name}: exit status {self._process.wait()}")
        return Ended(*json.loads(line))


@contextmanager
def warm(
    memory_mb: int,
    *,
    engine: str,
    sizes_px: Sequence[int],
    folder: Path = PROCESSOR,
    python: str = sys.executable,
) -> Iterator[Function]:
    """Start the function as its template does: these variables, and those of the allocator.

    Args:
        memory_mb: of the function.
        engine: of the function.
        sizes_px: of the thumbnails.
        folder: the code; an unpacked package, or the sources.
        python: the interpreter of the runtime.
    """
    first, *others = map(str, sizes_px)
    environment = {
        **ENVIRONMENT,
        **ALLOCATOR,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "MAX_SOURCE_BYTES": str(100 * 2**20),
        "MAX_SOURCE_PIXELS": str(MAX_PIXELS),
        "THUMBNAIL_SIZE": first,
        "ENGINE": engine,
        "HEIC": "true",
        **({"EXTRA_THUMBNAIL_SIZES": ",".join(others)} if others else {}),
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        [python, "-c", _SCRIPT],
        cwd=folder,
        env={**kept, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Function(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
