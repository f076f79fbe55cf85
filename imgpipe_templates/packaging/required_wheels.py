"""Selection of the downloaded wheels that the target needs, with a check that each is present and pinned."""

from __future__ import annotations

import io
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.target import Target
    from imgpipe_templates.packaging.wheels import Wheel


def required_wheels(pins: Sequence[Pin], wheels: Sequence[Wheel], target: Target, label: str) -> tuple[Wheel, ...]:
    """Return the wheels that `pins` need on `target`, directly or indirectly, sorted by name.

    pip evaluates the markers of a wheel's dependencies for the interpreter that runs it (pypa/pip issue 11198). If that
    version differs from the target's, pip may download too many wheels, which are left out here, or too few.

    Raises:
        PackagingError: A wheel is missing, or a required wheel is not pinned in the requirements file.
    """
    by_name = {wheel.name: wheel for wheel in wheels}
    pinned = {pin.name for pin in pins}
    required: set[NormalizedName] = set()
    errors: set[str] = set()
    pending = [(pin.name, pin.extras, "") for pin in pins]
    seen = set(pending)
    while pending:
        name, extras, parent = pending.pop()
        wheel = by_name.get(name)
        if wheel is None:
            errors.add(f"{label}: {name}: required by {parent} on {target} but missing; add {name}==<version>")
            continue
        if name not in pinned:
            line = f"{name}=={wheel.version}"
            errors.add(
                f"{label}: {line}: required by {parent} but not pinned; add this line to make builds reproducible"
            )
        required.add(name)
        for requirement in _requirements(wheel, extras, target):
            dependency = (canonicalize_name(requirement.name), frozenset(requirement.extras), str(wheel))
            if dependency not in seen:
                seen.add(dependency)
                pending.append(dependency)
    if errors:
        raise PackagingError("\n".join(sorted(errors)))
    return tuple(by_name[name] for name in sorted(required))


def _requirements(wheel: Wheel, extras: Iterable[str], target: Target) -> list[Requirement]:
    try:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
        requirements = [Requirement(line) for line in headers.get_all("Requires-Dist", [])]
    except (StopIteration, zipfile.BadZipFile, ValueError) as error:
        raise PackagingError(f"{wheel.file}: METADATA: cannot be read ({error}); expected a complete wheel") from error
    environments = [{**target.markers, "extra": extra} for extra in ("", *extras)]
    return [
        one for one in requirements if not one.marker or any(one.marker.evaluate(values) for values in environments)
    ]
