"""The Pythons of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBE_SECONDS = 10
_QUESTION = "import sys; print(*sys.version_info[:3], sys.executable)"


@dataclass(frozen=True)
class Installed:
    """A Python that really runs.

    Attributes:
        path: The interpreter itself, as it names itself: a shim of pyenv needs the environment of its caller.
        version: With its patch release.
    """

    path: Path
    version: tuple[int, int, int]

    @property
    def number(self) -> str:
        """Its version, such as `3.13.0`."""
        return "{}.{}.{}".format(*self.version)

    def __str__(self) -> str:
        return f"Python {self.number}"


def installed(version: tuple[int, int]) -> Installed | None:
    """The first Python of a version that is found here; None where there is none.

    Looked at: python3.x on PATH, pyenv's and uv's versions, and the Python that runs this. What only has the right
    name (pyenv's shims of inactive versions) is passed over.
    """
    for candidate in _candidates(version):
        if (found := _ask(candidate)) and found.version[:2] == version:
            return found
    return None


def _candidates(version: tuple[int, int]) -> Iterator[Path]:
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


def _ask(interpreter: Path) -> Installed | None:
    """What an interpreter says of itself, or None if it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603 - a Python of this machine, found in the places where Pythons are
            [interpreter, "-I", "-S", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
        *version, path = answer.stdout.strip().split(maxsplit=3)
        major, minor, patch = map(int, version)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Installed(Path(path), (major, minor, patch))
