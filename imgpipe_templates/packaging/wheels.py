"""The wheels of a function's requirements for its runtime and architecture: resolved by pip, kept in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename

from imgpipe_templates.cache import cache_dir
from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.dependencies import check_and_trim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.target import Target

_LIST = "wheels.json"  # in a cache entry: file name -> sha256
_KEY_VERSION = 1  # of what the key is made of and of the entry's form


@dataclass(frozen=True)
class Wheel:
    """A wheel that went into a package.

    Attributes:
        name: The distribution's normalised name.
        file: Its file name as the index has it.
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
    lines = [pin.line for pin in pins]
    place = cache_dir() / "wheels" / _key(lines, target)
    wheels = _recall(place, report)
    if wheels is None:
        report(f"fetching {', '.join(line.split()[0] for line in lines)} for {target}")
        wheels = check_and_trim(pins, _download(lines, target, label, python), target, label)
        _remember(place, wheels)
    return wheels


def _key(lines: Sequence[str], target: Target) -> str:
    parts = [_KEY_VERSION, lines, target.runtime, target.platforms]
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


def _download(lines: Sequence[str], target: Target, label: str, python: str) -> tuple[Wheel, ...]:
    with tempfile.TemporaryDirectory(prefix="imgpipe-wheels-") as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = Path(folder, "wheels")
        command = [python, "-P", "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-color"]
        command += ["--progress-bar=off", "--only-binary=:all:", "--implementation=cp", f"--dest={found}"]
        command += ["--python-version={}.{}".format(*target.version)]
        command += [f"--abi={abi}" for abi in (target.abi, "abi3", "none")]
        command += [f"--platform={platform}" for platform in target.platforms]
        answer = subprocess.run(  # noqa: S603 - this interpreter's own pip, arguments built here
            [*command, f"--requirement={wanted}"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if answer.returncode:
            raise PackagingError(_explain(answer.stderr, lines, target, label, python))
        return tuple(_wheel(path.name, path.read_bytes()) for path in sorted(found.iterdir()))


def _explain(stderr: str, lines: Sequence[str], target: Target, label: str, python: str) -> str:
    """One line out of pip's many: what was asked for, what pip said last, what to do."""
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in said):
        return f"{python}: pip: is not installed there; install it with '{python} -m ensurepip'"
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    last = next((line for line in reversed(errors) if "ResolutionImpossible" not in line), (said or ["nothing"])[-1])
    named = [line.split()[0] for line in lines]
    asked = next((line for line in named if line in last), ", ".join(named))
    if any("Retrying (" in line for line in said):
        todo = "the package index did not answer: check the network and pip's configuration"
    else:
        glibc = "{}.{}".format(*target.available_glibc)
        todo = f"expected versions with a wheel for {target} and glibc {glibc} or older"
    return f"{label}: {asked}: pip finds no wheels for {target} ({last}); {todo}"


def _wheel(file: str, content: bytes) -> Wheel:
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except InvalidWheelFilename as fault:
        raise PackagingError(f"{file}: name: is not a wheel's; expected a file that pip downloaded") from fault
    return Wheel(name, str(version), file, hashlib.sha256(content).hexdigest(), content)
