"""Processes that make thumbnails on request and measure themselves, so that engines can run in turn image by image."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHARP = "0.35.5"

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Engine:
    """A program that makes thumbnails.

    Attributes: name: Its name in tables. variables: Its whole environment except PATH.
    """

    name: str
    command: Sequence[str | Path]
    variables: Mapping[str, str]

    def with_variables(self, name: str, **variables: str) -> Engine:
        """Return the same engine with further variables."""
        return Engine(name, self.command, {**self.variables, **variables})


@dataclass(frozen=True)
class Made:
    """The cost of one request, in CPU milliseconds of the whole process, and the sizes of the thumbnails."""

    cpu_ms: float
    bytes: tuple[int, ...]


class Worker:
    """A running engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process that writes to it
        with pinned():
            self._process = subprocess.Popen(
                engine.command,
                env={"PATH": os.environ["PATH"], **engine.variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
            )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that do the work."""
        found: dict[str, str] = self._ask({})["versions"]
        return found

    def make(
        self, path: Path, sizes: Sequence[int], output: str, *, quality: int = 80, write: Sequence[Path] = ()
    ) -> Made:
        """Make thumbnails of an image.

        Args:
            path: The image; it is read before the clock starts.
            sizes: Sides of the squares they fit in, pixels.
            output: `jpeg`, `png` or `webp`.
            quality: Of JPEG and WebP, if the engine has that option.
            write: The paths to write them to, after the clock has stopped.
        """
        request = {"path": str(path), "sizes": sizes, "output": output, "quality": quality}
        answer = self._ask({**request, "write": [str(one) for one in write]})
        return Made(answer["cpu_ms"], tuple(answer["bytes"]))

    def peak_mb(self) -> float:
        """Return the peak memory of the process, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(f"{self.engine.name}: has no pipes")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps(request)}\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            log = self._log.read().decode(errors="replace")
            raise RuntimeError(f"{self.engine.name}: {request}: no answer\n{log}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Run processes that are started in this context on one core only, if the system supports it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def sharp_engine(work: Path) -> Engine | None:
    """Return sharp at the pinned version, installed in `work`; None without Node.

    Raises:
        RuntimeError: npm could not install it.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    folder = work / f"sharp-{SHARP}"
    modules = folder / "node_modules"
    if not (modules / "sharp").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", f"sharp@{SHARP}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"sharp {SHARP}: npm could not install it\n{done.stderr}")
    return Engine("sharp", [node, HERE / "sharp_worker.js"], {"NODE_PATH": str(modules)})


def python_engine(name: str, interpreter: Path, folders: Sequence[Path]) -> Engine:
    """Return the processor's engine of that name, or `tutorial`; `folders` are all folders to import from."""
    path = os.pathsep.join(map(str, folders))
    variables = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    return Engine(name, [interpreter, "-S", HERE / "python_worker.py", name], variables)
