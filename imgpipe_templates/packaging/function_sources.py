"""Source folders of the Lambda functions, and the files of them that are packaged."""

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
EXTRA_REQUIREMENTS = "requirements-{}.txt"  # dependencies of some configurations
TRIMMED_REQUIREMENTS = "requirements-trimmed.txt"  # always in the function's package, reduced by trim.toml
TRIM_FILE = "trim.toml"

_PACKAGE = Path(__file__).parent.parent
_NOT_PACKAGED_FOLDERS = frozenset({"__pycache__", "tests"})
_NOT_PACKAGED_SUFFIXES = (".pyc", ".pyo", ".egg-info")
_NOT_PACKAGED_FILES = re.compile(rf"requirements(-\w+)?\.txt|{re.escape(TRIM_FILE)}")


@dataclass(frozen=True)
class FunctionSource:
    """Source folder of one Lambda function, with index.py, its Python package and requirements.txt."""

    name: str
    folder: Path

    def requirement_files(self, extras: Sequence[str] = ()) -> list[str]:
        """Return the names of the requirements files: requirements.txt, then one for each of `extras`.

        Raises:
            PackagingError: The function has no such extra.
        """
        files = [path for path in self.folder.glob(EXTRA_REQUIREMENTS.format("*")) if path.name != TRIMMED_REQUIREMENTS]
        known = sorted(path.stem.partition("-")[2] for path in files)
        for extra in extras:
            if extra not in known:
                expected = f"expected {' or '.join(known)}" if known else "the function has no extras"
                raise PackagingError(f"{self.name}: {extra}: unknown extra; {expected}")
        return [REQUIREMENTS_FILE, *(EXTRA_REQUIREMENTS.format(extra) for extra in sorted(set(extras)))]


def lambda_sources(package: Path = _PACKAGE) -> Path:
    """Return the folder that contains one folder per Lambda function.

    Args:
        package: Folder of the imported `imgpipe_templates`.

    Raises:
        PackagingError: The folder exists neither in the package (installed wheel) nor next to it (working copy).
    """
    installed, checkout = package / "_lambda", package.parent / "lambda"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise PackagingError(f"lambda: sources: neither {installed} nor {checkout} exists; install the package again")


def function_source(name: str, sources: Path | None = None) -> FunctionSource:
    """Return the sources of a function.

    Args:
        name: Name of its folder, such as `processor`.
        sources: Folder of the functions' folders; None for the project's functions.

    Raises:
        PackagingError: The function does not exist, or has no handler file.
    """
    root = sources or lambda_sources()
    names = sorted(folder.parent.name for folder in root.glob(f"*/{HANDLER_FILE}"))
    if name in names:
        return FunctionSource(name, root / name)
    if (root / name).is_dir() and name and Path(name).name == name:
        raise PackagingError(f"{name}: {HANDLER_FILE}: missing in {root / name}; expected the function's handler")
    near = get_close_matches(name, names, n=1)
    expected = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names) or 'none'}"
    raise PackagingError(f"{root}: {name}: no such function; {expected}")


def packaged_files(source: FunctionSource) -> dict[str, bytes]:
    """Return the contents of the function's own files by path in the package, slashes between folders.

    Tests, bytecode, hidden files and the packager's configuration files are excluded.

    Raises:
        PackagingError: A file is a symbolic link, whose target may differ on another machine.
    """
    found: list[Path] = []
    for parent, folders, files in os.walk(source.folder):
        folders[:] = [name for name in folders if name not in _NOT_PACKAGED_FOLDERS and _is_packaged(name)]
        here = [Path(parent, name) for name in files if _is_packaged(name)]
        for path in [*here, *(Path(parent, name) for name in folders)]:
            if path.is_symlink():
                raise PackagingError(f"{source.name}: {path}: symbolic link; expected a file or folder")
        found += here
    inside = {path.relative_to(source.folder).as_posix(): path for path in found}
    try:
        return {name: path.read_bytes() for name, path in inside.items() if not _NOT_PACKAGED_FILES.fullmatch(name)}
    except OSError as error:
        raise PackagingError(f"{source.name}: sources: cannot be read ({error}); expected readable files") from error


def _is_packaged(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_NOT_PACKAGED_SUFFIXES)
