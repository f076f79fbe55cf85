"""`python -m imgpipe_templates`: the command line."""

from __future__ import annotations

import gc
import sys

from imgpipe_templates.cli import run


def main() -> None:
    """Run the command line with this process's arguments and exit with its status."""
    # A command is over in seconds and keeps nearly everything that it makes: collecting would only cost time. So would
    # the collection at the interpreter's end, a tenth of a render; what is left goes with the process.
    gc.disable()
    status = run(sys.argv[1:])
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
