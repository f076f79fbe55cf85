"""What a run answers with and writes: metadata items as plain JSON, and the thumbnails beside them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from imgpipe_templates.local.inputs import InputError, Skipped, SourceFile, json_path, read_result, thumbnail_files

Item = Mapping[str, Any]


@dataclass(frozen=True)
class FileResult:
    """How one file ended.

    Attributes:
        status: processed | failed | ignored | lost. `failed` is final too: the pipeline rejected the image.
        reason: Why it was not processed, empty otherwise.
        item: Its metadata item as plain values, None if there is none.
        json_file: Where the item was written.
        thumbnails: The downloaded thumbnails.
        log: What the function logged on its last failed attempt, for lost files.
    """

    file: SourceFile
    status: str
    reason: str = ""
    item: Item | None = None
    json_file: Path | None = None
    thumbnails: tuple[Path, ...] = ()
    log: str = ""


@dataclass(frozen=True)
class RunReport:
    """A finished run.

    Attributes:
        results: One per uploaded file, in the order of the files.
        skipped: Files below the given folders that were not uploaded.
        notes: What a reader of the results has to know, such as which Python ran the functions.
        seconds: Duration of each phase by its name.
        denied: Every call that a role of the pipeline was denied.
        sheet: The page that shows all thumbnails; None if no file has results.
    """

    results: tuple[FileResult, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    denied: tuple[str, ...] = ()
    sheet: Path | None = None

    @property
    def lost(self) -> tuple[FileResult, ...]:
        """The files that reached no final status: a run with any of them is not a success."""
        return tuple(result for result in self.results if result.status == "lost")


def thumbnail_words(thumbnail: Mapping[str, Any]) -> str:
    """Size, format and bytes of a thumbnail."""
    return f"{thumbnail['Width']} x {thumbnail['Height']} {thumbnail['Format']}, {thumbnail['Bytes']:,} bytes"


def plain_item(typed: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A DynamoDB item without type marks: whole numbers as ints, others as floats, sets as sorted lists."""
    return {name: _plain(value) for name, value in typed.items()}


def write_result(out: Path, file: SourceFile, item: Item, download: Callable[[str, str], bytes]) -> FileResult:
    """Write the item and its thumbnails, in place of what an earlier run wrote for this file.

    Args:
        out: The output folder.
        file: The uploaded file.
        item: Its metadata item as plain values, with a final status.
        download: (bucket, key) -> the object.

    Raises:
        InputError: The output folder does not take the files.
    """
    target = json_path(out, file.key)
    clear_result(out, file)
    name = target.stem
    thumbnails: list[dict[str, Any]] = []
    paths: list[Path] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for number, thumbnail in enumerate(item.get("Thumbnails", ())):
            kind = PurePosixPath(thumbnail["Key"]).name
            path = target.with_name(f"{name}.thumbnail-{kind}")
            if path in paths:
                path = target.with_name(f"{name}.thumbnail-{number}-{kind}")
            with path.open("xb") as content:  # what an earlier run wrote is cleared: anything else is not ours
                content.write(download(thumbnail["Bucket"], thumbnail["Key"]))
            paths.append(path)
            thumbnails.append({**thumbnail, "File": path.name})
        shown = {**item, "Thumbnails": thumbnails} if thumbnails else dict(item)
        text = json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False)
        with target.open("x", encoding="utf-8") as content:
            content.write(text + "\n")
    except OSError as error:
        raise InputError(f"{error.filename or target}: cannot be written: {error.strerror}") from error
    reason = ": ".join(str(item[part]) for part in ("ErrorCategory", "ErrorMessage") if part in item)
    return FileResult(file, str(item["Status"]), reason, shown, target, tuple(paths))


def clear_result(out: Path, file: SourceFile) -> None:
    """Remove what an earlier run wrote for a file, so that old results do not pass for new ones."""
    target = json_path(out, file.key)
    item = read_result(target)
    if item is None:
        return
    try:
        for name in thumbnail_files(item):
            target.with_name(name).unlink(missing_ok=True)
        target.unlink()
    except OSError as error:
        raise InputError(f"{error.filename or target}: cannot be replaced: {error.strerror}") from error


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return _PLAIN[kind](content)


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _list(values: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [_plain(value) for value in values]


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _number,
    "BOOL": bool,
    "NULL": lambda _: None,
    "B": _base64,
    "L": _list,
    "M": plain_item,
    "SS": sorted,
    "NS": lambda texts: sorted(map(_number, texts)),
    "BS": lambda contents: sorted(map(_base64, contents)),
}
