"""Thumbnails of every image in every size, by all engines in turn: their cost, size and quality."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Samples
from benchmarks.processor.corpus import Source
from benchmarks.processor.quality import psnr
from benchmarks.processor.workers import Engine, Worker

WARMING = 2  # rounds whose costs do not count: they fill caches and warm up code
SIZES_PX = (128, 256, 512, 1024)
LOSSLESS = "png"


@dataclass(frozen=True)
class Cell:
    """One image in one size, made by several engines.

    Attributes: sizes: More than one if all are made of one file. bytes: By engine, of the delivered files.
    delivered_db: By judged engine, PSNR of the delivered file. lossless_db: By judged engine, PSNR of the pixels before
    they are encoded.
    """

    source: Source
    sizes: tuple[int, ...]
    samples: dict[str, Samples]
    bytes: dict[str, int] = field(default_factory=dict)
    delivered_db: dict[str, float] = field(default_factory=dict)
    lossless_db: dict[str, float] = field(default_factory=dict)

    def ratio(self, engine: str, other: str) -> float:
        """Return the CPU time divided by that of another engine."""
        return self.samples[engine].ratio(self.samples[other])


def measure_each(
    engines: Sequence[Engine],
    sources: Sequence[Source],
    rounds: int,
    *,
    judged: Sequence[str],
    report: Callable[[str], None],
) -> list[Cell]:
    """Measure each image in each size, with one call for each.

    Args:
        engines: The engines that run in turn.
        sources: The images.
        rounds: Measured calls of each engine for a cell.
        judged: Names of the engines whose quality is measured too.
        report: Receives one line per image.
    """
    cells = []
    with _running(engines) as workers, tempfile.TemporaryDirectory(prefix="imgpipe-benchmark-") as folder:
        for source in sources:
            report(f"{source.kind} {source.name}: {', '.join(map(str, SIZES_PX))} px")
            for size in SIZES_PX:
                cell = Cell(source, (size,), *_measured(workers, source, (size,), rounds))
                _judge(cell, [worker for worker in workers if worker.engine.name in judged], Path(folder))
                cells.append(cell)
    return cells


def measure_together(
    engines: Sequence[Engine], sources: Sequence[Source], rounds: int, *, report: Callable[[str], None]
) -> list[Cell]:
    """Measure each image in all sizes, requested at once."""
    cells = []
    with _running(engines) as workers:
        for source in sources:
            report(f"{source.kind} {source.name}: all sizes of one file")
            cells.append(Cell(source, SIZES_PX, *_measured(workers, source, SIZES_PX, rounds)))
    return cells


def measure_memory(engine: Engine, source: Source, size: int, rounds: int = 3) -> float:
    """Return the peak memory of a process that makes only this thumbnail, in MiB; the median of `rounds`."""
    peaks = []
    for _ in range(rounds):
        with Worker(engine) as worker:
            worker.make(source.path, (size,), output_of(source))
            peaks.append(worker.peak_mb())
    return statistics.median(peaks)


def output_of(source: Source) -> str:
    """Return the format of the thumbnails, for all engines alike."""
    return "png" if source.becomes_png else "jpeg"


@contextmanager
def _running(engines: Sequence[Engine]) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Worker(engine)) for engine in engines]


def _measured(
    workers: Sequence[Worker], source: Source, sizes: tuple[int, ...], rounds: int
) -> tuple[dict[str, Samples], dict[str, int]]:
    costs: dict[str, list[float]] = {worker.engine.name: [] for worker in workers}
    weights: dict[str, int] = {}
    for number in range(WARMING + rounds):
        first = number % len(workers)  # the next engine finds the caches as the last one left them
        for worker in (*workers[first:], *workers[:first]):
            made = worker.make(source.path, sizes, output_of(source))
            weights[worker.engine.name] = sum(made.bytes)
            if number >= WARMING:
                costs[worker.engine.name].append(made.cpu_ms)
    return {name: Samples(values) for name, values in costs.items()}, weights


def _judge(cell: Cell, workers: Sequence[Worker], folder: Path) -> None:
    for worker in workers:
        name, thumbnail = worker.engine.name, folder / "thumbnail"
        for output, verdicts in ((output_of(cell.source), cell.delivered_db), (LOSSLESS, cell.lossless_db)):
            worker.make(cell.source.path, cell.sizes, output, write=[thumbnail])
            verdicts[name] = psnr(thumbnail, cell.source.path)
