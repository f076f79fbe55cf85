"""Which Python of this machine runs a function."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imgpipe_templates.errors import LocalEngineError

Version = tuple[int, int]

_SUPPORTED: tuple[Version, ...] = ((3, 14), (3, 13), (3, 12))  # Lambda's Python runtimes that are not deprecated
_OLDEST: Version = (3, 11)
_PROBE_SECONDS = 10
_QUESTION = "import sys; print(*sys.version_info[:3])"


@dataclass(frozen=True)
class Interpreter:
    """A Python that really runs.

    Attributes:
        is_exact: Whether it is of the version that the function's runtime names.
    """

    path: Path
    version: tuple[int, int, int]
    is_exact: bool

    def explain(self, runtime: str) -> str:
        """Say in one sentence what runs functions of `runtime`, and why."""
        number = ".".join(map(str, self.version))
        if self.is_exact:
            return f"functions of {runtime} run under Python {number} ({self.path})"
        return (
            f"functions of {runtime} run under Python {number} ({self.path}), the nearest version found:"
            f" {runtime} itself is not on this machine, so version differences stay unseen"
        )


def find_interpreter(runtime: str) -> Interpreter:
    """The interpreter for a Lambda runtime: the version it names if that is here, otherwise the nearest.

    Looked at: python3.x on PATH, pyenv's and uv's versions, and the Python that runs this. What only has the right
    name (pyenv's shims of inactive versions) is passed over.

    Raises:
        LocalEngineError: The runtime is not a Python runtime, or no usable interpreter is here.
    """
    match = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    if not match:
        message = f"local engine: runtime: {runtime!r} cannot be run here; expected a Python runtime such as python3.13"
        raise LocalEngineError(message)
    wanted = (int(match[1]), int(match[2]))
    # Newer before older at equal distance: what the function's runtime has, a newer Python mostly has too.
    others = sorted(set(_SUPPORTED) - {wanted}, key=lambda version: (abs(version[1] - wanted[1]), -version[1]))
    for version in (wanted, *others):
        for candidate in _candidates(version):
            if (found := _ask(candidate)) and found[:2] == version:
                return Interpreter(candidate, found, is_exact=version == wanted)
    own = sys.version_info[:3]
    if own[:2] < _OLDEST:
        number = ".".join(map(str, own))
        raise LocalEngineError(f"local engine: python: is {number}; expected 3.11 or later, best {runtime}")
    return Interpreter(Path(sys.executable), own, is_exact=own[:2] == wanted)


def _candidates(version: Version) -> Iterator[Path]:
    name = "python{}.{}".format(*version)
    if sys.version_info[:2] == version:
        yield Path(sys.executable)
    if on_path := shutil.which(name):
        yield Path(on_path)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for folder, pattern in ((pyenv, "{}.{}.*".format(*version)), (uv, "cpython-{}.{}.*".format(*version))):
        yield from sorted(folder.glob(f"{pattern}/bin/{name}"), key=_patch_level, reverse=True)


def _patch_level(interpreter: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", interpreter.parents[1].name))


def _ask(interpreter: Path) -> tuple[int, int, int] | None:
    """The version that an interpreter answers with, or None if it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603 - a Python of this machine, found in the places where Pythons are
            [interpreter, "-I", "-S", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
        major, minor, patch = map(int, answer.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor, patch
