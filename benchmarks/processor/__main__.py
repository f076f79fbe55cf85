"""`python -m benchmarks.processor`: what the processor costs against its bars, as tables in Markdown.

Every figure is CPU time, user and system, of whole processes on one core; what is compared takes turns, call by call.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.processor import results
from benchmarks.processor.corpus import JPEG, KINDS, Source, make_corpus, own_photos
from benchmarks.processor.functions import Functions, make_functions
from benchmarks.processor.invocations import measure_invocations
from benchmarks.processor.thumbnails import Cell, measure_each, measure_memory, measure_together
from benchmarks.processor.workers import Engine, Worker, python_engine, sharp_engine
from imgpipe_templates.cache import cache_dir

PARTS = ("thumbnails", "sizes", "memory", "invocations")
MEMORY_PX = 512
MEMORY_MEGAPIXELS = (12, 24)
INVOKED = ("6MP-420", "12MP-420")

# Lets glibc keep 256 MB instead of giving pages back after each image, to be given them anew for the next.
# The pixels are the same.
KEPT = {"MALLOC_TOP_PAD_": str(2**28)}
KEPT_NAME = "memory kept"


def main() -> int:
    """Measure, print the tables, and return 1 if a bar is missed."""
    arguments = _arguments()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    _say("making pictures and packages")
    sources = [*make_corpus(work), *(own_photos(arguments.photos) if arguments.photos else ())]
    sources = [source for source in sources if source.kind in arguments.kinds]
    functions, sharp = make_functions(work), sharp_engine(work)
    ours, tutorial = _engines(functions)
    print(f"{_versions(functions, [*ours, tutorial, *([sharp] if sharp else [])])}; {arguments.rounds} rounds\n")
    rows: list[results.Row] = []
    cells: list[Cell] = []
    names = [engine.name for engine in ours]
    if "thumbnails" in arguments.parts:
        if sharp is None:
            print("There is no Node here: nothing was measured against sharp.\n")
        else:
            judged = [engine.name for engine in (*ours, sharp) if KEPT_NAME not in engine.name]
            cells = measure_each([*ours, sharp], sources, arguments.rounds, judged=judged, report=_say)
            rows += results.thumbnail_rows(cells, names)
    if "sizes" in arguments.parts:
        together = measure_together([*ours, tutorial], sources, arguments.rounds, report=_say)
        rows += results.together_rows(together, names)
    if "memory" in arguments.parts:
        rows += results.memory_rows(_peaks([*ours, tutorial, *([sharp] if sharp else [])], sources))
    if "invocations" in arguments.parts:
        invoked = [source for source in sources if source.name in INVOKED]
        with tempfile.TemporaryDirectory(prefix="imgpipe-benchmark-") as folder:
            measured = measure_invocations(functions, invoked, arguments.rounds, Path(folder), report=_say)
        rows += results.invocation_rows(measured)
    print("\n".join(results.goal_table(rows)))
    if cells:
        print("\n" + "\n".join(results.cell_table(cells, names)))
    return int(any(row.is_missed for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processor", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="measured calls for each figure (default: %(default)s)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of pictures (default: all)")
    parser.add_argument("--photos", type=Path, help="folder with pictures of your own to measure as well")
    parser.add_argument(
        "--work",
        type=Path,
        default=cache_dir() / "benchmarks",
        help="folder for pictures, packages and sharp, kept for the next run (default: %(default)s)",
    )
    return parser.parse_args()


def _engines(functions: Functions) -> tuple[list[Engine], Engine]:
    """The processor's, each as it is packaged, and the tutorial's handler."""
    interpreter = functions.processor.interpreter.path
    pillow = python_engine("pillow", interpreter, functions.processor.folders)
    ours = [pillow, pillow.with_variables(f"pillow, {KEPT_NAME}", **KEPT)]
    return ours, python_engine(results.TUTORIAL, interpreter, functions.tutorial.folders)


def _versions(functions: Functions, engines: Sequence[Engine]) -> str:
    found: dict[str, str] = {}
    for engine in engines:
        with Worker(engine) as worker:
            found |= worker.versions()
    named = ", ".join(f"{name} {version}" for name, version in found.items())
    zipped, unzipped = functions.package.zipped_bytes / 1e6, functions.package.unzipped_bytes / 1e6
    package = f"package {zipped:.1f} MB zipped, {unzipped:.1f} not"
    return f"{named}; {package}; {platform.machine()}"


def _peaks(engines: Sequence[Engine], sources: Sequence[Source]) -> Mapping[str, list[float]]:
    low, high = MEMORY_MEGAPIXELS
    measured = [
        source
        for source in sources
        if source.kind == JPEG and not source.is_progressive and low <= round(source.megapixels) <= high
    ]
    _say("memory")
    return {engine.name: [measure_memory(engine, one, MEMORY_PX) for one in measured] for engine in engines}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
