"""Where the sources of the Lambda functions are, and which of their files belong into a package."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Sequence

HANDLER_FILE = "index.py"  # the handler of every function is index.lambda_handler
REQUIREMENTS_FILE = "requirements.txt"
EXTRA_REQUIREMENTS = "requirements-{}.txt"  # of what only some configurations need
TRIMMED_REQUIREMENTS = "requirements-trimmed.txt"  # of what is always in the function's own package, cut by trim.toml
TRIM_FILE = "trim.toml"

_PACKAGE = Path(__file__).parent.parent
_NOT_SHIPPED_FOLDERS = frozenset({"__pycache__", "tests"})
_NOT_SHIPPED_SUFFIXES = (".pyc", ".pyo", ".egg-info")
_NOT_SHIPPED_FILES = re.compile(rf"requirements(-\w+)?\.txt|{re.escape(TRIM_FILE)}")


@dataclass(frozen=True)
class FunctionSource:
    """The sources of one Lambda function: a folder with index.py, its package and requirements.txt."""

    name: str
    folder: Path

    def requirement_files(self, extras: Sequence[str] = ()) -> list[str]:
        """The names of its requirements files: what it always needs, then each of `extras`.

        Raises:
            PackagingError: It has no such extra.
        """
        files = [path for path in self.folder.glob(EXTRA_REQUIREMENTS.format("*")) if path.name != TRIMMED_REQUIREMENTS]
        known = sorted(path.stem.partition("-")[2] for path in files)
        for extra in extras:
            if extra not in known:
                expected = f"expected {' or '.join(known)}" if known else "it has no extras"
                raise PackagingError(f"{self.name}: {extra}: is no extra of this function; {expected}")
        return [REQUIREMENTS_FILE, *(EXTRA_REQUIREMENTS.format(extra) for extra in sorted(set(extras)))]


def lambda_sources(package: Path = _PACKAGE) -> Path:
    """The folder that holds one folder per Lambda function.

    Args:
        package: Folder of the installed `imgpipe_templates`.

    Raises:
        PackagingError: It is neither inside the package (a wheel was installed) nor beside it (a working copy).
    """
    installed, checkout = package / "_lambda", package.parent / "lambda"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise PackagingError(f"lambda: sources: neither {installed} nor {checkout} exists; install the package again")


def function_source(name: str, sources: Path | None = None) -> FunctionSource:
    """The sources of the function `name`.

    Args:
        name: A folder's name, such as `processor`.
        sources: The folder that holds it; None: the project's own.

    Raises:
        PackagingError: There is no such function, or it has no handler file.
    """
    root = sources or lambda_sources()
    known = sorted(folder.parent.name for folder in root.glob(f"*/{HANDLER_FILE}"))
    if name in known:
        return FunctionSource(name, root / name)
    if (root / name).is_dir() and name and Path(name).name == name:
        raise PackagingError(f"{name}: {HANDLER_FILE}: is missing in {root / name}; expected the function's handler")
    near = get_close_matches(name, known, n=1)
    expected = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known) or 'none'}"
    raise PackagingError(f"{root}: {name}: no such function; {expected}")


def shipped_files(source: FunctionSource) -> dict[str, bytes]:
    """The function's own files by their names in the package, slashes between folders.

    Tests, bytecode, hidden files and what is for the packager alone stay behind.

    Raises:
        PackagingError: A symbolic link is among them: what it points to is different on another machine.
    """
    found: list[Path] = []
    for parent, folders, files in os.walk(source.folder):
        folders[:] = [name for name in folders if name not in _NOT_SHIPPED_FOLDERS and _is_shipped(name)]
        here = [Path(parent, name) for name in files if _is_shipped(name)]
        for path in [*here, *(Path(parent, name) for name in folders)]:
            if path.is_symlink():
                raise PackagingError(f"{source.name}: {path}: is a symbolic link; expected a file or folder")
        found += here
    inside = {path.relative_to(source.folder).as_posix(): path for path in found}
    try:
        return {name: path.read_bytes() for name, path in inside.items() if not _NOT_SHIPPED_FILES.fullmatch(name)}
    except OSError as fault:
        raise PackagingError(f"{source.name}: sources: cannot be read ({fault}); expected readable files") from fault


def _is_shipped(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_NOT_SHIPPED_SUFFIXES)
