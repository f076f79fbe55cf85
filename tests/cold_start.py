"""A function's code, started as Lambda starts it: a new process with the function's variables and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def cold_start(
    folder: Path, script: str, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What became of `script`, which imports the code in `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**kept, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
