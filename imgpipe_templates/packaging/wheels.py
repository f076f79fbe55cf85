"""The wheels of a function's requirements for its runtime and architecture: resolved by pip, kept in the cache."""

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
from imgpipe_templates.packaging.dependencies import check_and_trim
from imgpipe_templates.packaging.downloads import download
from imgpipe_templates.packaging.sdists import SUFFIX, made_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.target import Target

_LIST = "wheels.json"  # in a cache entry: file name -> sha256
_KEY_VERSION = 2  # of what the key is made of and of the entry's form


@dataclass(frozen=True)
class Wheel:
    """A wheel that went into a package.

    Attributes:
        name: The distribution's normalised name.
        file: Its file name as the index has it, or as it was made of a source distribution.
        sha256: Of the file.
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
    """The wheels that `pins` need on `target`, by name; from the cache if they were fetched before.

    Args:
        pins: What the requirements file asks for.
        target: Where it will run.
        label: The requirements file's name in messages.
        report: Takes one line per step.
        python: The interpreter whose pip resolves; its configuration (index addresses, proxies) is the user's.

    Raises:
        PackagingError: pip is missing or finds no such wheels, or a wheel comes along that is not pinned.
    """
    if not pins:
        return ()
    place = cache_dir() / "wheels" / _key(pins, target)
    wheels = _recall(place, report)
    if wheels is None:
        report(f"fetching {', '.join(pin.requirement for pin in pins)} for {target}")
        found = download(pins, target, label=label, python=python)
        wheels = check_and_trim(pins, tuple(_wheels(found, report)), target, label)
        _remember(place, wheels)
    return wheels


def _wheels(found: Mapping[str, bytes], report: Callable[[str], None]) -> Iterator[Wheel]:
    for file, content in found.items():
        if file.endswith(SUFFIX):
            made, made_content = made_wheel(file, content)
            report(f"making {made} of {file}")
            yield _wheel(made, made_content)
        else:
            yield _wheel(file, content)


def _key(pins: Sequence[Pin], target: Target) -> str:
    asked = [[pin.line, pin.from_source] for pin in pins]
    parts = [_KEY_VERSION, asked, target.runtime, target.platforms]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _recall(place: Path, report: Callable[[str], None]) -> tuple[Wheel, ...] | None:
    try:
        listed: dict[str, str] = json.loads((place / _LIST).read_text(encoding="utf-8"))
        wheels = tuple(_wheel(file, (place / file).read_bytes()) for file in sorted(listed))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError):
        report(f"{place} is unreadable; fetching again")
        return None
    for wheel in wheels:
        if wheel.sha256 != listed[wheel.file]:
            report(f"{wheel.file} in the cache is damaged; fetching again")
            return None
    return wheels


def _remember(place: Path, wheels: Sequence[Wheel]) -> None:
    """Keep the wheels; the list comes last, so that an entry cut short is no entry. No room is no failure."""
    listed = json.dumps({wheel.file: wheel.sha256 for wheel in wheels}, indent=1)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, content in [*((wheel.file, wheel.content) for wheel in wheels), (_LIST, listed.encode())]:
            partial = place / f"{name}.{os.getpid()}"
            partial.write_bytes(content)
            partial.replace(place / name)
    except OSError:
        return


def _wheel(file: str, content: bytes) -> Wheel:
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except InvalidWheelFilename as fault:
        raise PackagingError(f"{file}: name: is not a wheel's; expected a file that pip downloaded") from fault
    return Wheel(name, str(version), file, hashlib.sha256(content).hexdigest(), content)
