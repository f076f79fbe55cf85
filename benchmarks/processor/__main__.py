"""`python -m benchmarks.processor`: the costs of the processor compared with its bars, as tables in Markdown.

Every figure is CPU time, user and system, of whole processes on one core. The compared engines run in turn, call by
call.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.processor import result_tables
from benchmarks.processor.corpus import JPEG, KINDS, Source, make_corpus, user_photos
from benchmarks.processor.invocations import measure_invocations
from benchmarks.processor.measured_functions import ENGINES, MALLOC, TUTORIAL, Processor, make_processor, make_tutorial
from benchmarks.processor.thumbnails import Cell, measure_each, measure_memory, measure_together
from benchmarks.processor.workers import Engine, Worker, python_engine, sharp_engine
from imgpipe_templates.cache import cache_dir

PARTS = ("thumbnails", "sizes", "memory", "invocations")
MEMORY_PX = 512
MEMORY_MEGAPIXELS = (12, 24)
INVOKED = ("6MP-420", "12MP-420")

# The same engine without the template's variables for the C library; its pixels are the same.
PLAIN = "plain malloc"


def main() -> int:
    """Measure, print the tables, and return 1 if a bar is missed."""
    arguments = _arguments()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    _report("making images and packages")
    own_sources = user_photos(arguments.photos) if arguments.photos else []
    sources = [*make_corpus(work), *own_sources]
    sources = [source for source in sources if source.kind in arguments.kinds]
    processors = [make_processor(work, engine) for engine in ENGINES]
    tutorial = make_tutorial(work)
    processor_engines = list(_engines(processors))
    tutorial_engine = python_engine(TUTORIAL, tutorial.interpreter.path, tutorial.folders)
    sharp = sharp_engine(work)
    all_engines = [*processor_engines, tutorial_engine, *([sharp] if sharp else [])]
    print(f"{_versions(all_engines)}; {platform.machine()}; {arguments.rounds} rounds\n")
    for one in processors:
        zipped, unzipped = one.package.zipped_bytes / 1e6, one.package.unzipped_bytes / 1e6
        print(f"Package with {one.function.name}: {zipped:.1f} MB zipped, {unzipped:.1f} MB unzipped.\n")
    rows: list[result_tables.Row] = []
    cells: list[Cell] = []
    names = [engine.name for engine in processor_engines]
    if "thumbnails" in arguments.parts and sharp is None:
        print("Node is not installed: nothing was measured against sharp.\n")
    elif "thumbnails" in arguments.parts and sharp is not None:
        judged = [engine.name for engine in (*processor_engines, sharp) if PLAIN not in engine.name]
        cells = measure_each([*processor_engines, sharp], sources, arguments.rounds, judged=judged, report=_report)
        rows += result_tables.thumbnail_rows(cells, names)
    if "sizes" in arguments.parts:
        rows += result_tables.together_rows(
            measure_together([*processor_engines, tutorial_engine], sources, arguments.rounds, report=_report), names
        )
    if "memory" in arguments.parts:
        rows += result_tables.memory_rows(_peaks(all_engines, sources))
    if "invocations" in arguments.parts:
        invoked = [source for source in sources if source.name in INVOKED or source in own_sources]
        measured = measure_invocations(processors, tutorial, invoked, arguments.rounds, report=_report)
        rows += result_tables.invocation_rows(measured)
    print("\n".join(result_tables.goal_table(rows)))
    if cells:
        print("\n" + "\n".join(result_tables.cell_table(cells, names)))
    return int(any(row.is_missed for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processor", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="measured calls for each figure (default: %(default)s)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="kinds of images (default: all)")
    parser.add_argument("--photos", type=Path, help="folder with further images to measure")
    parser.add_argument(
        "--work",
        type=Path,
        default=cache_dir() / "benchmarks",
        help="folder for images, packages and sharp, kept for the next run (default: %(default)s)",
    )
    return parser.parse_args()


def _engines(processors: Sequence[Processor]) -> Iterator[Engine]:
    """Return the processor's engines as packaged and deployed, and the first one without the allocator's variables."""
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
    _report("memory")
    return {engine.name: [measure_memory(engine, one, MEMORY_PX) for one in measured] for engine in engines}


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
