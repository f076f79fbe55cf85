"""The pipelines that come with this package, each a TOML file beside this one."""

from __future__ import annotations

from pathlib import Path

# What is rendered where nothing is chosen.
DEFAULT = "thumbnails"

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of all presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def text(name: str) -> str:
    """The TOML text of the preset `name`, which is one of `names()`."""
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
