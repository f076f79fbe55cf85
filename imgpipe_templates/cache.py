"""The cache folder: lint results, checked configurations, wheels, and runtimes of the local engine."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from imgpipe_templates.version import __version__


def cache_dir() -> Path:
    """Return the user's cache folder of this package; the folder may not exist yet.

    `IMGPIPE_CACHE_DIR` overrides it. The default is the platform's cache folder (XDG_CACHE_HOME on Linux).
    """
    if chosen := os.environ.get("IMGPIPE_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "imgpipe-templates"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "imgpipe-templates" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imgpipe-templates"


def code_version() -> str:
    """Return a hash of the version and the files of this package. A cached result is valid for one such hash.

    The hash contains the size and modification time of each file, not its content, so that no module is read.
    """
    package = Path(__file__).parent
    state = [__version__, sys.version]
    for folder, folders, files in os.walk(package):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".py", ".toml")):
                stat = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - names come from os.walk
                state.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(state).encode()).hexdigest()


def recall(kind: str, key: str) -> str | None:
    """Return the cached text of `key`, or None if it cannot be read."""
    try:
        return (cache_dir() / kind / key).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def remember(kind: str, key: str, text: str) -> None:
    """Store `text` for `key`. A cache that cannot be written is no error."""
    path = cache_dir() / kind / key
    partial = path.with_name(f"{key}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError:
        return
