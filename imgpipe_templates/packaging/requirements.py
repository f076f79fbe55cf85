"""Reader of a function's requirements.txt: exact pins, evaluated for the function's runtime."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from pathlib import Path

    from imgpipe_templates.packaging.target import Target

_HASH = re.compile(r"\s--hash=(\S+)")
_COMMENT = re.compile(r"(^|\s)#.*$")
_NO_BINARY = re.compile(r"--no-binary[= ]\s*([\w.-]+)")


@dataclass(frozen=True)
class Pin:
    """One distribution with an exact version.

    Attributes:
        line: The line for pip, without a marker.
        extras: Requested extras of the distribution.
        from_source: True if the file lists it with `--no-binary`: its source distribution is used.
    """

    name: NormalizedName
    line: str
    extras: frozenset[str]
    from_source: bool = False

    @property
    def requirement(self) -> str:
        """The pin without hashes, such as `pillow==13.0.0`."""
        return self.line.split()[0]


def read_requirements(path: Path, target: Target, label: str) -> tuple[Pin, ...]:
    """Return the pins of a requirements.txt that apply to `target`; an empty tuple if the file does not exist.

    Markers are evaluated here, because pip evaluates them for the interpreter it runs on, not for `--python-version`
    (pypa/pip issue 11198). The file may also contain `--no-binary <name>` for a pin without a wheel.

    Args:
        path: The requirements file.
        target: Runtime and architecture of the function.
        label: The file's name in messages.

    Raises:
        PackagingError: Lines are not exact pins. The message names all of them.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise PackagingError(f"{label}: text: cannot be read ({error}); expected a UTF-8 text file") from error
    lines = [_COMMENT.sub("", line).strip() for line in text.replace("\\\n", " ").splitlines()]
    from_source = {canonicalize_name(found[1]) for line in lines if (found := _NO_BINARY.fullmatch(line))}
    pins: list[Pin] = []
    errors: list[str] = []
    for line in lines:
        if not line or _NO_BINARY.fullmatch(line):
            continue
        try:
            pin = _pin(line, target)
        except ValueError as error:
            errors.append(f"{label}: {line}: {error}")
        else:
            pins += [replace(pin, from_source=pin.name in from_source)] if pin else []
    if errors:
        raise PackagingError("\n".join(errors))
    return tuple(sorted(pins, key=lambda pin: pin.line))


def _pin(line: str, target: Target) -> Pin | None:
    try:
        requirement = Requirement(_HASH.sub("", line))
    except InvalidRequirement as error:
        raise ValueError("not a requirement; expected <name>==<version>") from error
    exact = [one for one in requirement.specifier if one.operator == "==" and not one.version.endswith(".*")]
    if requirement.url or len(requirement.specifier) != 1 or not exact:
        raise ValueError(f"not an exact pin; expected {requirement.name}==<version>, which makes builds reproducible")
    if requirement.marker and not requirement.marker.evaluate(target.markers):
        return None
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    name = canonicalize_name(requirement.name)
    hashes = "".join(f" --hash={value}" for value in sorted(_HASH.findall(line)))
    return Pin(name, f"{name}{extras}=={exact[0].version}{hashes}", frozenset(requirement.extras))
