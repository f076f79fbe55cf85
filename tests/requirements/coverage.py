"""Which tests show which line of the requirements: read off the names of the tests, for docs/requirements.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent

_TEST = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)
_IDS = re.compile(r"test((?:_\d{3}_\d{2})+)(?:_to_(\d{2}))?_")


def ids_of(test: str) -> list[str]:
    """The lines that a test is named after: `test_000_05_000_27_...` is two, `test_003_32_to_35_...` is four."""
    named = _IDS.match(test)
    if not named:
        return []
    ids = [f"{document}-{line}" for document, line in re.findall(r"_(\d{3})_(\d{2})", named[1])]
    if named[2]:
        document, first = ids[-1].split("-")
        ids += [f"{document}-{line:02}" for line in range(int(first) + 1, int(named[2]) + 1)]
    return ids


@dataclass(frozen=True)
class Coverage:
    """The lines, and what shows them.

    Attributes:
        documents: What each document is about.
        lines: What each line asks.
        corrections: In which form a line holds that names one.
        elsewhere: Tests of other names by the line that they show.
        to_come: What is still missing by line.
        tests: Names of all tests by their file.
    """

    documents: Mapping[str, str]
    lines: Mapping[str, str]
    corrections: Mapping[str, str]
    elsewhere: Mapping[str, list[str]]
    to_come: Mapping[str, str]
    tests: Mapping[str, list[str]]

    @classmethod
    def read(cls, repository: Path = REPOSITORY) -> Coverage:
        """What the repository says now."""
        known = tomllib.loads((HERE / "lines.toml").read_text(encoding="utf-8"))
        other = tomllib.loads((HERE / "elsewhere.toml").read_text(encoding="utf-8"))
        tests = {
            path.relative_to(repository).as_posix(): _TEST.findall(path.read_text(encoding="utf-8"))
            for path in sorted((repository / "tests").rglob("*.py"))
        }
        return cls(known["documents"], known["lines"], known["corrections"], other["shown_by"], other["to_come"], tests)

    @cached_property
    def shown_by(self) -> dict[str, list[str]]:
        """Tests, as `file::name`, by the line that they show."""
        shown: dict[str, list[str]] = {line: [] for line in self.lines}
        for path, names in self.tests.items():
            for name in names:
                for line in ids_of(name):
                    shown.setdefault(line, []).append(f"{path}::{name}")
        for line, names in self.elsewhere.items():
            shown.setdefault(line, []).extend(name for name in names if name not in shown[line])
        return shown

    def missing(self) -> list[str]:
        """Lines that no test shows and that do not say why."""
        return [line for line in self.lines if not self.shown_by[line] and line not in self.to_come]

    def counts(self) -> dict[str, int]:
        """How many lines are shown by what; a line that is shown in several ways counts in each."""
        kinds = {
            "off the templates": ("tests/requirements/test_0",),
            "by tests of the functions": ("tests/lambda_",),
            "by runs on the local engine": ("tests/local/", "tests/deployment/", "tests/presets/"),
        }
        counted = {
            kind: sum(any(test.startswith(starts) for test in tests) for tests in self.shown_by.values())
            for kind, starts in kinds.items()
        }
        counted["still to come, in whole or in part"] = len(self.to_come)
        return {"all lines": len(self.lines), **counted}

    def tables(self) -> Iterator[str]:
        """The pages of docs/requirements.md, line by line."""
        yield from ("| lines | |", "|---|---|")
        for kind, number in self.counts().items():
            yield f"| {kind} | {number} |"
        for document, title in self.documents.items():
            yield from ("", f"## {document}: {title}", "", "| line | asks | shown by |", "|---|---|---|")
            for line, text in self.lines.items():
                if line.startswith(document):
                    yield f"| {line} | {text} | {self._shown(line)} |"

    def _shown(self, line: str) -> str:
        by_file: dict[str, list[str]] = {}
        for test in self.shown_by[line]:
            path, _, name = test.partition("::")
            by_file.setdefault(path, []).append(_spoken(name))
        cells = [f"[{path.removeprefix('tests/')}](../{path}): {'; '.join(names)}" for path, names in by_file.items()]
        if line in self.to_come:
            cells.append(f"**still to come**: {self.to_come[line]}")
        return "<br>".join(cells)

    def corrected(self) -> Iterator[str]:
        """The table of corrections."""
        yield from ("| | in which form a line holds |", "|---|---|")
        for name, text in self.corrections.items():
            yield f"| {name} | {text} |"


def _spoken(test: str) -> str:
    return _IDS.sub("", test).removeprefix("test_").replace("_", " ")
