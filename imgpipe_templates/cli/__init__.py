"""The command line: arguments in, exit status out; the work is in the library.

Paths written go to stdout, everything else to stderr. Status 0 is done, 1 means that the input, the templates or the
run are wrong, 2 that the command line is.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import cast

import click

from imgpipe_templates.version import __version__
from imgpipe_templates.errors import ImgpipeError

# Command -> its module here, in the order in which help shows them. A module is imported when its command is called.
_COMMANDS = {
    "render": "render",
    "validate": "validate",
    "package": "package",
    "local": "local",
    "presets": "presets",
    "init": "init",
    "schema": "schema",
}

# A shell reports a process that ended by a signal as 128 and the signal's number.
_INTERRUPTED = 128 + signal.SIGINT


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"imgpipe_templates.cli.{_COMMANDS[cmd_name]}")
        return cast(click.Command, module.command)


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="imgpipe")
def root() -> None:
    """Render validated CloudFormation for an image pipeline, with the Lambda code that goes with it."""


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: What follows the program's name.

    Returns:
        0 done, 1 the input or the templates are wrong, 2 the command line is wrong, 130 interrupted.
    """
    try:
        status = root(list(arguments), prog_name="imgpipe", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except ImgpipeError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell. The descriptor is replaced so that the
        # interpreter does not fail once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(status or 0)
