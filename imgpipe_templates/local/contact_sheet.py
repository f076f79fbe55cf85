"""The contact sheet of a run: one page that shows every thumbnail, to be opened in a browser."""

from __future__ import annotations

import html
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from imgpipe_templates.local.inputs import SHEET_MARK, InputError, is_contact_sheet, sheet_path
from imgpipe_templates.local.results import FileResult, thumbnail_words

_ORDER = ("lost", "failed", "processed", "ignored")
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; padding: 0 }
li { list-style: none; border: 1px solid #ccc; border-radius: 4px; padding: .75rem; overflow-wrap: anywhere }
li.failed { border-color: #b58900 } li.lost { border-color: #c00 } li.ignored { color: #666 }
img { display: block; max-width: 100%; height: auto; margin-bottom: .25rem;
  background: repeating-conic-gradient(#ddd 0 25%, #fff 0 50%) 0 / 16px 16px }
b { display: block } small { display: block; color: #555 }
"""


def write_contact_sheet(out: Path, pipeline: str, results: Sequence[FileResult]) -> Path | None:
    """Write `index.html` beside the results, or remove that of an earlier run if nothing was written.

    Args:
        out: The output folder.
        pipeline: The pipeline's name, for the title.
        results: Every file of the run.

    Returns:
        The page, or None if no file has results.

    Raises:
        InputError: The page cannot be written.
    """
    path = sheet_path(out)
    try:
        if any(result.json_file for result in results):
            path.write_text("\n".join(_page(out, pipeline, results)), encoding="utf-8")
            return path
        if is_contact_sheet(path):
            path.unlink()
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return None


def counted(results: Sequence[FileResult]) -> str:
    """How many files ended how, such as `3 files: 2 processed, 1 failed`."""
    ends = Counter(result.status for result in results)
    ordered = [status for status in ("processed", *_ORDER) if ends[status]]
    files = f"{len(results)} file{'' if len(results) == 1 else 's'}"
    return f"{files}: {', '.join(f'{ends[status]} {status}' for status in dict.fromkeys(ordered))}"


def _page(out: Path, pipeline: str, results: Sequence[FileResult]) -> Iterator[str]:
    title = html.escape(f"{pipeline}: local run")
    yield f'<!doctype html>\n{SHEET_MARK}\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{counted(results)}</p><ul>"
    for result in sorted(results, key=lambda result: _ORDER.index(result.status)):
        yield from _entry(out, result)
    yield "</ul></body></html>\n"


def _entry(out: Path, result: FileResult) -> Iterator[str]:
    item = result.item or {}
    yield f'<li class="{result.status}">'
    for path, thumbnail in zip(result.thumbnails, item.get("Thumbnails", ()), strict=True):
        link = urllib.parse.quote(path.relative_to(out).as_posix())
        yield f'<img src="{link}" alt="" width="{thumbnail["Width"]}" height="{thumbnail["Height"]}">'
        yield f"<small>{html.escape(thumbnail_words(thumbnail))}</small>"
    yield f"<b>{html.escape(result.file.key)}</b><span>{result.status}</span>"
    image = f"{item['Width']} x {item['Height']} {item['Format']}" if "Width" in item else ""
    for said in filter(None, (image, result.reason)):
        yield f"<small>{html.escape(said)}</small>"
    yield "</li>"
