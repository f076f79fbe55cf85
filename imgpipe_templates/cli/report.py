"""The report of a local run on stderr: counts, then errors, then the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text

from imgpipe_templates.cli.tables import console, printable, table
from imgpipe_templates.local.contact_sheet import counted
from imgpipe_templates.local.results import thumbnail_words
from imgpipe_templates.options import HEIC_EXTENSIONS, IMAGE_EXTENSIONS

if TYPE_CHECKING:
    from imgpipe_templates.local.results import FileResult, RunReport
    from imgpipe_templates.options import PipelineConfig

EntryT = TypeVar("EntryT")

_MAX_LIST_ENTRIES = 10  # entries of a list without --verbose
_MAX_LOG_LINES = 20  # lines of a log without --verbose
_STYLES = {"lost": "bold red", "denied": "bold red", "failed": "yellow"}


class RunSummary:
    """The printed summary of a finished run.

    Args:
        report: The result of the run.
        config: The configuration of its pipeline.
        verbose: Print long lists and logs in full.
    """

    def __init__(self, report: RunReport, config: PipelineConfig, *, verbose: bool) -> None:
        self._report = report
        self._config = config
        self._verbose = verbose
        self._to = console()

    def show(self) -> None:
        """Print the summary."""
        report = self._report
        self._line(f"{counted(report.results)} ({sum(report.seconds.values()):.1f} s)", style="bold")
        for result in self._some(report.lost):
            self._line(f"{printable(result.file.key)}: {printable(result.reason)}", "lost")
            self._log(result.log)
        for denied in self._some(report.denied):
            self._line(denied, "denied")
        for result in self._some(self._ended("failed")):
            self._line(f"{printable(result.file.key)}: {printable(result.reason)}", "failed")
        self._processed(self._ended("processed"))
        self._ignored(self._ended("ignored"))
        if report.skipped:
            reasons = _grouped((one.reason, str(one.path)) for one in report.skipped)
            for reason, paths in reasons.items():
                self._line(f"{_files(len(paths))}, {reason}: {self._joined(paths)}", "skipped")
        for note in report.notes:
            self._line(note)

    def _ended(self, status: str) -> list[FileResult]:
        return [result for result in self._report.results if result.status == status]

    def _processed(self, results: Sequence[FileResult]) -> None:
        if not results:
            return
        shown = table("Processed", ("file", "image", "thumbnails"))
        listed = results if self._verbose else results[:_MAX_LIST_ENTRIES]
        for result in listed:
            item = result.item or {}
            image = f"{item['Width']} x {item['Height']} {item['Format']}" if "Width" in item else ""
            thumbnails = "\n".join(map(thumbnail_words, item.get("Thumbnails", ())))
            # Text, not markup: a file may have the name `[red].jpg`.
            shown.add_row(Text(printable(result.file.key)), image, thumbnails)
        self._to.print(shown)
        self._omitted(len(results) - len(listed))

    def _ignored(self, results: Sequence[FileResult]) -> None:
        """Print one line for each reason, and the option that processes the images among the files."""
        configured = [extension.lower() for extension in self._config.uploads.extensions]
        other = _grouped(
            (extension, result.file.key)
            for result in results
            if (extension := PurePosixPath(result.file.key).suffix[1:].lower()) not in configured
        )
        for extension, keys in other.items():
            ending = f".{extension}" if extension else "no extension"
            reason = f"{ending} is not in uploads.extensions"
            self._line(f"{_files(len(keys))}, {printable(reason)}: {self._joined(keys)}", "ignored")
        rest = _grouped(
            (result.reason, result.file.key)
            for result in results
            if PurePosixPath(result.file.key).suffix[1:].lower() in configured
        )
        for reason, keys in rest.items():
            self._line(f"{_files(len(keys))}, {reason}: {self._joined(keys)}", "ignored")
        images = [extension for extension in other if extension in (*IMAGE_EXTENSIONS, *HEIC_EXTENSIONS)]
        if images:
            quoted = ", ".join(f'"{one}"' for one in (*self._config.uploads.extensions, *images))
            heic = " --set processing.heic=true" if set(images) & set(HEIC_EXTENSIONS) else ""
            self._line(f"To process them, add {' and '.join(images)} to uploads.extensions:")
            self._line(f"  --set 'uploads.extensions=[{quoted}]'{heic}")

    def _log(self, log: str) -> None:
        lines = log.splitlines()
        if not self._verbose and len(lines) > _MAX_LOG_LINES:
            self._line(f"  ... {len(lines) - _MAX_LOG_LINES} earlier lines of its log; --verbose prints all")
            lines = lines[-_MAX_LOG_LINES:]
        for line in lines:
            self._line(f"  {line}")

    def _some(self, entries: Sequence[EntryT]) -> Iterator[EntryT]:
        """Yield the entries to print, then print the number of omitted entries."""
        shown = entries if self._verbose else entries[:_MAX_LIST_ENTRIES]
        yield from shown
        self._omitted(len(entries) - len(shown))

    def _omitted(self, count: int) -> None:
        if count:
            self._line(f"... and {count} more; --verbose prints all")

    def _joined(self, names: Sequence[str]) -> str:
        shown = names if self._verbose else names[:3]
        more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
        return ", ".join(map(printable, shown)) + more

    def _line(self, text: str, label: str = "", style: str = "") -> None:
        line = Text(text, style)
        self._to.print(Text.assemble((f"{label}: ", _STYLES.get(label, "")), line) if label else line, soft_wrap=True)


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
