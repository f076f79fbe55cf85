"""A function's requirements.txt: exact pins, read for the runtime it will run on."""

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
    """One distribution at one version.

    Attributes:
        line: As pip reads it, without a marker.
        extras: Optional parts of it that are wanted.
        from_source: Whether it is taken from its source distribution, as pip's `--no-binary` says.
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
    """The pins of a requirements.txt that hold on `target`; none where there is no such file.

    Markers are evaluated here, because pip evaluates them for the interpreter it runs on, not for `--python-version`
    (pypa/pip issue 11198). Besides pins a file may have pip's `--no-binary <name>`, for a pin that has no wheel.

    Args:
        path: The file.
        target: Where the function will run.
        label: The file's name in messages.

    Raises:
        PackagingError: A line is not an exact pin; every such line is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as fault:
        raise PackagingError(f"{label}: text: cannot be read ({fault}); expected a text file in UTF-8") from fault
    lines = [_COMMENT.sub("", line).strip() for line in text.replace("\\\n", " ").splitlines()]
    from_source = {canonicalize_name(found[1]) for line in lines if (found := _NO_BINARY.fullmatch(line))}
    pins: list[Pin] = []
    faults: list[str] = []
    for wanted in lines:
        if not wanted or _NO_BINARY.fullmatch(wanted):
            continue
        try:
            pin = _pin(wanted, target)
        except ValueError as fault:
            faults.append(f"{label}: {wanted}: {fault}")
        else:
            pins += [replace(pin, from_source=pin.name in from_source)] if pin else []
    if faults:
        raise PackagingError("\n".join(faults))
    return tuple(sorted(pins, key=lambda pin: pin.line))


def _pin(wanted: str, target: Target) -> Pin | None:
    try:
        requirement = Requirement(_HASH.sub("", wanted))
    except InvalidRequirement as fault:
        raise ValueError("is not a requirement; expected <name>==<version>") from fault
    exact = [one for one in requirement.specifier if one.operator == "==" and not one.version.endswith(".*")]
    if requirement.url or len(requirement.specifier) != 1 or not exact:
        raise ValueError(
            f"is not an exact pin; expected {requirement.name}==<version>, so that every build is the same"
        )
    if requirement.marker and not requirement.marker.evaluate(target.markers):
        return None
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    name = canonicalize_name(requirement.name)
    hashes = "".join(f" --hash={value}" for value in sorted(_HASH.findall(wanted)))
    return Pin(name, f"{name}{extras}=={exact[0].version}{hashes}", frozenset(requirement.extras))
