"""The command line as a user runs it, in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from imgpipe_templates.cli import run


class Outcome(NamedTuple):
    """Exit status and output of a command."""

    status: int
    out: str
    err: str


@pytest.fixture
def imgpipe(tmp_path, monkeypatch, capsys) -> Callable[..., Outcome]:
    """Return a function that runs `imgpipe` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Outcome:
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return command
