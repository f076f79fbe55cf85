"""The rendered template on an embedded AWS engine, on this machine: no account, no Docker, nothing left behind."""

from __future__ import annotations

import sys

from imgpipe_templates.errors import LocalEngineError

if sys.platform == "win32":
    raise LocalEngineError("local engine: windows: cannot run AWS's runtime interface client; expected Linux, or WSL")
