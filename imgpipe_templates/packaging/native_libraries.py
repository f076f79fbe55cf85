"""Checks of native libraries against a target: processor, Python tag, C library and linked libraries."""

from __future__ import annotations

import io
import re
from itertools import islice
from typing import TYPE_CHECKING

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

if TYPE_CHECKING:
    from collections.abc import Collection

    from imgpipe_templates.packaging.target import Target

_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_FOREIGN = {".dylib": "macOS", ".pyd": "Windows", ".dll": "Windows"}
_PYTHON_TAG = re.compile(r"\.((?:cpython|pypy|graalpy|abi)[^./]*)\.so$")
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)")
# The GNU C Library 2.36 NEWS: the linker adds this marker to libraries with packed relative relocations
_GLIBC_MARKERS = {"GLIBC_ABI_DT_RELR": (2, 36)}
# Libraries that a manylinux wheel may expect on the system (PEP 599; zlib: auditwheel), without desktop libraries
_SYSTEM = re.compile(
    r"(ld-linux-(x86-64|aarch64)|libc|libdl|libgcc_s|libm|libpthread|libresolv|librt|libstdc\+\+|libutil|libz)\.so\.\d"
)
_MAX_VERSIONS = 10_000  # a library has some tens; a damaged list may be circular
_ARCHITECTURES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}


def native_library_errors(name: str, content: bytes, target: Target, packaged_names: Collection[str]) -> list[str]:
    """Return the reasons why the file cannot be loaded on `target`; an empty list for a file without native code.

    Args:
        name: Path in the package.
        content: Contents of the file.
        target: Runtime and architecture of the function.
        packaged_names: Names, without folders, of all files in the package.
    """
    errors = [f"is built for {system}; expected Linux" for suffix, system in _FOREIGN.items() if name.endswith(suffix)]
    is_library = bool(_LIBRARY.search(name))
    if content.startswith(b"\x7fELF"):
        try:
            errors += _elf_errors(content, target, packaged_names)
        except (ELFError, ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
            errors.append(f"is a damaged ELF file ({error})")
    elif is_library:
        errors.append("is not an ELF file; expected a library for Linux")
    if tagged := _PYTHON_TAG.search(name):
        expected = "cpython-{}{}-{}-linux-gnu".format(*target.version, target.machine)
        if tagged[1] not in {expected, "abi3"}:
            errors.append(f"is tagged {tagged[1]}; expected {expected} or abi3")
    return errors


def _elf_errors(content: bytes, target: Target, packaged_names: Collection[str]) -> list[str]:
    elf = ELFFile(io.BytesIO(content))
    errors: list[str] = []
    if elf.elfclass != 64 or not elf.little_endian:  # noqa: PLR2004 - the word size of both architectures
        order = "little" if elf.little_endian else "big"
        errors.append(f"is {elf.elfclass}-bit, {order} endian; expected 64-bit, little endian")
    machine = elf["e_machine"]
    built_for = _ARCHITECTURES.get(machine, machine)
    if built_for != target.architecture:
        errors.append(f"is built for {built_for}; expected {target.architecture}")
    if elf.num_sections() == 0:
        return [*errors, "has no section headers, which name the required glibc version; expected section headers"]
    needed = max((_version(symbol) for symbol in _version_needs(elf)), default=(0, 0))
    if needed > target.available_glibc:
        errors.append(
            "needs glibc {}.{}; expected at most {}.{}, the version of {}".format(
                *needed, *target.available_glibc, target
            )
        )
    missing = [one for one in _libraries(elf) if one not in packaged_names and not _SYSTEM.fullmatch(one)]
    return [*errors, *(f"needs {one}, which is neither in the package nor on {target}" for one in missing)]


def _libraries(elf: ELFFile) -> list[str]:
    """Return the names of the libraries that the file is linked to."""
    sections = [section for section in elf.iter_sections() if isinstance(section, DynamicSection)]
    tags = [tag for section in sections for tag in section.iter_tags("DT_NEEDED")]
    return [tag.needed for tag in tags]  # type: ignore[attr-defined] # pyelftools sets it by the kind of the tag


def _version_needs(elf: ELFFile) -> list[str]:
    names: list[str] = []
    for section in elf.iter_sections():
        if not isinstance(section, GNUVerNeedSection):
            continue
        if section.num_versions() > _MAX_VERSIONS:
            raise ELFError("lists too many libraries with versions")
        symbols = (symbol.name for _, symbols in section.iter_versions() for symbol in symbols)
        names += islice(symbols, _MAX_VERSIONS + 1)
        if len(names) > _MAX_VERSIONS:
            raise ELFError("lists too many symbol versions")
    return names


def _version(symbol: str) -> tuple[int, int]:
    if found := _GLIBC.match(symbol):
        return int(found[1]), int(found[2])
    return _GLIBC_MARKERS.get(symbol, (0, 0))
