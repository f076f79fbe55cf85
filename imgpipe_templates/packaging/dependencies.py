"""Which of the wheels that pip brought are needed on the target, and whether one is missing or not pinned."""

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


def check_and_trim(pins: Sequence[Pin], wheels: Sequence[Wheel], target: Target, label: str) -> tuple[Wheel, ...]:
    """The wheels that `pins` reach on `target`, by name.

    pip follows the dependencies of a wheel with the markers of the interpreter it runs on (pypa/pip issue 11198), so
    on another version than the target's it may bring too many wheels, which are left out, or too few: an error.

    Raises:
        PackagingError: A wheel is missing, or one is needed that the requirements file does not pin.
    """
    by_name = {wheel.name: wheel for wheel in wheels}
    pinned = {pin.name for pin in pins}
    reached: set[NormalizedName] = set()
    faults: set[str] = set()
    open_ends = [(pin.name, pin.extras, "") for pin in pins]
    seen = set(open_ends)
    while open_ends:
        name, extras, parent = open_ends.pop()
        wheel = by_name.get(name)
        if wheel is None:
            faults.add(f"{label}: {name}: is needed by {parent} on {target} but missing; add {name}==<version>")
            continue
        if name not in pinned:
            line = f"{name}=={wheel.version}"
            faults.add(f"{label}: {line}: comes with {parent} but is not pinned; add this line to keep builds the same")
        reached.add(name)
        for needed in _needs(wheel, extras, target):
            end = (canonicalize_name(needed.name), frozenset(needed.extras), str(wheel))
            if end not in seen:
                seen.add(end)
                open_ends.append(end)
    if faults:
        raise PackagingError("\n".join(sorted(faults)))
    return tuple(by_name[name] for name in sorted(reached))


def _needs(wheel: Wheel, extras: Iterable[str], target: Target) -> list[Requirement]:
    try:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
        needed = [Requirement(line) for line in headers.get_all("Requires-Dist", [])]
    except (StopIteration, zipfile.BadZipFile, ValueError) as fault:
        raise PackagingError(f"{wheel.file}: METADATA: cannot be read ({fault}); expected a complete wheel") from fault
    environments = [{**target.markers, "extra": extra} for extra in ("", *extras)]
    return [one for one in needed if not one.marker or any(one.marker.evaluate(values) for values in environments)]
