"""The command line as a module: `python -m imgpipe_templates`."""

from __future__ import annotations

import sys

from imgpipe_templates.cli import run


def main() -> None:
    """Run the command line with this process's arguments and exit with its status."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
