"""The progress bar of a local run, on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from imgpipe_templates.cli.tables import console, printable
from imgpipe_templates.deployment.plan import StackEvent
from imgpipe_templates.local.results import FileResult

_PHASES = {
    "check": "checking the template",
    "runtime": "preparing the Lambda runtime",
    "engine": "starting the engine",
    "package": "building the functions",
    "deploy": "deploying the template",
    "upload": "uploading",
    "settle": "waiting for results",
    "stop": "stopping the engine",
}


class LiveProgress:
    """The progress of a local run, removed from the terminal at its end."""

    def __init__(self) -> None:
        terminal = console()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=terminal,
            transient=True,
            disable=not terminal.is_terminal,  # without a terminal, rich prints an empty line at the end
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Show the progress."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the progress."""
        self._progress.stop()

    def phase(self, name: str, detail: str = "") -> None:
        """Show the name of the phase that starts."""
        self._progress.reset(self._task, description=" ".join(filter(None, (_PHASES[name], detail))), total=None)

    def stack_event(self, event: StackEvent) -> None:
        """Show the resource that CloudFormation is changing."""
        self._progress.update(self._task, description=f"deploying {event.logical_id}: {event.status}")

    def uploaded(self, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total)

    def settled(self, result: FileResult, done: int, total: int) -> None:
        """Move the bar and show the file."""
        self._progress.update(self._task, description=printable(result.file.key), completed=done, total=total)
