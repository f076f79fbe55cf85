"""The folder for what may be thrown away: validation results, wheels, runtimes of the local engine."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from imgpipe_templates.version import __version__


def cache_dir() -> Path:
    """The user's cache folder of this package (not created here).

    `IMGPIPE_CACHE_DIR` overrides it; otherwise the platform's own place is used (XDG_CACHE_HOME on Linux).
    """
    if chosen := os.environ.get("IMGPIPE_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "imgpipe-templates"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "imgpipe-templates" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imgpipe-templates"


def code_version() -> str:
    """What a remembered result depends on besides its input: this package's version and the state of its files.

    Sizes and modification times stand in for contents; reading every module would cost more than most results save.
    """
    package = Path(__file__).parent
    state = [__version__, sys.version]
    for folder, folders, files in os.walk(package):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".py", ".toml")):
                stat = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - a Path per file doubles the time
                state.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(state).encode()).hexdigest()


def recall(kind: str, key: str) -> str | None:
    """The text remembered under `key`, or None. An unreadable cache is an empty one."""
    try:
        return (cache_dir() / kind / key).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def remember(kind: str, key: str, text: str) -> None:
    """Keep `text` under `key`; where nothing can be written, nothing is remembered and nobody is told."""
    place = cache_dir() / kind / key
    partial = place.with_name(f"{key}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(place)
    except OSError:
        return
