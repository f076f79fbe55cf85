"""Wheels of a function's requirements for its runtime and architecture, resolved by pip and cached."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename

from imgpipe_templates.cache import cache_dir
from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.pip_download import download
from imgpipe_templates.packaging.required_wheels import required_wheels
from imgpipe_templates.packaging.wheel_from_sdist import SUFFIX, wheel_from_sdist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.target import Target

_LIST = "wheels.json"  # in a cache entry: file name -> sha256
_KEY_VERSION = 2  # version of the key and of the entry's format


@dataclass(frozen=True)
class Wheel:
    """A wheel in a package.

    Attributes:
        name: Normalised name of the distribution.
        file: File name in the index, or of the wheel that was converted from a source distribution.
        sha256: Hash of the file.
    """

    name: NormalizedName
    version: str
    file: str
    sha256: str
    content: bytes = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def fetch_wheels(
    pins: Sequence[Pin], target: Target, *, label: str, report: Callable[[str], None], python: str = sys.executable
) -> tuple[Wheel, ...]:
    """Return the wheels that `pins` need on `target`, from the cache or by pip.

    Args:
        pins: Pins of the requirements file.
        target: Runtime and architecture of the function.
        label: The requirements file's name in messages.
        report: Called with one line per step.
        python: Interpreter that runs pip. pip uses the user's configuration (index URLs, proxies).

    Raises:
        PackagingError: pip is missing or finds no such wheels, or a required wheel is not pinned.
    """
    if not pins:
        return ()
    folder = cache_dir() / "wheels" / _key(pins, target)
    wheels = _recall(folder, report)
    if wheels is None:
        report(f"fetching {', '.join(pin.requirement for pin in pins)} for {target}")
        found = download(pins, target, label=label, python=python)
        wheels = required_wheels(pins, tuple(_wheels(found, report)), target, label)
        _remember(folder, wheels)
    return wheels


def _wheels(found: Mapping[str, bytes], report: Callable[[str], None]) -> Iterator[Wheel]:
    for file, content in found.items():
        if file.endswith(SUFFIX):
            name, converted = wheel_from_sdist(file, content)
            report(f"converting {file} to {name}")
            yield _wheel(name, converted)
        else:
            yield _wheel(file, content)


def _key(pins: Sequence[Pin], target: Target) -> str:
    requested = [[pin.line, pin.from_source] for pin in pins]
    parts = [_KEY_VERSION, requested, target.runtime, target.platforms]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _recall(folder: Path, report: Callable[[str], None]) -> tuple[Wheel, ...] | None:
    try:
        listed: dict[str, str] = json.loads((folder / _LIST).read_text(encoding="utf-8"))
        wheels = tuple(_wheel(file, (folder / file).read_bytes()) for file in sorted(listed))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError):
        report(f"{folder} cannot be read; downloading again")
        return None
    for wheel in wheels:
        if wheel.sha256 != listed[wheel.file]:
            report(f"{wheel.file} is damaged in the cache; downloading again")
            return None
    return wheels


def _remember(folder: Path, wheels: Sequence[Wheel]) -> None:
    """Write the wheels to the cache, the list last: an incomplete entry has no list. A full disk is not an error."""
    listed = json.dumps({wheel.file: wheel.sha256 for wheel in wheels}, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in [*((wheel.file, wheel.content) for wheel in wheels), (_LIST, listed.encode())]:
            partial = folder / f"{name}.{os.getpid()}"
            partial.write_bytes(content)
            partial.replace(folder / name)
    except OSError:
        return


def _wheel(file: str, content: bytes) -> Wheel:
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except InvalidWheelFilename as error:
        raise PackagingError(f"{file}: name: not the name of a wheel; expected a file that pip downloaded") from error
    return Wheel(name, str(version), file, hashlib.sha256(content).hexdigest(), content)
