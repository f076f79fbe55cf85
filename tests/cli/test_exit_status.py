"""The exit statuses in README for every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
NO_TEMPLATE = '{"name": "a package"}'


def test_readme_lists_the_exit_statuses():
    rows = re.findall(r"^\| (\d) \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert [int(status) for status, _ in rows] == [0, 1, 2]


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (0, ["presets"]),
        (0, ["--help"]),
        (0, ["init", "--out", "own.toml"]),
        (0, ["render", "--preset", "thumbnails", "--out", "-"]),
        (1, ["render", "--config", "none.toml"]),
        (1, ["render", "--config", "wrong.toml"]),
        (1, ["render", "--set", "processing.memory_mb=1"]),
        (1, ["package", "--config", "wrong.toml"]),
        (1, ["local", "run", "none.jpg"]),
        (1, ["local", "run", "--config", "wrong.toml", "none.jpg"]),
        (1, ["init", "--out", "wrong.toml"]),
        (1, ["validate", "package.json"]),
        (1, ["validate", "none.yaml"]),
        (2, []),
        (2, ["rendr"]),
        (2, ["render", "--preset", "thumbnail"]),
        (2, ["package", "--preset", "thumbnail"]),
        (2, ["local", "run", "--preset", "thumbnail", "none.jpg"]),
        (2, ["init", "--preset", "thumbnail"]),
        (2, ["render", "--layout", "sideways"]),
        (2, ["validate"]),
        (2, ["local", "run"]),
        (2, ["schema", "--nonsense"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_command_ends_with_the_documented_status(imgpipe, status, arguments):
    Path("wrong.toml").write_text('preset = "thumbnail"\n', encoding="utf-8")
    Path("package.json").write_text(NO_TEMPLATE, encoding="utf-8")

    done = imgpipe(*arguments)

    assert done.status == status, done.err
    assert not Path("local-results").exists()
    assert "Traceback" not in done.err
