"""Compilation of a package's modules to bytecode.

The disk of a Lambda function is read-only. Without bytecode in the package, every new execution environment compiles
every module that it imports. Python loads this bytecode without a check of the source (PEP 552, "unchecked hash"),
because a package never changes. Gain: a cold start uses 0.92 instead of 1.22 of the CPU time of a plain handler
(decision 0004).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.installed_pythons import Installed, installed
from imgpipe_templates.packaging.zip_archive import Entry, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from imgpipe_templates.packaging.target import Target

BytecodeRule = Literal["auto", "require", "none"]

_SECONDS = 300
# Each wheel is compiled in a separate process, its modules in a fixed order: marshal writes a flag for constants that
# are in use elsewhere (python/cpython issue 98819), so the modules compiled before a module change its bytes.
_SCRIPT = """
import importlib.util, json, py_compile, sys
names, root = json.load(sys.stdin), sys.argv[1]
mode, errors = py_compile.PycInvalidationMode.UNCHECKED_HASH, {}
for name in names:
    try:
        py_compile.compile(f"{sys.argv[2]}/{name}", f"{sys.argv[2]}/{name}c", root + name, True, invalidation_mode=mode)
    except py_compile.PyCompileError as error:
        errors[name] = str(error.exc_value)
magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
json.dump([magic, sys.implementation.cache_tag, errors], sys.stdout)
"""


def find_compiler(rule: BytecodeRule, target: Target, report: Callable[[str], None]) -> Installed | None:
    """Return the interpreter that compiles for the target; None for a package without bytecode.

    Args:
        rule: `auto`: compile if the interpreter is installed; `require`: fail if it is not; `none`: do not compile.
        target: Runtime and architecture of the function.
        report: Called with one line about the result.

    Raises:
        PackagingError: The rule is `require` and the interpreter is not installed.
    """
    if rule == "none":
        return None
    found = installed(target.version)
    if found:
        report(f"compiling bytecode with {found} ({found.path})")
    elif rule == "require":
        raise PackagingError(
            f"bytecode: {target.runtime}: not installed on this machine; "
            "expected an interpreter of that version (on PATH, in pyenv or in uv), or another rule than require"
        )
    else:
        report(f"adding no bytecode, so cold starts are slower: {target.runtime} is not installed on this machine")
    return found


def compiled(entries: Iterable[Entry], compiler: Installed, target: Target, root: str) -> list[Entry]:
    """Return the bytecode of the modules among `entries` as files in `__pycache__`.

    The bytecode of a wheel depends on the wheel, `root` and the interpreter's version, including the patch release.

    Args:
        entries: The files of a package.
        compiler: The interpreter that compiles.
        target: Runtime and architecture of the function.
        root: The folder that Lambda unpacks the package to. Tracebacks contain it.

    Raises:
        PackagingError: A module does not compile, or the interpreter is a preview whose bytecode the target rejects.
    """
    modules: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.name.endswith(".py"):
            modules.setdefault(entry.origin, []).append(entry)
    return [one for group in modules.values() for one in _compiled(group, compiler, target, root)]


def _compiled(modules: Sequence[Entry], compiler: Installed, target: Target, root: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="imgpipe-bytecode-") as folder:
        for module in modules:
            path = Path(folder, module.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(module.content)
        magic, tag, errors = _run(compiler, sorted(module.name for module in modules), root, folder)
        if magic != target.bytecode:
            raise PackagingError(
                f"bytecode: {compiler} ({compiler.path}): writes magic number {magic}; "
                f"expected {target.bytecode}, that of {target.runtime}"
            )
        if errors:
            lines = (f"{name}: does not compile ({error})" for name, error in errors.items())
            raise PackagingError(
                "\n".join(f"{modules[0].origin}: {line}; expected source for {target.runtime}" for line in lines)
            )
        return [
            stored(_cached(module.name, tag), Path(folder, f"{module.name}c").read_bytes(), module.origin)
            for module in modules
        ]


def _run(compiler: Installed, names: Sequence[str], root: str, folder: str) -> tuple[int, str, dict[str, str]]:
    # The user's Python settings are ignored. The hash seed decides the order of sets among the constants.
    command: list[str | Path] = [compiler.path, "-s", "-S", "-P", "-B", "-c", _SCRIPT, root, folder]
    options: dict[str, Any] = {"input": json.dumps(names), "env": {"PYTHONHASHSEED": "0"}, "timeout": _SECONDS}
    try:
        completed = subprocess.run(command, capture_output=True, text=True, check=True, **options)  # noqa: S603 - an installed interpreter
        magic, tag, errors = json.loads(completed.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise PackagingError(f"bytecode: {compiler.path}: does not compile ({error}); expected {compiler}") from error
    return magic, tag, errors


def _cached(name: str, tag: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}__pycache__/{file.removesuffix('.py')}.{tag}.pyc"
