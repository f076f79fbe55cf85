"""The two functions as Lambda would have them: the processor's package, and the tutorial's handler with what it needs.

Both come with bytecode, and beside both lies what Lambda's own runtime brings.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import benchmarks.tutorial_handler
from benchmarks.processor.corpus import PILLOW
from imgpipe_templates.local.interpreters import Interpreter, find_interpreter
from imgpipe_templates.local.runtime_folder import runtime_folder
from imgpipe_templates.packaging import Package, Target, build_package

RUNTIME = "python3.13"


@dataclass(frozen=True)
class Function:
    """Code in a folder of its own.

    Attributes:
        module: That `lambda_handler` is in.
        folders: All that it can import from, in Lambda's order.
    """

    name: str
    module: str
    interpreter: Interpreter
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Functions:
    """What is measured, and the package that one of them was unpacked from."""

    processor: Function
    tutorial: Function
    package: Package


def make_functions(work: Path) -> Functions:
    """Build and unpack both in `work`.

    Raises:
        ImgpipeError: The package cannot be built, or there is no Python to run it.
        RuntimeError: pip could not install the tutorial's Pillow.
    """
    interpreter = find_interpreter(RUNTIME)
    runtime = runtime_folder(interpreter)
    package = build_package("processor", Target.of_interpreter(str(interpreter.path)), work / "packages")
    unpacked = work / "packages" / package.sha256[:12]
    if not unpacked.exists():
        partial = unpacked.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        with zipfile.ZipFile(package.path) as archive:
            archive.extractall(partial)
        partial.rename(unpacked)
    tutorial = _tutorial(work, interpreter)
    return Functions(
        Function("processor", "index", interpreter, (unpacked, runtime)),
        Function("tutorial", "tutorial_handler", interpreter, (tutorial, runtime)),
        package,
    )


def _tutorial(work: Path, interpreter: Interpreter) -> Path:
    source = Path(benchmarks.tutorial_handler.__file__)
    edition = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    folder = work / f"tutorial-{edition}-{PILLOW}"
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "--python", str(interpreter.path), "install", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--target", str(partial), f"pillow=={PILLOW}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"tutorial: pillow {PILLOW}: pip could not install it\n{done.stderr}")
    shutil.copy(source, partial)
    subprocess.run([str(interpreter.path), "-m", "compileall", "-q", str(partial)], check=True)
    partial.rename(folder)
    return folder
