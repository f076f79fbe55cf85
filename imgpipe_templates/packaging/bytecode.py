"""Bytecode for a package: Python's modules compiled beforehand, as the function's runtime would at its first start.

A package lies on a read-only disk, so without it every new execution environment compiles every module that it imports.
Python takes this bytecode unseen (PEP 552, "unchecked hash"): a package never changes, and its files have no dates.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.archive import Entry, stored
from imgpipe_templates.packaging.interpreters import Installed, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from imgpipe_templates.packaging.target import Target

BytecodeRule = Literal["auto", "require", "none"]

_SECONDS = 300
# The modules of a wheel are compiled together, in one order, and not with another's: marshal writes down whether a
# constant is in use elsewhere (python/cpython issue 98819), so what was compiled before a module shows in its bytes.
_SCRIPT = """
import importlib.util, json, py_compile, sys
names, root = json.load(sys.stdin), sys.argv[1]
mode, faults = py_compile.PycInvalidationMode.UNCHECKED_HASH, {}
for name in names:
    try:
        py_compile.compile(f"{sys.argv[2]}/{name}", f"{sys.argv[2]}/{name}c", root + name, True, invalidation_mode=mode)
    except py_compile.PyCompileError as fault:
        faults[name] = str(fault.exc_value)
magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
json.dump([magic, sys.implementation.cache_tag, faults], sys.stdout)
"""


def find_compiler(rule: BytecodeRule, target: Target, report: Callable[[str], None]) -> Installed | None:
    """The Python whose bytecode the target takes; None for a package without.

    Args:
        rule: `auto`: if there is one here; `require`: there has to be one; `none`: do without.
        target: Where it will run.
        report: Takes the line that says what there is.

    Raises:
        PackagingError: It is required and not here.
    """
    if rule == "none":
        return None
    found = installed(target.version)
    if found:
        report(f"compiling bytecode with {found} ({found.path})")
    elif rule == "require":
        raise PackagingError(
            f"bytecode: {target.runtime}: is not on this machine; "
            f"expected an interpreter of that version (on PATH, of pyenv or of uv), or another rule than require"
        )
    else:
        report(f"without bytecode, which costs every cold start: {target.runtime} is not on this machine")
    return found


def compiled(entries: Iterable[Entry], compiler: Installed, target: Target, root: str) -> list[Entry]:
    """The bytecode of the modules among `entries`, as files of `__pycache__` beside them.

    The bytes of a wheel's bytecode depend on the wheel, `root` and the compiler's version, patch release included.

    Args:
        entries: The files of a package.
        compiler: Who compiles.
        target: Where it will run.
        root: The folder that the package is unpacked to there, which tracebacks name.

    Raises:
        PackagingError: A module does not compile, or the compiler is a preview whose bytecode the target refuses.
    """
    modules: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.name.endswith(".py"):
            modules.setdefault(entry.origin, []).append(entry)
    return [one for together in modules.values() for one in _compiled(together, compiler, target, root)]


def _compiled(modules: Sequence[Entry], compiler: Installed, target: Target, root: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="imgpipe-bytecode-") as folder:
        for module in modules:
            path = Path(folder, module.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(module.content)
        magic, tag, faults = _run(compiler, sorted(module.name for module in modules), root, folder)
        if magic != target.bytecode:
            raise PackagingError(
                f"bytecode: {compiler} ({compiler.path}): writes magic number {magic}; "
                f"expected {target.bytecode}, that of {target.runtime}"
            )
        if faults:
            lines = (f"{name}: does not compile ({fault})" for name, fault in faults.items())
            raise PackagingError(
                "\n".join(f"{modules[0].origin}: {line}; expected source for {target.runtime}" for line in lines)
            )
        return [
            stored(_cached(module.name, tag), Path(folder, f"{module.name}c").read_bytes(), module.origin)
            for module in modules
        ]


def _run(compiler: Installed, names: Sequence[str], root: str, folder: str) -> tuple[int, str, dict[str, str]]:
    # Nothing of the user's Python settings is left; the seed decides the order of sets among the constants.
    command: list[str | Path] = [compiler.path, "-s", "-S", "-P", "-B", "-c", _SCRIPT, root, folder]
    options: dict[str, Any] = {"input": json.dumps(names), "env": {"PYTHONHASHSEED": "0"}, "timeout": _SECONDS}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, **options)  # noqa: S603 - found here
        magic, tag, faults = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as fault:
        raise PackagingError(f"bytecode: {compiler.path}: does not compile ({fault}); expected {compiler}") from fault
    return magic, tag, faults


def _cached(name: str, tag: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}__pycache__/{file.removesuffix('.py')}.{tag}.pyc"
