"""Whether compiled code in a package would load on its target: processor, Python tag, C library, other libraries."""

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
# The GNU C Library 2.36 NEWS: the marker that the linker leaves in what uses packed relative relocations
_GLIBC_MARKERS = {"GLIBC_ABI_DT_RELR": (2, 36)}
# What a manylinux wheel leaves to the system (PEP 599, and zlib by auditwheel's policy), less what is for desktops
_SYSTEM = re.compile(
    r"(ld-linux-(x86-64|aarch64)|libc|libdl|libgcc_s|libm|libpthread|libresolv|librt|libstdc\+\+|libutil|libz)\.so\.\d"
)
_MOST_VERSIONS = 10_000  # a library has some tens; a damaged list may point back to itself and never end
_ARCHITECTURES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}


def native_faults(name: str, content: bytes, target: Target, beside: Collection[str]) -> list[str]:
    """What keeps the file `name` from loading on `target`; nothing for a file without compiled code.

    Args:
        name: Its path.
        content: Its bytes.
        target: Where it has to load.
        beside: The names, without folders, of the files that come with it.
    """
    faults = [f"is built for {system}; expected Linux" for suffix, system in _FOREIGN.items() if name.endswith(suffix)]
    is_library = bool(_LIBRARY.search(name))
    if content.startswith(b"\x7fELF"):
        try:
            faults += _elf_faults(content, target, beside)
        except (ELFError, ValueError, LookupError, AttributeError, TypeError, OverflowError) as fault:
            faults.append(f"is a damaged ELF file ({fault})")
    elif is_library:
        faults.append("is not an ELF file; expected a library for Linux")
    if tagged := _PYTHON_TAG.search(name):
        expected = "cpython-{}{}-{}-linux-gnu".format(*target.version, target.machine)
        if tagged[1] not in {expected, "abi3"}:
            faults.append(f"is tagged {tagged[1]}; expected {expected} or abi3")
    return faults


def _elf_faults(content: bytes, target: Target, beside: Collection[str]) -> list[str]:
    elf = ELFFile(io.BytesIO(content))
    faults: list[str] = []
    if elf.elfclass != 64 or not elf.little_endian:  # noqa: PLR2004 - the word size of both architectures
        order = "little" if elf.little_endian else "big"
        faults.append(f"is {elf.elfclass}-bit, {order} endian; expected 64-bit, little endian")
    machine = elf["e_machine"]
    built_for = _ARCHITECTURES.get(machine, machine)
    if built_for != target.architecture:
        faults.append(f"is built for {built_for}; expected {target.architecture}")
    if elf.num_sections() == 0:
        return [*faults, "has no section headers; expected them, to tell which glibc it needs"]
    needed = max((_version(symbol) for symbol in _version_needs(elf)), default=(0, 0))
    if needed > target.available_glibc:
        faults.append(
            "needs glibc {}.{}; expected at most {}.{}, which is on {}".format(*needed, *target.available_glibc, target)
        )
    missing = [one for one in _libraries(elf) if one not in beside and not _SYSTEM.fullmatch(one)]
    return [*faults, *(f"needs {one}, which neither comes with it nor is on {target}" for one in missing)]


def _libraries(elf: ELFFile) -> list[str]:
    """The libraries that it names as needed."""
    sections = [section for section in elf.iter_sections() if isinstance(section, DynamicSection)]
    tags = [tag for section in sections for tag in section.iter_tags("DT_NEEDED")]
    return [tag.needed for tag in tags]  # type: ignore[attr-defined] # pyelftools sets it by the kind of the tag


def _version_needs(elf: ELFFile) -> list[str]:
    names: list[str] = []
    for section in elf.iter_sections():
        if not isinstance(section, GNUVerNeedSection):
            continue
        if section.num_versions() > _MOST_VERSIONS:
            raise ELFError("it names too many libraries with versions")
        symbols = (symbol.name for _, symbols in section.iter_versions() for symbol in symbols)
        names += islice(symbols, _MOST_VERSIONS + 1)
        if len(names) > _MOST_VERSIONS:
            raise ELFError("its list of symbol versions does not end")
    return names


def _version(symbol: str) -> tuple[int, int]:
    if found := _GLIBC.match(symbol):
        return int(found[1]), int(found[2])
    return _GLIBC_MARKERS.get(symbol, (0, 0))
