"""The code blocks of the documentation, in order, with what each shows of its output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
NOT_RUN = "not run by tests: "
# CI runs this block word for word (.ci/run); here it would run itself.
TEST_COMMAND = "test command"
_COMMENT = re.compile(r"<!-- (?P<note>.+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        place: Its document and line.
        language: What its fence says.
        note: The comment on the line before it.
        text: What is in it.
        shows: The `text` block that follows it at once: what it prints.
    """

    place: str
    language: str
    note: str
    text: str
    shows: str = ""

    @property
    def is_run(self) -> bool:
        """Whether the tests run it."""
        left_out = self.note == TEST_COMMAND or self.note.startswith(NOT_RUN)
        return self.language in {"sh", "python"} and not left_out


def documents() -> list[Path]:
    """Every page; those with commands first in the order in which a newcomer reads them."""
    first = [REPOSITORY / name for name in ("README.md", "docs/local.md", "docs/packaging.md", "docs/library.md")]
    others = [*sorted((REPOSITORY / "docs").rglob("*.md")), REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "SECURITY.md"]
    return list(dict.fromkeys([*first, *others]))


def blocks(document: Path) -> Iterator[Block]:
    """The blocks of one page; a `text` block after another one is part of that one."""
    found: list[tuple[int, Block]] = []
    lines = document.read_text(encoding="utf-8").split("\n")
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    for begin, end in zip(fences[::2], fences[1::2], strict=True):
        comment = _COMMENT.fullmatch(lines[begin - 1])
        place = f"{document.relative_to(REPOSITORY)}:{begin + 1}"
        text = "\n".join(lines[begin + 1 : end])
        block = Block(place, lines[begin][3:], comment["note"] if comment else "", text)
        last_end, last = found[-1] if found else (-9, block)
        if block.language == "text" and last.is_run and begin - last_end == 2:
            found[-1] = (end, Block(last.place, last.language, last.note, last.text, shows=text))
        else:
            found.append((end, block))
    yield from (block for _, block in found)
