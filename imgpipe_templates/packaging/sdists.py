"""A wheel made of a source distribution that is pure Python: a choice of its files, without running any of them.

Building it as pip does would run its build script, which may compile what this machine has libraries for, and would
write down the version of the build tool: the same pin would give other bytes elsewhere or later.
"""

from __future__ import annotations

import io
import tarfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.archive import is_safe, stored, write_zip
from imgpipe_templates.packaging.unpacking import record_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".tar.gz"
_COMPILED = (".c", ".cc", ".cpp", ".pyx", ".rs", ".so")
_WHEEL = "Wheel-Version: 1.0\nGenerator: imgpipe-templates\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def made_wheel(file: str, content: bytes) -> tuple[str, bytes]:
    """The wheel of a source distribution: its file name and its bytes, which depend on `content` alone.

    In it are the package of the distribution's name, from the root of the sources, PKG-INFO as METADATA, and the
    licences that this names.

    Raises:
        PackagingError: It is not sound, has no such package, or the package is not pure Python.
    """
    stem = file.removesuffix(SUFFIX)
    name, _, version = stem.rpartition("-")
    try:
        files = _files(content, f"{stem}/")
        metadata = files["PKG-INFO"]
        licences = HeaderParser().parsestr(metadata.decode("utf-8")).get_all("License-File", [])
        shipped = {f"{stem}.dist-info/licenses/{one}": files[one] for one in licences}
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as fault:
        raise _unusable(file, "contents", f"cannot be read ({fault})") from fault
    package = {path: data for path, data in files.items() if path.startswith(f"{name}/")}
    if f"{name}/__init__.py" not in package:
        raise _unusable(file, f"{name}/__init__.py", "is missing")
    for path in package:
        if path.endswith(_COMPILED):
            raise _unusable(file, path, "would have to be compiled")
    shipped |= package
    shipped |= {f"{stem}.dist-info/METADATA": metadata, f"{stem}.dist-info/WHEEL": _WHEEL.encode()}
    record = f"{stem}.dist-info/RECORD"
    rows = "".join(f"{path},sha256={record_digest(data)},{len(data)}\n" for path, data in sorted(shipped.items()))
    shipped[record] = f"{rows}{record},,\n".encode()
    wheel = io.BytesIO()
    write_zip([stored(path, data, file) for path, data in sorted(shipped.items())], wheel)
    return f"{name}-{version}-py3-none-any.whl", wheel.getvalue()


def _files(content: bytes, root: str) -> Mapping[str, bytes]:
    """The plain files below `root`, by their paths from there."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        found = {one.name: archive.extractfile(one) for one in archive.getmembers() if one.isreg()}
        return {
            name.removeprefix(root): data.read()
            for name, data in found.items()
            if data and name.startswith(root) and is_safe(name)
        }


def _unusable(file: str, part: str, problem: str) -> PackagingError:
    return PackagingError(f"{file}: {part}: {problem}; expected a source distribution in pure Python")
