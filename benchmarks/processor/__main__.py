"""`python -m benchmarks.processor`: what the processor costs against its bars, as tables in Markdown.

Every figure is CPU time, user and system, of whole processes on one core; what is compared takes turns, call by call.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.processor import results
from benchmarks.processor.corpus import JPEG, KINDS, Source, make_corpus, own_photos
from benchmarks.processor.functions import ENGINES, MALLOC, TUTORIAL, Processor, make_processor, make_tutorial
from benchmarks.processor.invocations import measure_invocations
from benchmarks.processor.thumbnails import Cell, measure_each, measure_memory, measure_together
from benchmarks.processor.workers import Engine, Worker, python_engine, sharp_engine
from imgpipe_templates.cache import cache_dir

PARTS = ("thumbnails", "sizes", "memory", "invocations")
MEMORY_PX = 512
MEMORY_MEGAPIXELS = (12, 24)
INVOKED = ("6MP-420", "12MP-420")

# The same without what the template tells the C library; its pixels are the same.
PLAIN = "plain malloc"


def main() -> int:
    """Measure, print the tables, and return 1 if a bar is missed."""
    arguments = _arguments()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    _say("making pictures and packages")
    own = own_photos(arguments.photos) if arguments.photos else []
    sources = [*make_corpus(work), *own]
    sources = [source for source in sources if source.kind in arguments.kinds]
    processors = [make_processor(work, engine) for engine in ENGINES]
    tutorial = make_tutorial(work)
    ours = list(_engines(processors))
    theirs = python_engine(TUTORIAL, tutorial.interpreter.path, tutorial.folders)
    sharp = sharp_engine(work)
    everyone = [*ours, theirs, *([sharp] if sharp else [])]
    print(f"{_versions(everyone)}; {platform.machine()}; {arguments.rounds} rounds\n")
    for one in processors:
        zipped, unzipped = one.package.zipped_bytes / 1e6, one.package.unzipped_bytes / 1e6
        print(f"Package with {one.function.name}: {zipped:.1f} MB zipped, {unzipped:.1f} MB unzipped.\n")
    rows: list[results.Row] = []
    cells: list[Cell] = []
    names = [engine.name for engine in ours]
    if "thumbnails" in arguments.parts and sharp is None:
        print("There is no Node here: nothing was measured against sharp.\n")
    elif "thumbnails" in arguments.parts and sharp is not None:
        judged = [engine.name for engine in (*ours, sharp) if PLAIN not in engine.name]
        cells = measure_each([*ours, sharp], sources, arguments.rounds, judged=judged, report=_say)
        rows += results.thumbnail_rows(cells, names)
    if "sizes" in arguments.parts:
        rows += results.together_rows(measure_together([*ours, theirs], sources, arguments.rounds, report=_say), names)
    if "memory" in arguments.parts:
        rows += results.memory_rows(_peaks(everyone, sources))
    if "invocations" in arguments.parts:
        invoked = [source for source in sources if source.name in INVOKED or source in own]
        measured = measure_invocations(processors, tutorial, invoked, arguments.rounds, report=_say)
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


def _engines(processors: Sequence[Processor]) -> Iterator[Engine]:
    """The processor's, each as it is packaged and deployed, and the first with nothing told to the C library."""
    for processor in processors:
        function, variables = processor.function, processor.variables
        engine = python_engine(function.name, function.interpreter.path, function.folders)
        yield engine.with_variables(engine.name, **variables)
        if processor is processors[0]:
            plain = {name: value for name, value in variables.items() if not name.startswith(MALLOC)}
            yield engine.with_variables(f"{engine.name}, {PLAIN}", **plain)


def _versions(engines: Sequence[Engine]) -> str:
    found: dict[str, str] = {}
    for engine in engines:
        with Worker(engine) as worker:
            found |= worker.versions()
    return ", ".join(f"{name} {version}" for name, version in found.items())


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
