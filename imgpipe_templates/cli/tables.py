"""Tables and progress on stderr, narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def console() -> Console:
    """Return the console on stderr, for all text except paths of written files."""
    return Console(stderr=True, highlight=False, emoji=False)  # a file name such as `:smile:.jpg` is no emoji


def table(title: str, left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return an empty table with columns of text, then columns of numbers; long text is folded, never cut."""
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in left:
        made.add_column(heading, overflow="fold")
    for heading in right:
        made.add_column(heading, justify="right", no_wrap=True)
    return made


@contextmanager
def working(first: str) -> Iterator[Callable[[str], None]]:
    """Show the current step on a terminal until the context ends.

    Args:
        first: Name of the first step.

    Yields:
        A function that shows the name of the next step.
    """
    terminal = console()
    if not terminal.is_terminal:
        yield lambda _: None
        return
    with terminal.status(escape(first)) as status:
        yield lambda text: status.update(escape(text))


def printable(text: str) -> str:
    """Return the text with every character that is not printable escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
