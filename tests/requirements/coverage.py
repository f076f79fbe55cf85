"""Tests of each requirement line, read from the `line` markers of all tests, for docs/requirements.md."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent


def lines_of_tests(text: str) -> dict[str, list[str]]:
    """Return the requirement lines of each test of a module, from `@pytest.mark.line("000-05", ...)`."""
    tests = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return {
        test.name: [
            argument.value
            for decorator in test.decorator_list
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.line"
            for argument in decorator.args
            if isinstance(argument, ast.Constant)
        ]
        for test in tests
    }


@dataclass(frozen=True)
class Coverage:
    """The requirement lines and their tests.

    Attributes:
        documents: Subject of each document.
        lines: Text of each line.
        corrections: Corrected form of lines that name a correction.
        to_come: Missing tests, by line.
        tests: Requirement lines of each test, by file and name.
    """

    documents: Mapping[str, str]
    lines: Mapping[str, str]
    corrections: Mapping[str, str]
    to_come: Mapping[str, str]
    tests: Mapping[str, Mapping[str, list[str]]]

    @classmethod
    def read(cls, repository: Path = REPOSITORY) -> Coverage:
        """Read the current state of the repository."""
        content = tomllib.loads((HERE / "lines.toml").read_text(encoding="utf-8"))
        tests = {
            path.relative_to(repository).as_posix(): lines_of_tests(path.read_text(encoding="utf-8"))
            for path in sorted((repository / "tests").rglob("*.py"))
        }
        return cls(content["documents"], content["lines"], content["corrections"], content["to_come"], tests)

    @cached_property
    def shown_by(self) -> dict[str, list[str]]:
        """Tests, as `file::name`, by requirement line."""
        shown: dict[str, list[str]] = {line: [] for line in self.lines}
        for path, tests in self.tests.items():
            for name, lines in tests.items():
                for line in lines:
                    shown.setdefault(line, []).append(f"{path}::{name}")
        return shown

    def missing(self) -> list[str]:
        """Return the lines without a test and without a reason."""
        return [line for line in self.lines if not self.shown_by[line] and line not in self.to_come]

    def counts(self) -> dict[str, int]:
        """Return the number of lines by kind of test. A line with several kinds counts in each."""
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
        """Yield the tables of docs/requirements.md."""
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
        """Yield the table of corrections."""
        yield from ("| | in which form a line holds |", "|---|---|")
        for name, text in self.corrections.items():
            yield f"| {name} | {text} |"


def _spoken(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")
