"""The processor's bars and the measured results, as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.processor.corpus import AVIF, GRAPHICS, GRAPHICS_TO_JPEG, JPEG, LOGOS, PNG_RGB, PNG_RGBA, WEBP
from benchmarks.processor.invocations import Invocations
from benchmarks.processor.measured_functions import TUTORIAL
from benchmarks.processor.thumbnails import SIZES_PX, Cell

SHARP = "sharp"
UP_TO_512_PX = tuple(size for size in SIZES_PX if size <= 512)  # noqa: PLR2004 - as its name says

HEADER = ("what", "by", "ms", "against", "ms", "ratio", "from, to", "bar", "aim", "PSNR, dB", "bytes")


@dataclass(frozen=True)
class Goal:
    """The allowed cost of thumbnails of a kind, as a multiple of sharp's CPU time.

    Attributes: bar: For the geometric mean over images and sizes; None: reported only. worst: For any one of them.
    is_judged: True if quality and bytes must be as good as sharp's too.
    """

    title: str
    kinds: tuple[str, ...]
    sizes: tuple[int, ...]
    bar: float | None = None
    worst: float | None = None
    aim: float | None = None
    is_judged: bool = False


GOALS = (
    Goal("JPEG, to 512 px", (JPEG,), UP_TO_512_PX, 0.95, worst=1.12, aim=0.9, is_judged=True),
    Goal("JPEG, to 1024 px", (JPEG,), (1024,), 1.25, aim=1.0, is_judged=True),
    Goal("WebP", (WEBP,), SIZES_PX, 1.15, aim=1.0),
    Goal("AVIF", (AVIF,), SIZES_PX, 0.35),
    Goal("PNG, RGB, to 512 px", (PNG_RGB,), UP_TO_512_PX, 1.9, aim=1.0),
    Goal("PNG, RGBA, to 512 px", (PNG_RGBA,), UP_TO_512_PX, 1.8, aim=1.0),
    Goal("PNG, RGB, to 1024 px", (PNG_RGB,), (1024,)),
    Goal("PNG, RGBA, to 1024 px", (PNG_RGBA,), (1024,)),
    Goal("graphics as PNG, to 512 px", (GRAPHICS,), UP_TO_512_PX, is_judged=True),
    Goal("graphics as PNG, to 1024 px", (GRAPHICS,), (1024,), is_judged=True),
    Goal("graphics as JPEG, to 512 px", (GRAPHICS_TO_JPEG,), UP_TO_512_PX, is_judged=True),
    Goal("graphics as JPEG, to 1024 px", (GRAPHICS_TO_JPEG,), (1024,), is_judged=True),
    Goal("logos, to 512 px", (LOGOS,), UP_TO_512_PX, is_judged=True),
    Goal("logos, to 1024 px", (LOGOS,), (1024,), is_judged=True),
)
MOST_BYTES = 1.01  # relative to sharp's, geometric mean
FOUR_SIZES, FOUR_SIZES_AIM = 0.4, 0.3
MEMORY_MB = 30.0
COLD, COLD_AIM = 0.6, 0.35
WARM = 0.45


@dataclass(frozen=True)
class Row:
    """A line of the table of goals."""

    cells: tuple[str, ...]
    is_missed: bool


def thumbnail_rows(cells: Sequence[Cell], engines: Sequence[str]) -> Iterator[Row]:
    """Compare every engine with sharp."""
    for goal in GOALS:
        selected = [one for one in cells if one.source.kind in goal.kinds and one.sizes[0] in goal.sizes]
        for engine in engines if selected else ():
            yield _thumbnail_row(goal, selected, engine)
            # sharp converts colours before it shrinks, so such files change a mean
            for title, has_profile in (("of it, with a profile", True), ("of it, without", False)):
                part = [one for one in selected if one.source.has_profile is has_profile]
                if goal.is_judged and 0 < len(part) < len(selected):
                    yield _thumbnail_row(Goal(f"{title}: {goal.title}", goal.kinds, goal.sizes), part, engine)


def _thumbnail_row(goal: Goal, cells: Sequence[Cell], engine: str) -> Row:
    ratios = [cell.ratio(engine, SHARP) for cell in cells]
    nearer = [cell.delivered_db[engine] - cell.delivered_db[SHARP] for cell in cells if engine in cell.delivered_db]
    heavier = statistics.geometric_mean(cell.bytes[engine] / cell.bytes[SHARP] for cell in cells)
    row = _row(goal.title, cells, engine, SHARP, ratios, goal.bar, goal.aim)
    is_slower = goal.worst is not None and max(ratios) > goal.worst
    is_worse = goal.is_judged and bool(nearer) and (statistics.mean(nearer) < 0 or heavier > MOST_BYTES)
    bar = f"{row.cells[7]}, worst {goal.worst:.2f}" if goal.worst else row.cells[7]
    cells_of_row = (*row.cells[:7], bar, row.cells[8], _spread_db(nearer), f"{heavier:.3f}")
    return Row(cells_of_row, row.is_missed or is_slower or is_worse)


def _spread_db(nearer: Sequence[float]) -> str:
    if not nearer:
        return ""
    middle = f"{statistics.mean(nearer):+.2f}, median {statistics.median(nearer):+.2f}"
    return f"{middle} ({min(nearer):+.2f} to {max(nearer):+.2f})"


def together_rows(cells: Sequence[Cell], engines: Sequence[str]) -> Iterator[Row]:
    """Compare all sizes of one file with as many calls of the tutorial's handler."""
    for engine in engines:
        ratios = [cell.ratio(engine, TUTORIAL) for cell in cells]
        title = f"{len(SIZES_PX)} sizes of one file"
        yield _row(title, cells, engine, TUTORIAL, ratios, FOUR_SIZES, FOUR_SIZES_AIM)


def memory_rows(peaks: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    """Return the peak memory by engine, in MiB of a process that made one thumbnail."""
    for engine, values in peaks.items():
        limit = "" if engine in {SHARP, TUTORIAL} else f"{MEMORY_MB:.0f} MB"
        cells = ("peak memory, 12 to 24 MP baseline JPEG", engine, "", "", "", f"{max(values):.0f} MB")
        yield Row(
            (*cells, f"{min(values):.0f}, {max(values):.0f}", limit, "", "", ""),
            bool(limit) and max(values) > MEMORY_MB,
        )


def invocation_rows(measured: Mapping[str, Mapping[str, Invocations]]) -> Iterator[Row]:
    """Compare the processor's invocations with the tutorial handler's."""
    for image, by_function in measured.items():
        theirs = by_function[TUTORIAL]
        for name, measured_values in by_function.items():
            if name == TUTORIAL:
                continue
            for title, one, other, bar, aim in (
                ("init and first invocation", measured_values.cold, theirs.cold, f"{COLD:.2f}", f"{COLD_AIM:.2f}"),
                ("of it, init", measured_values.init, theirs.init, "", ""),
                ("warm invocation", measured_values.warm, theirs.warm, f"{WARM:.2f}", ""),
            ):
                ratio = one.ratio(other)
                each = sorted(a / b for a, b in zip(one.values, other.values, strict=True))
                figures = (f"{one.median:.1f}", TUTORIAL, f"{other.median:.1f}", f"{ratio:.2f}")
                cells = (f"{title}, {image}", name, *figures, f"{each[0]:.2f}, {each[-1]:.2f}", bar, aim, "", "")
                yield Row(cells, bool(bar) and ratio > float(bar))
            calls = f"{measured_values.metric_calls} to {theirs.metric_calls}"
            cells = (f"metric calls, {image}", name, "", TUTORIAL, "", calls, "", "0", "", "", "")
            yield Row(cells, measured_values.metric_calls > 0)
            peaks = f"{measured_values.peak_mb:.0f} to {theirs.peak_mb:.0f} MB"
            yield Row(
                (f"peak memory of the function, {image}", name, "", TUTORIAL, "", peaks, *[""] * 5), is_missed=False
            )


def _row(
    title: str,
    cells: Sequence[Cell],
    engine: str,
    other: str,
    ratios: Sequence[float],
    bar: float | None,
    aim: float | None,
) -> Row:
    """Return a row of the geometric mean of ratios, and of milliseconds."""
    mean = statistics.geometric_mean(ratios)
    measured_values, theirs = (
        f"{statistics.geometric_mean(cell.samples[name].median for cell in cells):.1f}" for name in (engine, other)
    )
    spread = f"{min(ratios):.2f}, {max(ratios):.2f}"
    limits = ("" if bar is None else f"{bar:.2f}", "" if aim is None else f"{aim:.2f}", "", "")
    figures = (title, engine, measured_values, other, theirs, f"{mean:.2f}", spread)
    return Row((*figures, *limits), bar is not None and mean > bar)


def cell_table(cells: Sequence[Cell], engines: Sequence[str]) -> Iterator[str]:
    """Return every image in every size, with the quality of the judged engines."""
    judged = [name for name in (SHARP, *engines) if name in cells[0].delivered_db]
    header = ["image", "px", f"{SHARP}, ms", *(f"{engine}, ratio" for engine in engines)]
    header += [*(f"{name}, dB" for name in judged), *(f"{name} before encoding, dB" for name in judged)]
    header += [f"{name}, bytes" for name in judged if name != SHARP]

    def line(cell: Cell) -> Iterator[str]:
        yield f"{cell.source.kind} {cell.source.name}{', derived' if cell.source.is_derived else ''}"
        yield str(cell.sizes[0])
        yield f"{cell.samples[SHARP].median:.1f}"
        yield from (f"{cell.ratio(engine, SHARP):.2f}" for engine in engines)
        for verdicts in (cell.delivered_db, cell.lossless_db):
            yield from (f"{verdicts[name]:.1f}" for name in judged)
        yield from (f"{cell.bytes[name] / cell.bytes[SHARP]:.3f}" for name in judged if name != SHARP)

    return table(header, (tuple(line(cell)) for cell in cells))


def goal_table(rows: Sequence[Row]) -> Iterator[str]:
    """Return the goals; a missed bar is marked."""
    return table((*HEADER, ""), ((*row.cells, "missed" if row.is_missed else "") for row in rows))


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield f"| {' | '.join(header)} |"
    yield "|---" * len(header) + "|"
    yield from (f"| {' | '.join(cells)} |" for cells in lines)
