"""The measured functions as deployed in Lambda: the processor's package, and the tutorial's handler with its packages.

Both include bytecode, and both run with the packages of Lambda's runtime.
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
from imgpipe_templates import load_preset, render_pipeline
from imgpipe_templates.local.interpreters import Interpreter, find_interpreter
from imgpipe_templates.local.runtime_folder import runtime_folder
from imgpipe_templates.packaging import Package, Target, build_package
from imgpipe_templates.packaging.build import Contents
from imgpipe_templates.render.manifest import RenderedPipeline

RUNTIME = "python3.13"
ENGINES = ("pillow", "libvips")
TUTORIAL = "tutorial"
THUMBNAIL_PX = 256
MALLOC = "MALLOC_"  # prefix of the variables of the C library's allocator


@dataclass(frozen=True)
class Function:
    """Code in a separate folder.

    Attributes: module: The module of `lambda_handler`. folders: All folders to import from, in Lambda's order.
    """

    name: str
    module: str
    interpreter: Interpreter
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Processor:
    """The processor with one of its engines, as it is rendered and packaged."""

    function: Function
    rendered: RenderedPipeline
    package: Package

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables that affect memory: the template's for the C library, and Lambda's own."""
        function = self.rendered.stacks["pipeline"]["Resources"]["ImageProcessorFunction"]["Properties"]
        variables = function["Environment"]["Variables"]
        kept = {name: value for name, value in variables.items() if name.startswith(MALLOC)}
        return {**kept, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"])}


def make_processor(work: Path, engine: str) -> Processor:
    """Render, build and unpack the processor in `work`.

    Raises:
        ImgpipeError: The package cannot be built, or no Python is found to run it.
    """
    settings = [f"processing.engine={engine}", f"processing.thumbnail_size_px={THUMBNAIL_PX}"]
    rendered = render_pipeline(load_preset("thumbnails", settings))
    (code,) = rendered.functions
    interpreter = find_interpreter(RUNTIME)
    package = build_package(
        code.package,
        Target.of_interpreter(str(interpreter.path)),
        work / "packages" / engine,
        contents=Contents(extras=code.extras),
    )
    unpacked = package.path.with_name(package.sha256[:12])
    if not unpacked.exists():
        partial = unpacked.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        with zipfile.ZipFile(package.path) as archive:
            archive.extractall(partial)
        partial.rename(unpacked)
    return Processor(Function(engine, "index", interpreter, (unpacked, runtime_folder(interpreter))), rendered, package)


def make_tutorial(work: Path) -> Function:
    """Install the tutorial's handler in `work`, with Pillow as pip installs it.

    Raises:
        ImgpipeError: No Python is found to run it.
        RuntimeError: pip could not install Pillow.
    """
    interpreter = find_interpreter(RUNTIME)
    folder = _tutorial(work, interpreter)
    return Function(TUTORIAL, "tutorial_handler", interpreter, (folder, runtime_folder(interpreter)))


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
