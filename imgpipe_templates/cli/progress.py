"""The progress bar of a local run, on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from imgpipe_templates.cli.tables import console, printable

if TYPE_CHECKING:
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
    """Shows a run as it goes; gone from the terminal when it ends."""

    def __init__(self) -> None:
        to = console()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=to,
            transient=True,
            disable=not to.is_terminal,  # it would print an empty line at its end
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take it away."""
        self._progress.stop()

    def phase(self, name: str, detail: str = "") -> None:
        """Name what begins."""
        self._progress.reset(self._task, description=" ".join(filter(None, (_PHASES[name], detail))), total=None)

    def stack_event(self, event: StackEvent) -> None:
        """Name the resource that CloudFormation is at."""
        self._progress.update(self._task, description=f"deploying {event.logical_id}: {event.status}")

    def uploaded(self, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total)

    def settled(self, result: FileResult, done: int, total: int) -> None:
        """Move the bar and name the file."""
        self._progress.update(self._task, description=printable(result.file.key), completed=done, total=total)
