"""The folder for what may be thrown away: validation results, wheels, runtimes of the local engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


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
