"""Tables and progress on stderr, narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def console() -> Console:
    """Where everything goes that is not a path."""
    return Console(
        stderr=True, highlight=False, emoji=False
    )  # nothing here is meant as an emoji, least of all a file name


def table(title: str, left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """An empty table with columns of text, then columns of figures; long text is folded, never cut."""
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in left:
        made.add_column(heading, overflow="fold")
    for heading in right:
        made.add_column(heading, justify="right", no_wrap=True)
    return made


@contextmanager
def working(first: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that something is being done, until it is done.

    Args:
        first: What is done first.

    Yields:
        A function that takes what is done next.
    """
    to = console()
    if not to.is_terminal:
        yield lambda _: None
        return
    with to.status(escape(first)) as status:
        yield lambda text: status.update(escape(text))


def printable(text: str) -> str:
    """The text on one line, other characters than printable ones escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
