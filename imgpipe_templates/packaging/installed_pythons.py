"""Python interpreters that are installed on this machine."""

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
_PRINT_VERSION = "import sys; print(*sys.version_info[:3], sys.executable)"


@dataclass(frozen=True)
class Installed:
    """An installed interpreter that was started successfully.

    Attributes:
        path: `sys.executable` of the interpreter. A pyenv shim would depend on the environment of its caller.
        version: Version with patch release.
    """

    path: Path
    version: tuple[int, int, int]

    @property
    def number(self) -> str:
        """The version as text, such as `3.13.0`."""
        return "{}.{}.{}".format(*self.version)

    def __str__(self) -> str:
        return f"Python {self.number}"


def installed(version: tuple[int, int]) -> Installed | None:
    """Return the first interpreter of a version; None if none is installed.

    Searched: the running interpreter, `python3.x` on PATH, and the versions of pyenv and uv. A program that
    does not run as that version, such as a pyenv shim of an inactive version, is skipped.
    """
    for candidate in _candidates(version):
        if (found := _installed_at(candidate)) and found.version[:2] == version:
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


def _installed_at(interpreter: Path) -> Installed | None:
    """Return path and version as printed by the interpreter; None if it does not run."""
    try:
        completed = subprocess.run(  # noqa: S603 - an interpreter in one of the usual folders
            [interpreter, "-I", "-S", "-c", _PRINT_VERSION],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
        *version, path = completed.stdout.strip().split(maxsplit=3)
        major, minor, patch = map(int, version)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Installed(Path(path), (major, minor, patch))
