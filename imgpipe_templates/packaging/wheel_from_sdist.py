"""Conversion of a pure-Python source distribution to a wheel, without running code from it.

pyvips, which the engine `libvips` needs, is published only as a source distribution. `pip wheel` would run its build
script. That script compiles an extension if the machine has libvips, and the wheel records the version of the build
tool. The same pin would therefore produce different bytes on another machine or day. The engine makes thumbnails
of 1,024 px 14 % faster (docs/performance.md).
"""

from __future__ import annotations

import io
import tarfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.wheel_files import record_digest
from imgpipe_templates.packaging.zip_archive import is_safe, stored, write_zip

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".tar.gz"
_COMPILED = (".c", ".cc", ".cpp", ".pyx", ".rs", ".so")
_WHEEL = "Wheel-Version: 1.0\nGenerator: imgpipe-templates\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel_from_sdist(file: str, content: bytes) -> tuple[str, bytes]:
    """Return file name and bytes of the wheel. The bytes depend only on `content`.

    The wheel contains the package with the distribution's name from the root of the sources, PKG-INFO as METADATA, and
    the licence files that PKG-INFO names.

    Raises:
        PackagingError: The source distribution is damaged, has no such package, or the package is not pure Python.
    """
    stem = file.removesuffix(SUFFIX)
    name, _, version = stem.rpartition("-")
    try:
        files = _files(content, f"{stem}/")
        metadata = files["PKG-INFO"]
        license_files = HeaderParser().parsestr(metadata.decode("utf-8")).get_all("License-File", [])
        packaged = {f"{stem}.dist-info/licenses/{one}": files[one] for one in license_files}
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as fault:
        raise _unusable(file, "contents", f"cannot be read ({fault})") from fault
    package = {path: data for path, data in files.items() if path.startswith(f"{name}/")}
    if f"{name}/__init__.py" not in package:
        raise _unusable(file, f"{name}/__init__.py", "is missing")
    for path in package:
        if path.endswith(_COMPILED):
            raise _unusable(file, path, "requires compilation")
    packaged |= package
    packaged |= {f"{stem}.dist-info/METADATA": metadata, f"{stem}.dist-info/WHEEL": _WHEEL.encode()}
    record = f"{stem}.dist-info/RECORD"
    rows = "".join(f"{path},sha256={record_digest(data)},{len(data)}\n" for path, data in sorted(packaged.items()))
    packaged[record] = f"{rows}{record},,\n".encode()
    wheel = io.BytesIO()
    write_zip([stored(path, data, file) for path, data in sorted(packaged.items())], wheel)
    return f"{name}-{version}-py3-none-any.whl", wheel.getvalue()


def _files(content: bytes, root: str) -> Mapping[str, bytes]:
    """Return the regular files under `root`, by path relative to it."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        found = {one.name: archive.extractfile(one) for one in archive.getmembers() if one.isreg()}
        return {
            name.removeprefix(root): data.read()
            for name, data in found.items()
            if data and name.startswith(root) and is_safe(name)
        }


def _unusable(file: str, part: str, problem: str) -> PackagingError:
    return PackagingError(f"{file}: {part}: {problem}; expected a pure-Python source distribution")
